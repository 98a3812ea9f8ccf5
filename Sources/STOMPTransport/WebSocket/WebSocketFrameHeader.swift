// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Which end of a WebSocket this is.
package enum WebSocketRole: Sendable {
    /// Masks what it sends.
    case client
    /// Masks nothing.
    case server
}

/// What stands before the payload of a frame (RFC 6455, section 5.2).
struct WebSocketFrameHeader: Equatable {
    enum Opcode: UInt8, Sendable {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { self.rawValue >= 8 }
    }

    var opcode: Opcode
    var isFinal = true
    var mask: WebSocketMask?
    var length: Int

    static let longest = 14
    static let controlLimit = 125

    /// The bytes as they are sent.
    var bytes: [UInt8] {
        var bytes = [self.opcode.rawValue | (self.isFinal ? 0x80 : 0)]
        let maskBit: UInt8 = self.mask == nil ? 0 : 0x80
        switch self.length {
        case ...125:
            bytes.append(maskBit | UInt8(self.length))
        case ...0xFFFF:
            bytes += [maskBit | 126, UInt8(self.length >> 8), UInt8(self.length & 0xFF)]
        default:
            bytes.append(maskBit | 127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: self.length >> shift))
            }
        }
        if let mask = self.mask { bytes += mask.bytes }
        return bytes
    }

    /// Reads a header that the other end has sent, and tells how many bytes it has; nil: more are needed.
    ///
    /// What is wrong is told as soon as it is there.
    static func parse(
        _ bytes: UnsafeRawBufferPointer,
        sentBy sender: WebSocketRole
    ) throws(WebSocketViolation) -> (header: WebSocketFrameHeader, byteCount: Int)? {
        guard let first = bytes.first else { return nil }
        guard first & 0x70 == 0 else {
            throw WebSocketViolation(.reservedBits, "a frame with reserved bits set, and no extension was agreed on")
        }
        guard let opcode = Opcode(rawValue: first & 0x0F) else {
            throw WebSocketViolation(.unknownOpcode, "a frame with the unknown opcode \(first & 0x0F)")
        }
        let isFinal = first & 0x80 != 0
        guard isFinal || !opcode.isControl else {
            throw WebSocketViolation(.controlFrameFragmented, "a fragmented control frame")
        }
        guard bytes.count > 1 else { return nil }
        let isMasked = bytes[1] & 0x80 != 0
        guard isMasked == (sender == .client) else {
            let reason = isMasked ? "a masked frame, though it is the server" : "a frame that is not masked"
            throw WebSocketViolation(.wrongMasking, reason)
        }
        let short = Int(bytes[1] & 0x7F)
        guard short <= Self.controlLimit || !opcode.isControl else {
            throw WebSocketViolation(.controlFrameTooLong, "a control frame of more than 125 bytes")
        }
        let lengthCount = short == 127 ? 8 : short == 126 ? 2 : 0
        guard bytes.count >= 2 + lengthCount else { return nil }
        let length = try self.length(short, UnsafeRawBufferPointer(rebasing: bytes[2..<2 + lengthCount]))
        let byteCount = 2 + lengthCount + (isMasked ? 4 : 0)
        guard bytes.count >= byteCount else { return nil }
        let mask = isMasked ? WebSocketMask(bytes[(byteCount - 4)..<byteCount]) : nil
        return (WebSocketFrameHeader(opcode: opcode, isFinal: isFinal, mask: mask, length: length), byteCount)
    }

    private static func length(
        _ short: Int,
        _ bytes: UnsafeRawBufferPointer
    ) throws(WebSocketViolation) -> Int {
        guard short > 125 else { return short }
        let long = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let length = Int(exactly: long) else {
            throw WebSocketViolation(.lengthTooLarge, "a frame with a length of more than 63 bits")
        }
        guard length > (short == 126 ? 125 : 0xFFFF) else {
            throw WebSocketViolation(.lengthNotMinimal, "a frame whose length is not in its shortest form")
        }
        return length
    }
}
