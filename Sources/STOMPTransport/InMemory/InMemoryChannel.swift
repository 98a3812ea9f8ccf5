// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// One direction of an in-memory pipe: a bounded ring of bytes with a writer and a reader.
final class InMemoryChannel: Sendable {
    private struct State {
        var ring = ByteRing()
        var isWriterClosed = false
        var isReaderClosed = false
        /// A write was turned away since the last read, so that the next read must signal.
        var isWriterStarved = false
    }

    let readable = Readiness()
    let writable = Readiness(isReady: true)
    private let capacity: Int
    private let state = Locked(State())

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Nil when this end has been closed.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome? {
        let mark = self.readable.mark
        let (outcome, hasMadeRoom) = self.state.withLock { state -> (ReadOutcome?, Bool) in
            guard !state.isReaderClosed else { return (nil, false) }
            guard !buffer.isEmpty else { return (.bytes(0), false) }
            guard state.ring.count > 0 else { return (state.isWriterClosed ? .endOfStream : .wouldBlock, false) }
            let count = state.ring.move(into: buffer)
            let wasStarved = state.isWriterStarved
            state.isWriterStarved = false
            return (.bytes(count), wasStarved)
        }
        if outcome == .wouldBlock {
            self.readable.exhausted(since: mark)
        }
        if hasMadeRoom {
            self.writable.signal()
        }
        return outcome
    }

    /// Nil when either end has been closed; 0 when full.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let mark = self.writable.mark
        let (count, wasEmpty) = self.state.withLock { state -> (Int?, Bool) in
            guard !state.isReaderClosed, !state.isWriterClosed else { return (nil, false) }
            let count = min(bytes.count, self.capacity - state.ring.count)
            guard count > 0 else {
                state.isWriterStarved = !bytes.isEmpty
                return (0, false)
            }
            let wasEmpty = state.ring.count == 0
            state.ring.append(UnsafeRawBufferPointer(rebasing: bytes[..<count]), limit: self.capacity)
            return (count, wasEmpty)
        }
        if count == 0, !bytes.isEmpty {
            self.writable.exhausted(since: mark)
        }
        if wasEmpty {
            self.readable.signal()
        }
        return count
    }

    var byteCount: Int {
        self.state.withLock { $0.isReaderClosed ? 0 : $0.ring.count }
    }

    /// The reader still gets what is buffered, then the end.
    func closeWriting() {
        self.state.withLock { $0.isWriterClosed = true }
        self.finish()
    }

    /// Forgets what is buffered.
    func closeReading() {
        self.state.withLock { state in
            state.isReaderClosed = true
            state.ring = ByteRing()
        }
        self.finish()
    }

    private func finish() {
        self.readable.finish()
        self.writable.finish()
    }
}
