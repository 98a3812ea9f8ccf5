// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// While there is much to read, the reader writes too: after each turn, what others have appended.
///
/// The system lets one thread at a time use a socket, and puts a second one to sleep; and to wake the writer for the
/// acks of each turn costs more than they do (receiving and acknowledging 16 bytes each took a sixth less CPU).
extension Outbox {
    /// As long as nobody is to write less than this, though the reader is at work.
    static let readerThreshold = 4 * Outbox.flushThreshold

    /// There is more to read than one read takes.
    func beginReading() {
        self.state.withLock { $0.isReaderAtWork = true }
    }

    /// After a turn of the reader.
    func endTurn() {
        if self.state.withLock({ Self.hasPending($0) }) { self.flush() }
    }

    /// The reader is about to wait: others see to the writing again.
    func endReading() {
        let hasPending = self.state.withLock { state in
            state.isReaderAtWork = false
            return Self.hasPending(state)
        }
        if hasPending { self.flush() }
    }

    /// Writes what waits, unless the reader is about to.
    func flushUnlessReading() {
        if !self.state.withLock({ $0.isReaderAtWork }) { self.flush() }
    }

    private static func hasPending(_ state: borrowing State) -> Bool {
        !state.isFlushing && state.inFlightCount == 0 && !state.pending.isEmpty
    }
}
