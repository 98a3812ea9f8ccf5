// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// What a WebSocket has to write: whole frames, in one order.
///
/// A frame that was begun is written to its end before anything else, and the bytes in it count as taken when they are
/// with the lower layer. So whoever writes has to come again with the same bytes, as ``ByteTransport/write(_:)`` wants.
struct WebSocketOutgoing: ~Copyable {
    /// So much is encoded at once: a few messages for one call to the system.
    private static let batchSize = 128 * 1024

    private var encoder: WebSocketEncoder
    /// Frames, of which the first bytes may have been written.
    private var frames = OutputBuffer()
    private var position = 0
    /// So many of the writer's bytes are in `frames`.
    private var begunCount = 0
    /// So many are with the lower layer, and the writer was not told yet that they are taken.
    private var doneCount = 0
    /// Of several that were not sent yet the last, so that a flood of Pings makes no flood of these.
    private var pong: [UInt8]?
    private var close: WebSocketClose?
    /// Nothing follows a Close.
    private(set) var isClosing = false

    init(encoder: WebSocketEncoder) {
        self.encoder = encoder
    }

    /// Whether an answer waits for room, and no writer will come back for it.
    var hasAnswer: Bool {
        self.pong != nil || self.close != nil || (self.begunCount == 0 && !self.frames.isEmpty)
    }

    /// Whether a writer that had to wait will be told something.
    var hasProgress: Bool { self.doneCount > 0 }

    /// How much memory its frames are.
    var waitingByteCount: Int { self.frames.count + (self.pong?.count ?? 0) }

    mutating func answer(ping: [UInt8]?, close: WebSocketClose?) {
        guard !self.isClosing else { return }
        if let ping { self.pong = ping }
        guard let close else { return }
        self.close = close
        self.isClosing = true
    }

    /// Writes as many of the bytes as the lower layer takes.
    mutating func write(
        _ bytes: UnsafeRawBufferPointer,
        to lower: any ByteTransport
    ) throws(TransportError) -> Int {
        _ = try self.flush(lower)
        guard self.begunCount == 0 else { return 0 }
        var taken = min(self.doneCount, bytes.count)
        self.doneCount -= taken
        guard self.doneCount == 0 else { return taken }
        // What is there now is an answer that waits for room.
        while taken < bytes.count, self.frames.isEmpty {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[taken...])
            self.begunCount = try self.encoder.append(rest, limit: Self.batchSize, to: &self.frames)
            _ = try self.flush(lower)
            taken += self.doneCount
            self.doneCount = 0
        }
        return taken
    }

    /// Writes what waits.
    ///
    /// - Returns: whether all of it is with the lower layer.
    mutating func flush(_ lower: any ByteTransport) throws(TransportError) -> Bool {
        while true {
            if self.position < self.frames.count {
                self.position += try lower.write(UnsafeRawBufferPointer(rebasing: self.frames.bytes[self.position...]))
                guard self.position == self.frames.count else { return false }
                self.doneCount += self.begunCount
                self.begunCount = 0
            }
            // A stream that has only beats to say keeps no large buffer.
            self.frames.removeAll(keepingCapacityUpTo: self.position < 1_024 ? 4_096 : 2 * Self.batchSize)
            self.position = 0
            if let pong = self.pong {
                self.pong = nil
                self.append(.pong, pong)
            } else if let close = self.close {
                self.close = nil
                self.append(.close, close.payload)
            } else {
                return true
            }
        }
    }

    private mutating func append(_ opcode: WebSocketFrameHeader.Opcode, _ payload: [UInt8]) {
        payload.withUnsafeBytes { self.encoder.append(opcode, $0, to: &self.frames) }
    }
}
