// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A frame that waits for room in the outbox, and the call that waits with it.
struct RoomWaiter: Sendable {
    /// What became of the frame once there was room.
    struct Appended: Sendable {
        /// Its receipt, and until when that is waited for.
        var receipt: (id: UInt64, deadline: Duration)?
    }

    /// Appends the frame; called under the outbox's lock, by whoever has made room.
    typealias Append = @Sendable (_ state: inout Outbox.State, _ now: Duration) throws(STOMPError) -> Appended

    let append: Append
    let deadline: Duration
    /// Resolved by whoever takes this out of the queue, and by nobody else.
    let outcome: OneShot<Appended>
}

/// The frames that wait for room, in the order in which they came; each operation costs the same however many wait.
struct RoomQueue: Sendable {
    private var waiters: [UInt64: RoomWaiter] = [:]
    /// No waiter has a lower ticket.
    private var first: UInt64 = 0
    private var next: UInt64 = 0
    private var lastDeadline: Duration = .zero

    var isEmpty: Bool { self.waiters.isEmpty }
    var count: Int { self.waiters.count }

    /// - Returns: a ticket to leave the queue with.
    mutating func enqueue(
        _ append: @escaping RoomWaiter.Append,
        until deadline: Duration,
        _ outcome: OneShot<RoomWaiter.Appended>
    ) -> UInt64 {
        // All wait equally long, so who came earlier gives up earlier; clocks read outside the lock may differ a little.
        self.lastDeadline = self.waiters.isEmpty ? deadline : max(deadline, self.lastDeadline)
        self.waiters[self.next] = RoomWaiter(append: append, deadline: self.lastDeadline, outcome: outcome)
        self.next += 1
        return self.next - 1
    }

    /// The one that has waited longest.
    var front: RoomWaiter? {
        mutating get {
            guard !self.waiters.isEmpty else { return nil }
            while true {
                if let waiter = self.waiters[self.first] { return waiter }
                self.first += 1
            }
        }
    }

    mutating func removeFront() -> RoomWaiter? {
        guard self.front != nil else { return nil }
        return self.waiters.removeValue(forKey: self.first)
    }

    /// - Returns: `nil` if somebody else has taken it out.
    mutating func remove(_ ticket: UInt64) -> RoomWaiter? {
        self.waiters.removeValue(forKey: ticket)
    }

    /// Takes out those whose deadline has come.
    mutating func removeExpired(at now: Duration) -> [RoomWaiter] {
        var expired: [RoomWaiter] = []
        while let front = self.front, front.deadline <= now, let waiter = self.removeFront() { expired.append(waiter) }
        return expired
    }

    mutating func removeAll() -> [RoomWaiter] {
        var all: [RoomWaiter] = []
        all.reserveCapacity(self.count)
        while let waiter = self.removeFront() { all.append(waiter) }
        return all
    }
}
