// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting
import TestSupport
import Testing

@testable import STOMPTransport

@Suite("TLS over a stream", .timeLimit(.minutes(5)))
struct TLSTransportTests {
    /// Two ends that are connected through TLS over a pipe, and the pipe's ends.
    struct Ends {
        let client: TLSTransport
        let server: TLSTransport
        let lowerClient: any ByteTransport
        let lowerServer: any ByteTransport
    }

    static func connect(
        capacity: Int = 256 * 1024,
        client: TLSOptions? = nil,
        server: TLSOptions? = nil
    ) async throws -> Ends {
        let (lowerClient, lowerServer) = InMemoryPipe.makePair(capacity: capacity)
        let clientContext = try TLSContext.make(.client, client ?? .client(), password: nil)
        let serverContext = try TLSContext.make(.server, server ?? .server(), password: nil)
        async let server = TLSTransport.open(over: lowerServer, serverContext)
        let client = try await TLSTransport.open(over: lowerClient, clientContext, host: "localhost")
        return Ends(
            client: client,
            server: try await server,
            lowerClient: lowerClient,
            lowerServer: lowerServer
        )
    }

    private static func bytes(_ count: Int, seed: Int = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 7 &+ seed) >> 2) }
    }

    @Test(
        "Reader and writer of both ends work at the same time, whatever the room below",
        arguments: [
            1, 7, 100, 4_096, 20_000, 256 * 1_024,
        ]
    )
    func bothWays(capacity: Int) async throws {
        let ends = try await Self.connect(capacity: capacity)
        let count = capacity < 100 ? 5_000 : 500_000
        let (there, back) = (Self.bytes(count), Self.bytes(count, seed: 5))
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await ends.client.writeAll(there)
                return true
            }
            group.addTask {
                try await ends.server.writeAll(back)
                return true
            }
            group.addTask { try await ends.server.readExactly(count) == there }
            group.addTask { try await ends.client.readExactly(count) == back }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test("Small writes and reads keep their order")
    func small() async throws {
        let ends = try await Self.connect(capacity: 300)
        let bytes = Self.bytes(20_000)
        async let received = ends.server.readExactly(bytes.count)
        var position = 0
        for size in (1...).lazy.map({ $0 % 37 + 1 }) where position < bytes.count {
            let end = min(position + size, bytes.count)
            try await ends.client.writeAll(Array(bytes[position..<end]))
            position = end
            if position == bytes.count { break }
        }
        #expect(try await received == bytes)
    }

    @Test("What was not taken is not left behind: the writer learns that it has to come again")
    func shortWrites() async throws {
        let ends = try await Self.connect(capacity: 1_000)
        let bytes = Self.bytes(10_000)
        let taken = try ends.client.writeOnce(bytes[...])
        // A part of the record is on its way; none of it counts yet.
        #expect(taken == 0)
        #expect(ends.lowerServer.unreadByteCount == 1_000)
        async let received = ends.server.readExactly(bytes.count)
        try await ends.client.writeAll(bytes)
        #expect(try await received == bytes)
    }

    @Test("A wait ends at once while decrypted bytes are left")
    func pending() async throws {
        let ends = try await Self.connect()
        try await ends.server.writeAll(Self.bytes(10_000))
        #expect(try await ends.client.readSome(limit: 10)?.count == 10)
        #expect(ends.lowerClient.unreadByteCount == 0)
        await ends.client.waitUntilReadable()
        #expect(ends.client.unreadByteCount == 9_990)
        #expect(try await ends.client.readExactly(9_990).count == 9_990)
        #expect(ends.client.unreadByteCount == 0)
    }

    @Test("A read goes on to the next record, as far as its buffer holds")
    func fullReads() async throws {
        let ends = try await Self.connect(capacity: 1024 * 1024)
        try await ends.server.writeAll(Self.bytes(100_000))
        #expect(try await ends.client.readSome(limit: 90_000)?.count == 90_000)
        #expect(try await ends.client.readSome(limit: 90_000)?.count == 10_000)
    }

    @Test("Closing tells the other side, after what was written")
    func closing() async throws {
        let ends = try await Self.connect()
        try await ends.client.writeAll([1, 2, 3])
        ends.client.close()
        ends.client.close()
        #expect(try await ends.server.readToEnd() == [1, 2, 3])
        #expect(await errorKind { () throws(TransportError) in _ = try ends.client.readOnce() } == .closed)
        #expect(await errorKind { () throws(TransportError) in _ = try ends.client.writeOnce([1]) } == .closed)
        await ends.client.waitUntilReadable()
        await ends.client.waitUntilWritable()
        await ends.client.waitUntilHangUp()
        await ends.server.waitUntilHangUp()
    }

    @Test("Dropping the last reference closes")
    func dropping() async throws {
        let server: TLSTransport
        do {
            let ends = try await Self.connect()
            server = ends.server
        }
        #expect(try await server.readSome() == nil)
    }

    @Test("A stream that ends without the end of the session was cut")
    func truncation() async throws {
        let ends = try await Self.connect()
        try await ends.server.writeAll([1, 2, 3])
        ends.lowerServer.close()
        #expect(try await ends.client.readExactly(3) == [1, 2, 3])
        let kind = await errorKind { () throws(TransportError) in _ = try ends.client.readOnce() }
        #expect(kind == .truncated)
    }

    @Test("A reset is one below")
    func reset() async throws {
        let ends = try await Self.connect()
        ends.server.reset()
        let kind = await errorKind { () throws(TransportError) in _ = try ends.client.readOnce() }
        #expect(kind == .truncated)
    }

    @Test("A cancelled handshake ends promptly and closes the stream")
    func cancelled() async throws {
        let (lower, silent) = InMemoryPipe.makePair()
        let context = try TLSContext.make(.client, .client(), password: nil)
        let task = Task { try await TLSTransport.open(over: lower, context, host: "localhost").peerDescription }
        // Its greeting is there, so it waits for the answer.
        _ = try await silent.readSome()
        task.cancel()
        let result = await task.result
        #expect(throws: TransportError.self) { _ = try result.get() }
        #expect(try await silent.readSome() == nil)
    }

    @Test("A peer that closes during the handshake is told from one that is no TLS port")
    func early() async throws {
        let (lower, peer) = InMemoryPipe.makePair()
        peer.close()
        let context = try TLSContext.make(.client, .client(), password: nil)
        do throws(TransportError) {
            _ = try await TLSTransport.open(over: lower, context, host: "localhost")
            Issue.record("It opened.")
        } catch {
            #expect(error.kind == .closed)
        }
        let (other, broker) = InMemoryPipe.makePair()
        try await broker.writeAll(Array("ERROR\nmessage:what?\n\n\0".utf8))
        do throws(TransportError) {
            _ = try await TLSTransport.open(over: other, context, host: "localhost")
            Issue.record("It opened.")
        } catch {
            #expect(error.kind == .tlsFailed)
            #expect(error.message.contains("plain STOMP"))
        }
    }

    @Test("A server answers plain STOMP with an alert, in the handshake's own form")
    func plainClient() async throws {
        let (lower, peer) = InMemoryPipe.makePair()
        try await peer.writeAll(Array("CONNECT\naccept-version:1.2\nhost:/\n\n\0".utf8))
        let context = try TLSContext.make(.server, .server(), password: nil)
        let kind = await errorKind { () throws(TransportError) in
            _ = try await TLSTransport.open(over: lower, context)
        }
        #expect(kind == .tlsFailed)
        let answer = try await peer.readToEnd()
        #expect(answer.isEmpty || answer.starts(with: [0x15, 0x03]))
    }

    @Test("The peer's wish for new keys is answered by a reader, and by a writer that comes later")
    func keys() async throws {
        let ends = try await Self.connect(client: .client().only(.v13))
        // Tickets wait to be read; they are no bytes of ours.
        #expect(try ends.client.readOnce() == .wouldBlock)
        try await ends.server.writeAll([9])
        #expect(try await ends.client.readExactly(1) == [9])
        #expect(ends.client.facts.version == "TLSv1.3")
        #expect(ends.client.security == ends.client.facts)
        #expect(ends.lowerClient.security == nil)
        #expect(ends.client.peerDescription == "in-memory")
    }

    @Test("TLS goes over TLS")
    func nested() async throws {
        let ends = try await Self.connect()
        let clientContext = try TLSContext.make(.client, .client(), password: nil)
        let serverContext = try TLSContext.make(.server, .server(), password: nil)
        async let server = TLSTransport.open(over: ends.server, serverContext)
        let client = try await TLSTransport.open(over: ends.client, clientContext, host: "::1")
        try await client.writeAll([4, 5])
        #expect(try await server.readExactly(2) == [4, 5])
    }
}
