// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite("What a WebSocket has to write", .timeLimit(.minutes(10)))
struct WebSocketOutgoingTests {
    @Test("Bytes that an answer has sent along are taken once, also by a caller that comes with fewer")
    func fewerBytes() async throws {
        let (lower, peer) = InMemoryPipe.makePair(capacity: 16)
        var outgoing = WebSocketOutgoing(
            encoder: WebSocketEncoder(role: .server, kind: .binary, messageSize: 1_000, random: FixedNumber.mask)
        )
        let bytes = [UInt8](0..<100)
        let first = try bytes.withUnsafeBytes { all in
            Result { () throws(TransportError) in try outgoing.write(all, to: lower) }
        }.get()
        #expect(first == 0)
        var received: [UInt8] = []
        while received.count < 102 {
            received += try await peer.readSome() ?? []
            _ = try outgoing.flush(lower)
        }
        #expect(received == frame(2, bytes))
        // The frame is out; nothing of it may go out again.
        var taken = 0
        while taken < bytes.count {
            let piece = bytes[taken..<min(taken + 3, bytes.count)]
            let count = try Array(piece).withUnsafeBytes { part in
                Result { () throws(TransportError) in try outgoing.write(part, to: lower) }
            }.get()
            #expect(count == piece.count)
            taken += count
        }
        lower.close()
        #expect(try await peer.readToEnd() == [])
    }
}
