// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct CancellationTests {
    @Test(arguments: TransportKind.available)
    func `cancelling a wait ends it and nothing else`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        let written = try client.fill()
        for _ in 0..<300 {
            let waits = client.startWaits()
            for wait in waits {
                wait.cancel()
            }
            for wait in waits {
                await wait.value
            }
        }
        // It still works.
        async let received = server.readExactly(written + 1)
        try await client.writeAll([1])
        #expect(try await received.count == written + 1)
        try await server.writeAll([2])
        #expect(try await client.readSome() == [2])
    }

    @Test(arguments: TransportKind.available)
    func `a cancelled wait does not end the next one`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        for round in 0..<200 {
            let cancelled = Task { await client.waitUntilHangUp() }
            async let received = client.readSome()
            cancelled.cancel()
            await cancelled.value
            try await server.writeAll([UInt8(truncatingIfNeeded: round)])
            #expect(try await received == [UInt8(truncatingIfNeeded: round)])
        }
    }

    @Test(arguments: TransportKind.plain)
    func `cancelling accept throws, and the listener goes on`(_ kind: TransportKind) async throws {
        let (listener, connect) = try kind.listen()
        for _ in 0..<100 {
            let accepting = Task {
                await errorKind { () async throws(TransportError) in _ = try await listener.accept() }
            }
            accepting.cancel()
            #expect(await accepting.value == .closed)
        }
        let client = try await connect()
        let server = try await listener.accept()
        try await client.writeAll([5])
        #expect(try await server.readSome() == [5])
    }

    @Test(arguments: TransportKind.available)
    func `closing a listener ends its accept`(_ kind: TransportKind) async throws {
        for _ in 0..<50 {
            let (listener, _) = try kind.listen()
            async let kind = errorKind { () async throws(TransportError) in _ = try await listener.accept() }
            listener.close()
            listener.close()
            #expect(await kind == .closed)
        }
    }

    @Test
    func `a closed in-memory listener refuses, and hangs up on who waits in its backlog`() async throws {
        let listener = InMemoryListener()
        let early = try await listener.connect()
        listener.close()
        #expect(try await early.readSome() == nil)
        #expect(await errorKind { () async throws(TransportError) in _ = try await listener.connect() } == .refused)
    }

    @Test
    func `cancelling a connect returns while nobody answers`() async throws {
        let silent = try DeafPort(isSilent: true)
        let connector = TCPConnector(host: "127.0.0.1", port: silent.port)
        let first = try await connector.connect()
        for _ in 0..<20 {
            let attempts = (0..<4).map { _ in
                Task { await errorKind { () async throws(TransportError) in _ = try await connector.connect() } }
            }
            for _ in 0..<10 {
                await Task.yield()
            }
            for attempt in attempts {
                attempt.cancel()
            }
            for attempt in attempts {
                #expect(await attempt.value == .closed)
            }
        }
        first.close()
    }

    @Test
    func `cancelling a look-up returns`() async throws {
        for _ in 0..<20 {
            let connecting = Task {
                await errorKind { () async throws(TransportError) in
                    _ = try await TCPConnector(host: "name.invalid", port: 61613).connect()
                }
            }
            await Task.yield()
            connecting.cancel()
            let kind = await connecting.value
            #expect(kind == .closed || kind == .resolution)
        }
    }

    @Test
    func `connecting in a cancelled task throws closed`() async throws {
        let listener = try TCPListener.bind()
        let connecting = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await errorKind { () async throws(TransportError) in
                _ = try await TCPConnector(host: "127.0.0.1", port: listener.port).connect()
            }
        }
        #expect(await connecting.value == .closed)
    }
}
