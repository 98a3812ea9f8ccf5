// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CScan

/// Where a frame lies in its chunk, and what the parser met on the way.
///
/// 24 bytes; the bytes stay in the chunk.
@usableFromInline
package struct FrameReference: Sendable {
    /// What the command line says.
    package enum Kind: UInt8, Sendable {
        case other
        case message
        case receipt
        case error
        case connected
    }

    /// Offset of the command in the chunk.
    package var start: UInt32
    /// Offset of the body in the chunk.
    package var bodyStart: UInt32
    @usableFromInline
    package var bodyByteCount: UInt32
    /// The first `subscription` value, if it is a number such as those that we make as ids; 0: it is none.
    package var subscriptionNumber: UInt32
    /// Offsets from `start` to the first value of these headers; 0: not seen, or too far to be noted.
    package var subscription: UInt16
    package var messageID: UInt16
    package var ack: UInt16
    package var kind: Kind

    /// Of a RECEIPT, `receipt-id` stands in the place of `message-id`.
    package var receiptID: UInt16 { self.kind == .receipt ? self.messageID : 0 }

    static var none: FrameReference {
        FrameReference(
            start: 0,
            bodyStart: 0,
            bodyByteCount: 0,
            subscriptionNumber: 0,
            subscription: 0,
            messageID: 0,
            ack: 0,
            kind: .other
        )
    }

    /// The bytes from the command to the NUL.
    package var byteCount: Int {
        Int(self.bodyStart - self.start) + Int(self.bodyByteCount) + 1
    }
}

extension FrameReference {
    /// The raw value of a header that begins at this offset of the frame, which the parser has noted, in the chunk that
    /// begins at `base`.
    package func rawValue(at offset: UInt16, from base: UnsafeRawPointer, strippingCR: Bool) -> UnsafeRawBufferPointer {
        let start = base + Int(self.start) + Int(offset)
        let room = Int(self.bodyStart - self.start) - Int(offset)
        // The chunk is padded, so that this may read past its end; most values end in these 64 bytes.
        let lineFeeds = stomp_scan64(start).line_feeds
        var count = lineFeeds.trailingZeroBitCount
        if lineFeeds == 0 {
            // The headers end with a line feed.
            count = stomp_find(start, UInt8(ascii: "\n"), room).map { UnsafeRawPointer($0) - start } ?? room
        }
        if strippingCR, count > 0, start.load(fromByteOffset: count - 1, as: UInt8.self) == UInt8(ascii: "\r") {
            count -= 1
        }
        return UnsafeRawBufferPointer(start: start, count: count)
    }
}

extension ByteChunk {
    /// The frame's first line and headers, blank line included.
    package func headerBlock(of frame: FrameReference, rules: HeaderRules) -> HeaderBlock {
        HeaderBlock(
            base: UnsafeRawPointer(self.base) + Int(frame.start),
            byteCount: Int(frame.bodyStart - frame.start),
            rules: rules
        )
    }

    package func body(of frame: FrameReference) -> UnsafeRawBufferPointer {
        let base = UnsafeRawPointer(self.base) + Int(frame.bodyStart)
        return UnsafeRawBufferPointer(start: base, count: Int(frame.bodyByteCount))
    }

    /// The whole frame, copied and decoded.
    package func decoded(_ frame: FrameReference, version: STOMPVersion, leniency: STOMPLeniency) -> STOMPFrame {
        var rules = HeaderRules(version: version, leniency: leniency)
        let command = self.headerBlock(of: frame, rules: rules).command
        rules.isHandshake = command.isHandshake
        let headers = self.headerBlock(of: frame, rules: rules).decoded()
        return STOMPFrame(command, headers: headers, body: Array(self.body(of: frame)))
    }
}
