// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a client asks with, and what only a WebSocket server answers to it (RFC 6455, sections 4.1 and 4.2.2).
struct WebSocketKey: Sendable, Equatable {
    let text: String

    /// A new one: 16 random bytes.
    init(_ random: inout any RandomNumberGenerator & Sendable) {
        let words = [random.next() as UInt64, random.next() as UInt64]
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) } }
        self.text = Base64.encode(bytes)
    }

    /// A client's; nil unless it is 16 bytes in Base64.
    init?(_ text: String) {
        guard Base64.decode(text[...])?.count == 16 else { return nil }
        self.text = text
    }

    /// What the answer has to be.
    var acceptance: String {
        Base64.encode(SHA1.digest(Array((self.text + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }
}
