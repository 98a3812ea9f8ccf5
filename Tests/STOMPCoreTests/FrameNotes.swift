// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// What the parser notes of a frame, apart from where it lies.
struct FrameNotes: Equatable {
    let kind: FrameReference.Kind
    let subscription: FrameReference.Place
    let subscriptionNumber: UInt32
    let messageID: FrameReference.Place
    let ack: FrameReference.Place
    let headerByteCount: UInt32
    let bodyByteCount: UInt32
    let bytes: [UInt8]

    init(_ frame: FrameReference, in chunk: ByteChunk) {
        self.kind = frame.kind
        self.subscription = frame.subscription
        self.subscriptionNumber = frame.subscriptionNumber
        self.messageID = frame.messageID
        self.ack = frame.ack
        self.headerByteCount = frame.bodyStart - frame.start
        self.bodyByteCount = frame.bodyByteCount
        let start = UnsafeRawPointer(chunk.base) + Int(frame.start)
        self.bytes = Array(UnsafeRawBufferPointer(start: start, count: frame.byteCount))
    }

    /// The notes of all frames that come before a failure or the end.
    static func all(in bytes: [UInt8], version: STOMPVersion = .v12, leniency: STOMPLeniency = .lenient) -> [Self] {
        var parser = FrameParser(version: version, leniency: leniency)
        var position = 0
        var notes: [Self] = []
        while position < bytes.count {
            let room = parser.freeSpace()
            let size = min(room.count, bytes.count - position)
            bytes[position..<position + size].withUnsafeBytes { room.copyMemory(from: $0) }
            parser.received(size)
            position += size
            do throws(STOMPError) {
                while let frame = try parser.next() { notes.append(Self(frame, in: parser.chunk)) }
            } catch {
                return notes
            }
        }
        return notes
    }

    /// What a parser notes that has seen nothing before this frame.
    func alone(version: STOMPVersion, leniency: STOMPLeniency) -> FrameNotes? {
        Self.all(in: self.bytes, version: version, leniency: leniency).first
    }
}

extension HeaderBlock {
    /// The raw value at a place that the parser has noted.
    func rawValue(at place: FrameReference.Place) -> UnsafeRawBufferPointer {
        FrameReference().rawValue(at: place, from: self.base, strippingCR: self.rules.stripsCarriageReturn)
    }
}
