// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Whether messages are sent as text or as binary ones.
package enum WebSocketFrameKind: Sendable, Hashable {
    case binary
    case text
}

/// Makes frames of bytes: each message is one frame.
struct WebSocketEncoder {
    private let role: WebSocketRole
    private let kind: WebSocketFrameKind
    private let messageSize: Int
    private var masks: WebSocketMaskSource

    init(
        role: WebSocketRole,
        kind: WebSocketFrameKind,
        messageSize: Int,
        random: any RandomNumberGenerator & Sendable
    ) {
        self.role = role
        self.kind = kind
        // A message of text takes one character at least.
        self.messageSize = max(messageSize, 4)
        self.masks = WebSocketMaskSource(random)
    }

    /// Appends messages with the first of `bytes`, about `limit` of them.
    ///
    /// - Returns: how many bytes they carry.
    /// - Throws: that they cannot be sent as text; then nothing was appended. A server sends them as binary instead.
    mutating func append(
        _ bytes: UnsafeRawBufferPointer,
        limit: Int,
        to output: inout OutputBuffer
    ) throws(TransportError) -> Int {
        let checkpoint = output.count
        var position = 0
        while position < bytes.count, position < limit {
            var end = min(bytes.count, position + self.messageSize)
            if self.kind == .text, end < bytes.count { end = Self.characterStart(bytes, before: end) }
            let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
            var opcode = WebSocketFrameHeader.Opcode.binary
            if self.kind == .text {
                if UTF8Checker.isValid(piece) {
                    opcode = .text
                } else if self.role == .client {
                    output.truncate(to: checkpoint)
                    throw TransportError(
                        kind: .unsendable,
                        message: "What is not UTF-8 cannot be sent in WebSocket frames of text; send binary ones."
                    )
                }
            }
            self.append(opcode, piece, to: &output)
            position = end
        }
        return position
    }

    /// Appends one frame.
    mutating func append(
        _ opcode: WebSocketFrameHeader.Opcode,
        _ payload: UnsafeRawBufferPointer,
        to output: inout OutputBuffer
    ) {
        let mask = self.role == .client ? self.masks.next() : nil
        let header = WebSocketFrameHeader(opcode: opcode, mask: mask, length: payload.count)
        header.bytes.withUnsafeBytes { output.append($0, payload, "") }
        guard let mask else { return }
        // Room for no more gives where the bytes are.
        let start = output.reserve(0) + (output.count - payload.count)
        mask.apply(to: UnsafeMutableRawBufferPointer(start: start, count: payload.count), offset: 0)
    }

    /// Where the character starts that `index` is within; `index` if it is at the start of one.
    private static func characterStart(_ bytes: UnsafeRawBufferPointer, before index: Int) -> Int {
        // What is no character at all is found when it is checked.
        (0..<4).lazy.map { index - $0 }.first { bytes[$0] & 0xC0 != 0x80 } ?? index
    }
}
