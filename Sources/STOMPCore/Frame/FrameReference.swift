// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Where a frame lies in its chunk, and what the parser met on the way.
///
/// 32 bytes; the bytes stay in the chunk.
@frozen
@usableFromInline
package struct FrameReference: Sendable {
    /// What the command line says.
    @frozen
    @usableFromInline
    package enum Kind: UInt8, Sendable {
        case other
        case message
        case receipt
        case error
        case connected
    }

    /// Where the value of a header lies.
    @frozen
    @usableFromInline
    package struct Place: Equatable, Sendable {
        /// From the frame's start; 0: the header was not seen, or is too far away to be noted.
        @usableFromInline
        package var offset: UInt16 = 0
        /// With a CR that may end it.
        @usableFromInline
        package var byteCount: UInt16 = 0

        @inlinable
        package init() {}

        @inlinable
        package var isNoted: Bool { self.offset > 0 }

        /// The first header of a name counts.
        @inline(__always)
        mutating func noteFirst(from start: Int, to end: Int) {
            let limit = Int(UInt16.max)
            guard !self.isNoted, start <= limit, end &- start <= limit else { return }
            self.offset = UInt16(truncatingIfNeeded: start)
            self.byteCount = UInt16(truncatingIfNeeded: end &- start)
        }
    }

    /// Offset of the command in the chunk.
    @usableFromInline
    package var start: UInt32 = 0
    /// Offset of the body in the chunk.
    @usableFromInline
    package var bodyStart: UInt32 = 0
    @usableFromInline
    package var bodyByteCount: UInt32 = 0
    /// The first `subscription` value, if it is a number such as those that we make as ids; 0: it is none.
    @usableFromInline
    package var subscriptionNumber: UInt32 = 0
    /// The first values of these headers.
    @usableFromInline
    package var subscription = Place()
    @usableFromInline
    package var messageID = Place()
    @usableFromInline
    package var ack = Place()
    @usableFromInline
    package var kind = Kind.other

    @inlinable
    package init() {}

    /// Of a RECEIPT, `receipt-id` stands in the place of `message-id`.
    @inlinable
    package var receiptID: Place { self.kind == .receipt ? self.messageID : Place() }

    /// The bytes from the command to the NUL.
    @inlinable
    package var byteCount: Int {
        Int(self.bodyStart - self.start) + Int(self.bodyByteCount) + 1
    }
}

extension FrameReference {
    /// The raw value at a place that the parser has noted, in the chunk that begins at `base`.
    @inlinable
    @inline(__always)
    package func rawValue(at place: Place, from base: UnsafeRawPointer, strippingCR: Bool) -> UnsafeRawBufferPointer {
        let start = base + Int(self.start) + Int(place.offset)
        var count = Int(place.byteCount)
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
