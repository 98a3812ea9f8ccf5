// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPTransport
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct CloseTests {
    @Test(arguments: TransportKind.available)
    func `closing wakes all waiters, and again and again changes nothing`(_ kind: TransportKind) async throws {
        for _ in 0..<50 {
            let (client, server) = try await kind.makePair()
            _ = try client.fill()
            let waits = client.startWaits()
            client.close()
            for wait in waits {
                await wait.value
            }
            client.close()
            await client.waitUntilReadable()
            await client.waitUntilWritable()
            await client.waitUntilHangUp()
            #expect(await errorKind { () throws(TransportError) in _ = try client.readOnce() } == .closed)
            #expect(await errorKind { () throws(TransportError) in _ = try client.writeOnce([1]) } == .closed)
            #expect(client.unreadByteCount == 0)
            server.close()
        }
    }

    @Test(arguments: TransportKind.available)
    func `closing ends the peer's stream and its wait for room`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        _ = try server.fill()
        async let writable: Void = server.waitUntilWritable()
        async let hungUp: Void = server.waitUntilHangUp()
        client.close()
        await writable
        await hungUp
        server.close()
    }

    @Test(arguments: TransportKind.available)
    func `dropping the last reference closes`(_ kind: TransportKind) async throws {
        let server: any ByteTransport
        do {
            let pair = try await kind.makePair()
            server = pair.server
        }
        #expect(try await server.readSome() == nil)
    }

    @Test(arguments: TransportKind.available)
    func `writing to a peer that has closed throws`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        server.close()
        await client.waitUntilHangUp()
        let kind = await errorKind { () async throws(TransportError) in
            while true {
                if try client.writeOnce([1, 2, 3]) == 0 {
                    await client.waitUntilWritable()
                }
            }
        }
        #expect(kind == .closed)
    }

    @Test(.onOwnThread)
    func `a broken pipe is no signal`() async throws {
        // In a process of its own, where SIGPIPE kills.
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let (client, server) = try await TransportKind.ipv4.makePair()
            server.close()
            await client.waitUntilHangUp()
            let kind = await errorKind { () async throws(TransportError) in
                while true {
                    _ = try client.writeOnce([1, 2, 3])
                }
            }
            #expect(kind == .closed)
        }
    }

    @Test(.onOwnThread)
    func `a thousand connections leave no descriptor behind`() async throws {
        // In a process of its own, whose descriptors nobody else opens.
        await #expect(processExitsWith: .success) {
            // Sockets only: the runtime opens timers and queues of its own when it likes.
            func socketCount() throws -> Int {
                let directory = "/proc/self/fd/"
                return try FileManager.default.contentsOfDirectory(atPath: directory).count { number in
                    let target = try? FileManager.default.destinationOfSymbolicLink(atPath: directory + number)
                    return target?.hasPrefix("socket:") == true
                }
            }
            let listener = try TCPListener.bind()
            let connector = TCPConnector(host: "127.0.0.1", port: listener.port)
            let deaf = try DeafPort()
            let refused = TCPConnector(host: "127.0.0.1", port: deaf.port)
            let first = try await connector.connect()
            try await listener.accept().close()
            first.close()

            let before = try socketCount()
            for round in 0..<1000 {
                let client = try await connector.connect()
                let server = try await listener.accept()
                try await client.writeAll([UInt8(truncatingIfNeeded: round)])
                #expect(try await server.readSome() == [UInt8(truncatingIfNeeded: round)])
                (round.isMultiple(of: 2) ? client : server).close()
                (round.isMultiple(of: 2) ? server : client).close()
            }
            for _ in 0..<200 {
                let attempt = Task { try await connector.connect().close() }
                attempt.cancel()
                _ = await attempt.result
            }
            listener.close()
            for _ in 0..<200 {
                let kind = await errorKind { () async throws(TransportError) in _ = try await refused.connect() }
                #expect(kind == .refused)
            }
            let after = try socketCount()
            #expect(after == before - 1, "the listener only is gone: \(before), then \(after)")
        }
    }

    /// A call on a closed descriptor would hit the next connection, which gets the same number.
    @Test
    func `calls that race with a close never touch the next connection`() async throws {
        for _ in 0..<200 {
            let (old, oldPeer) = try await TransportKind.ipv4.makePair()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        _ = await errorKind { () async throws(TransportError) in
                            while true {
                                await Task.yield()
                                _ = try old.writeOnce([88])
                                _ = try old.readOnce()
                                _ = old.unreadByteCount
                            }
                        }
                    }
                }
                await oldPeer.waitUntilReadable()
                old.close()
                let (client, server) = try await TransportKind.ipv4.makePair()
                try await client.writeAll([1, 2])
                try await server.writeAll([3, 4])
                #expect(try await server.readExactly(2) == [1, 2])
                #expect(try await client.readExactly(2) == [3, 4])
                client.close()
                #expect(try await server.readSome() == nil)
                try await group.waitForAll()
            }
        }
    }
}
