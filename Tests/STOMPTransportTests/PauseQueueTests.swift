// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite(.timeLimit(.minutes(10)))
struct PauseQueueTests {
    private static func microseconds(_ count: Int) -> Duration { .microseconds(count) }

    @Test
    func `one alone waits for all of it`() {
        var queue = PauseQueue<Int>()
        #expect(queue.append(1, at: Self.microseconds(7)) == PauseQueue<Int>.length)
        let early = queue.takeDue(at: Self.microseconds(7 + 49))
        #expect(early.waiters.isEmpty && early.next == Self.microseconds(51))
        let due = queue.takeDue(at: Self.microseconds(107))
        #expect(due.waiters == [1] && due.next == nil)
    }

    @Test
    func `those who have waited for half of it go along, the others stay`() {
        var queue = PauseQueue<Int>()
        #expect(queue.append(1, at: .zero) == PauseQueue<Int>.length)
        // The timer is set.
        #expect(queue.append(2, at: Self.microseconds(50)) == nil)
        #expect(queue.append(3, at: Self.microseconds(51)) == nil)
        let first = queue.takeDue(at: Self.microseconds(100))
        #expect(first.waiters == [1, 2] && first.next == Self.microseconds(51))
        let second = queue.takeDue(at: Self.microseconds(151))
        #expect(second.waiters == [3] && second.next == nil)
        #expect(queue.append(4, at: Self.microseconds(151)) == PauseQueue<Int>.length)
    }

    @Test
    func `a clock that was set back holds nobody`() {
        var queue = PauseQueue<Int>()
        _ = queue.append(1, at: .seconds(5))
        let due = queue.takeDue(at: .seconds(3))
        #expect(due.waiters == [1] && due.next == nil)
    }

    @Test
    func `however many pause one after the other, they wake twice in the time of one`() {
        var queue = PauseQueue<Int>()
        var alarm: Duration?
        var (wakes, done) = (0, 0)
        for time in 0..<10_000 {
            let now = Self.microseconds(time)
            if let next = queue.append(time, at: now) { alarm = now + next }
            guard let due = alarm, due <= now else { continue }
            let (waiters, next) = queue.takeDue(at: now)
            for waiter in waiters { #expect(time - waiter >= 50 && time - waiter <= 100) }
            (wakes, done, alarm) = (wakes + 1, done + waiters.count, next.map { now + $0 })
        }
        #expect(wakes <= 200)
        #expect(done + queue.takeAll().count == 10_000)
        #expect(queue.takeAll().isEmpty)
    }
}
