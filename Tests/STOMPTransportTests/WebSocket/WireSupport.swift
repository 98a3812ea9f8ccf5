// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

/// Bytes in hexadecimal, with spaces where they please.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.map { $0.hexDigitValue! }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Always the same number: keys and masks that a test knows.
struct FixedNumber: RandomNumberGenerator, Sendable {
    var value: UInt64

    func next() -> UInt64 { self.value }

    /// The mask 37 fa 21 3d of the examples in RFC 6455.
    static let mask = FixedNumber(value: 0x3D21_FA37_3D21_FA37)
}

/// One frame, made by hand: nothing of the encoder is behind it.
func frame(
    _ opcode: UInt8,
    _ payload: [UInt8] = [],
    final: Bool = true,
    mask: [UInt8]? = nil
) -> [UInt8] {
    var bytes: [UInt8] = [opcode | (final ? 0x80 : 0)]
    let bit: UInt8 = mask == nil ? 0 : 0x80
    if payload.count < 126 {
        bytes.append(bit | UInt8(payload.count))
    } else if payload.count < 65_536 {
        bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    } else {
        bytes += [bit | 127, 0, 0, 0, 0] + (0..<4).map { UInt8(payload.count >> (24 - 8 * $0) & 255) }
    }
    guard let mask else { return bytes + payload }
    return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
}

/// What came out of a decoder, and how it ended.
struct Decoded: Equatable {
    var payload: [UInt8] = []
    var pings: [[UInt8]] = []
    var end: WebSocketDecoder.End?
    var isBetweenMessages = true

    /// Feeds a decoder with the pieces that cuts at these places make.
    static func decode(
        _ bytes: [UInt8],
        cuts: [Int] = [],
        sender: WebSocketRole = .server,
        limit: Int = 1 << 20,
        strict: Bool = false
    ) -> Decoded {
        var decoder = WebSocketDecoder(sender: sender, messageLimit: limit, checksText: strict)
        var result = Decoded()
        var start = 0
        for cut in cuts + [bytes.count] {
            var piece = Array(bytes[start..<cut])
            let count = piece.withUnsafeMutableBytes { decoder.decode($0) }
            result.payload += piece[..<count]
            if let ping = decoder.takePing() { result.pings.append(ping) }
            start = cut
        }
        result.end = decoder.end
        result.isBetweenMessages = decoder.isBetweenMessages
        return result
    }
}
