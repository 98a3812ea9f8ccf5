// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Which attempt of a race starts when (RFC 8305, section 5): the next one when a delay has passed since the last one
/// started, and at once when one fails.
struct RaceSchedule {
    /// The connection attempt delay that the RFC recommends.
    static let delay: Duration = .milliseconds(250)

    /// How many there are to start.
    let count: Int
    /// How many have been started.
    private(set) var startedCount = 0
    private var failedCount = 0

    init(count: Int) {
        self.count = count
    }

    /// Whether there is one more to start.
    var hasNext: Bool { self.startedCount < self.count }

    /// Whether all have failed.
    var isLost: Bool { self.failedCount == self.count }

    /// The next one to start, now.
    mutating func start() -> Int? {
        guard self.hasNext else { return nil }
        defer { self.startedCount += 1 }
        return self.startedCount
    }

    /// One has failed: the next one to start, now.
    mutating func fail() -> Int? {
        self.failedCount += 1
        return self.start()
    }

    /// The delay after the start of one is over: the next one to start, now.
    mutating func delayIsOver(after attempt: Int) -> Int? {
        // Another one has failed meanwhile: the next was started then, and the delay counts from there.
        guard attempt == self.startedCount - 1 else { return nil }
        return self.start()
    }
}
