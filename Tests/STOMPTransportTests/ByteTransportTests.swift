// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ByteTransportTests {
    @Test(arguments: TransportKind.available)
    func `bytes go both ways, in order and complete`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        let there = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let back = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 17 &+ $0 >> 9) }

        async let sentThere: Void = client.writeAll(there)
        async let sentBack: Void = server.writeAll(back)
        async let receivedThere = server.readExactly(there.count)
        async let receivedBack = client.readExactly(back.count)

        try await sentThere
        try await sentBack
        #expect(try await receivedThere == there)
        #expect(try await receivedBack == back)
        #expect(try client.readOnce() == .wouldBlock)
        client.close()
        server.close()
    }

    @Test(arguments: TransportKind.available)
    func `the peer's close ends the stream after its bytes`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        try await server.writeAll(Array("last words".utf8))
        server.close()

        #expect(try await client.readToEnd() == Array("last words".utf8))
        #expect(try client.readOnce() == .endOfStream)
        await client.waitUntilReadable()
        client.close()
    }

    // Bytes of its own come again through TLS: see TLSTransportTests.
    @Test(arguments: TransportKind.available.filter { $0 != .tls })
    func `a full peer takes nothing more until it has read`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        let written = try client.fill()
        #expect(written > 0)

        async let writable: Void = client.waitUntilWritable()
        let received = try await server.readExactly(written)
        await writable

        #expect(received.count == written)
        // What was not taken comes again.
        try await client.writeAll([UInt8](repeating: 120, count: 64 * 1024) + [1, 2, 3])
        #expect(try await server.readExactly(64 * 1024 + 3).suffix(3) == [1, 2, 3])
    }

    @Test
    func `a pipe holds what it was made for`() throws {
        let (one, other) = InMemoryPipe.makePair(capacity: 1000)
        #expect(try one.fill() == 1000)
        #expect(other.unreadByteCount == 1000)
        #expect(try other.fill() == 1000)
    }

    @Test(arguments: TransportKind.available)
    func `a hang-up is seen while bytes wait unread`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        try await server.writeAll([UInt8](repeating: 7, count: 100))
        server.close()
        await client.waitUntilHangUp()

        // In a WebSocket and in TLS they are counted as they are on the wire.
        #expect(TransportKind.plain.contains(kind) ? client.unreadByteCount == 100 : client.unreadByteCount > 100)
        #expect(try await client.readToEnd().count == 100)
        #expect(client.unreadByteCount == 0)
    }

    @Test(arguments: TransportKind.available)
    func `a wait returns when only a part has been read`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        try await server.writeAll([1, 2, 3, 4])
        #expect(try await client.readSome(limit: 1) == [1])
        await client.waitUntilReadable()
        #expect(try await client.readSome(limit: 1) == [2])
        await client.waitUntilReadable()
        #expect(try await client.readExactly(2) == [3, 4])
    }

    @Test(arguments: TransportKind.available)
    func `empty buffers move nothing and end nothing`(_ kind: TransportKind) async throws {
        let (client, server) = try await kind.makePair()
        let empty = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        try await server.writeAll([9])
        await client.waitUntilReadable()
        #expect(try client.read(into: empty) == .bytes(0))
        #expect(try client.write(UnsafeRawBufferPointer(empty)) == 0)
        #expect(try await client.readSome() == [9])
    }

    @Test
    func `peers are described as people write them`() async throws {
        for kind in TransportKind.available {
            let (client, server) = try await kind.makePair()
            switch kind {
            case .ipv4, .tls, .webSocketOverTCP: #expect(client.peerDescription.hasPrefix("127.0.0.1:"))
            case .ipv6: #expect(client.peerDescription.hasPrefix("[::1]:"))
            case .unixSocket: #expect(client.peerDescription.hasPrefix("unix:/"))
            case .inMemory, .webSocket: #expect(client.peerDescription == "in-memory")
            }
            #expect(server.peerDescription.contains(client.peerDescription.prefix(5)))
        }
    }

    @Test(arguments: TransportKind.available)
    func `fifty connections play ping-pong`(_ kind: TransportKind) async throws {
        let (listener, connect) = try kind.listen()
        let rounds = 200
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await withThrowingTaskGroup(of: Void.self) { peers in
                    for _ in 0..<50 {
                        let peer = try await listener.accept()
                        peers.addTask {
                            while let bytes = try await peer.readSome() {
                                try await peer.writeAll(bytes)
                            }
                            peer.close()
                        }
                    }
                    try await peers.waitForAll()
                }
            }
            for index in 0..<50 {
                group.addTask {
                    let client = try await connect()
                    for round in 0..<rounds {
                        let ball = [UInt8](repeating: UInt8(truncatingIfNeeded: index &+ round), count: 1 + round * 13)
                        try await client.writeAll(ball)
                        #expect(try await client.readExactly(ball.count) == ball)
                    }
                    client.close()
                }
            }
            try await group.waitForAll()
        }
        listener.close()
    }
}
