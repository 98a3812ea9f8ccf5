// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Who is to be woken at which time; a value that looks at no clock.
///
/// A heap of deadlines beside a table of sleepers. Who leaves early leaves only the table: the deadline stays in the heap
/// until it is the first, or until most are such; so leaving costs as little as coming, however many sleep.
struct AlarmQueue<Sleeper: Sendable>: Sendable {
    private struct Deadline: Sendable {
        let time: Duration
        let ticket: UInt64
    }

    /// Each is no later than the two at twice its place, plus one and plus two.
    private var heap: [Deadline] = []
    private var sleepers: [UInt64: Sleeper] = [:]

    /// Beyond the sleepers' own, so many deadlines may stay.
    private static var slack: Int { 64 }

    /// How many sleep.
    var count: Int { self.sleepers.count }

    /// How many deadlines are kept for them, and for those who have left.
    var deadlineCount: Int { self.heap.count }

    /// The earliest deadline of a sleeper.
    var next: Duration? { self.heap.first?.time }

    /// The ticket is nobody else's, ever.
    mutating func insert(_ sleeper: Sleeper, _ ticket: UInt64, until time: Duration) {
        self.sleepers[ticket] = sleeper
        self.heap.append(Deadline(time: time, ticket: ticket))
        self.moveUp(self.heap.count - 1)
    }

    /// - Returns: nil for one that is not there, or not any more.
    mutating func remove(_ ticket: UInt64) -> Sleeper? {
        guard let sleeper = self.sleepers.removeValue(forKey: ticket) else { return nil }
        if self.heap.count > 2 * self.sleepers.count + Self.slack {
            self.heap.removeAll { self.sleepers[$0.ticket] == nil }
            for index in stride(from: self.heap.count / 2 - 1, through: 0, by: -1) { self.moveDown(index) }
        }
        self.dropThoseWhoLeft()
        return sleeper
    }

    /// Takes out those whose time has come, the earliest first.
    mutating func takeDue(at now: Duration) -> [Sleeper] {
        var due: [Sleeper] = []
        while let first = self.heap.first, first.time <= now {
            self.removeFirst()
            if let sleeper = self.sleepers.removeValue(forKey: first.ticket) { due.append(sleeper) }
        }
        self.dropThoseWhoLeft()
        return due
    }

    // MARK: - The heap

    /// So that the first deadline is somebody's.
    private mutating func dropThoseWhoLeft() {
        while let first = self.heap.first, self.sleepers[first.ticket] == nil { self.removeFirst() }
    }

    private mutating func removeFirst() {
        self.heap.swapAt(0, self.heap.count - 1)
        self.heap.removeLast()
        self.moveDown(0)
    }

    private mutating func moveUp(_ index: Int) {
        var index = index
        while index > 0, case let parent = (index - 1) / 2, self.heap[index].time < self.heap[parent].time {
            self.heap.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func moveDown(_ index: Int) {
        var index = index
        while case var child = 2 * index + 1, child < self.heap.count {
            if child + 1 < self.heap.count, self.heap[child + 1].time < self.heap[child].time { child += 1 }
            guard self.heap[child].time < self.heap[index].time else { return }
            self.heap.swapAt(index, child)
            index = child
        }
    }
}
