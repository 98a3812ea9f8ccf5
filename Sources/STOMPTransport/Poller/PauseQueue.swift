// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Who pauses for a moment; a value that looks at no clock.
///
/// All pauses are equally long but for one thing: whoever has waited for half of that goes on together with one whose time
/// has come. So there are no more wakes than one for each half, however many pause, and none is cut shorter than that.
struct PauseQueue<Waiter: Sendable>: Sendable {
    static var length: Duration { .microseconds(100) }
    static var least: Duration { .microseconds(50) }

    /// The longest waiting first.
    private var waiters: [(since: Duration, waiter: Waiter)] = []

    /// - Returns: after which time to look, if nobody does that yet.
    mutating func append(_ waiter: Waiter, at now: Duration) -> Duration? {
        self.waiters.append((now, waiter))
        return self.waiters.count == 1 ? Self.length : nil
    }

    /// Takes out those who go on.
    ///
    /// - Returns: them, and after which time to look again, if others are left.
    mutating func takeDue(at now: Duration) -> (waiters: [Waiter], next: Duration?) {
        // A clock that was set back must hold nobody.
        let count = self.waiters.firstIndex { now >= $0.since && now - $0.since < Self.least } ?? self.waiters.count
        let due = self.waiters[..<count].map(\.waiter)
        self.waiters.removeFirst(count)
        return (due, self.waiters.first.map { $0.since + Self.length - now })
    }

    /// Takes out all.
    mutating func takeAll() -> [Waiter] {
        defer { self.waiters = [] }
        return self.waiters.map(\.waiter)
    }
}
