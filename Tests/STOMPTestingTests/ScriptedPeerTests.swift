// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport
import Testing

@testable import STOMPTesting

@Suite struct ScriptedPeerTests {
    private static func connect(to peer: ScriptedPeer) async throws -> RawClient {
        if let port = peer.port { return RawClient(try await TCPConnector(host: "127.0.0.1", port: port).connect()) }
        return RawClient(try await peer.inMemoryListener.connect())
    }

    @Test(arguments: [STOMPBroker.Listening.inMemory, .loopback()])
    func `a script and a client`(listening: STOMPBroker.Listening) async throws {
        let answer = try await withScriptedPeer(listening: listening) { peer in
            try await peer.accept()
            try await peer.expect("CONNECT\n\n\0")
            try await peer.send("CONNECTED\nversion:1.2\n\n\0")
            #expect(try await peer.receiveFrame() == "SEND\ncontent-length:3\n\na\0b\0")
            #expect(try await peer.receiveFrame() == "SEND\r\n\r\nx\0")
            #expect(try await peer.receiveBytes(count: 2) == [10, 10])
            try await peer.expectHangUp()
        } client: { peer in
            let client = try await Self.connect(to: peer)
            try await client.send("CONNECT\n\n\0")
            let answer = try await client.receiveFrame()
            try await client.send("\n\r\nSEND\ncontent-length:3\n\na\0b\0\nSEND\r\n\r\nx\0\n\n")
            // Over TCP, a close with unread bytes would be a reset; there are none here.
            client.hangUp()
            return answer
        }
        #expect(answer == "CONNECTED\nversion:1.2\n\n\0")
    }

    @Test func `several connections`() async throws {
        try await withScriptedPeer { peer in
            let first = try await peer.accept()
            let second = try await peer.accept()
            try await second.send("2\n")
            try await first.send("1\n")
            peer.hangUp()
            try await first.expectHangUp()
        } client: { peer in
            let clients = [try await Self.connect(to: peer), try await Self.connect(to: peer)]
            try await clients[0].expect("1\n")
            try await clients[1].expect("2\n")
            try await clients[1].expectHangUp()
            clients[0].hangUp()
        }
    }

    @Test func `a mismatch says both sides and stops the client`() async throws {
        let error = await #expect(throws: ScriptedPeer.Mismatch.self) {
            try await withScriptedPeer { peer in
                try await peer.accept()
                try await peer.expect("CONNECT\n\n\0")
            } client: { peer in
                let client = try await Self.connect(to: peer)
                try await client.send("CONNECX\n\n\0")
                try await client.expectHangUp()
            }
        }
        #expect(
            error?.description == """
                The client did not follow the script.
                Expected: "CONNECT\\n\\n\\0"
                Received: "CONNECX\\n\\n\\0"
                """
        )
    }

    @Test func `a mismatch is found at the first byte that differs`() async throws {
        let (one, other) = InMemoryPipe.makePair(capacity: 1_000)
        let (peer, client) = (RawClient(one), RawClient(other))
        try await client.send("SEND")
        await #expect(throws: ScriptedPeer.Mismatch.self) { try await peer.expect("SUBSCRIBE\n") }
        client.hangUp()
        await #expect(throws: ScriptedPeer.Mismatch.self) { try await peer.receiveFrame() }
        await #expect(throws: ScriptedPeer.Mismatch.self) { try await peer.send("x") }
    }

    @Test func `nothing received can be asked`() async throws {
        let (one, other) = InMemoryPipe.makePair(capacity: 1_000)
        let (peer, client) = (RawClient(one), RawClient(other))
        #expect(peer.hasReceivedNothing)
        try await client.send("ab")
        #expect(!peer.hasReceivedNothing)
        _ = try await peer.receiveBytes(count: 1)
        #expect(!peer.hasReceivedNothing)
        _ = try await peer.receiveBytes(count: 1)
        #expect(peer.hasReceivedNothing)
    }

    @Test func `a peer that does not read stops the client's writing`() async throws {
        let (one, other) = InMemoryPipe.makePair(capacity: 10)
        let (peer, client) = (RawClient(one), RawClient(other))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.send("0123456789ABCDEF") }
            #expect(try await peer.receiveBytes(count: 16).last == UInt8(ascii: "F"))
            try await group.waitForAll()
        }
    }

    @Test func `the client's error cancels a script that waits`() async throws {
        struct Oops: Error {}
        await #expect(throws: Oops.self) {
            try await withScriptedPeer { peer in
                try await peer.accept()
                _ = try await peer.receiveFrame()
            } client: { peer in
                _ = try await Self.connect(to: peer)
                throw Oops()
            }
        }
    }

    @Test func `a script that waits for one more connection ends with the client`() async throws {
        await #expect(throws: ScriptedPeer.Mismatch.self) {
            try await withScriptedPeer { peer in
                try await peer.accept()
            } client: { _ in
            }
        }
    }

    @Test func `a script must accept first`() async throws {
        await #expect(throws: ScriptedPeer.Mismatch.self) {
            try await withScriptedPeer { peer in
                try await peer.send("x")
            } client: { _ in
            }
        }
    }
}
