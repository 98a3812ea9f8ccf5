// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// How much the reader reads before others have their turn, and how it waits when the socket has no more.
///
/// A value without I/O.
struct ReadPace {
    /// What is read while more is to come is handed over together, until it is so many bytes: a consumer that is as fast
    /// as the reader is woken for each handing over, which costs more than the reading.
    static let bytesPerTurn = 512 * 1024
    /// However little they bring: others want the actor.
    static let readsPerTurn = 16
    /// Whoever has brought so much without a wait in between is likely to go on, faster than it is read.
    static let bytesBeforePause = 256 * 1024
    /// Each pause must bring so much to be followed by another one.
    static let bytesPerPause = 64 * 1024

    private var byteCount = 0
    private var readCount = 0
    private var bytesSinceWait = 0
    /// Whether a read was full since it last rested for long: then the reader writes too.
    private(set) var isAtWork = false

    /// A read has brought so much.
    ///
    /// - Returns: whether the work has begun by it.
    mutating func noteRead(_ byteCount: Int, isFull: Bool) -> Bool {
        self.byteCount += byteCount
        self.readCount += 1
        self.bytesSinceWait += byteCount
        guard isFull, !self.isAtWork else { return false }
        self.isAtWork = true
        return true
    }

    /// Whether this turn has read as much as one may.
    var isTurnOver: Bool {
        self.byteCount >= Self.bytesPerTurn || self.readCount >= Self.readsPerTurn
    }

    /// What was read has been handed over.
    mutating func endTurn() {
        self.byteCount = 0
        self.readCount = 0
    }

    /// The reader rests for long.
    ///
    /// - Returns: whether it was at work.
    mutating func endWork() -> Bool {
        defer { self.isAtWork = false }
        return self.isAtWork
    }

    /// The socket has no more: returns whether to look again after a short pause, rather than to wait for the next byte.
    ///
    /// Whoever waits is woken for it, also when much more comes right behind. With frames of 64 KiB each wake took more
    /// than the reading of two frames, and slowed the sender down, who is the one that wakes.
    mutating func takePause(hasLargeFrames: Bool) -> Bool {
        guard hasLargeFrames, self.bytesSinceWait >= Self.bytesBeforePause else { return false }
        self.bytesSinceWait = Self.bytesBeforePause - Self.bytesPerPause
        return true
    }

    /// The reader waits for the next byte, or for room.
    mutating func noteWait() {
        self.bytesSinceWait = 0
    }
}
