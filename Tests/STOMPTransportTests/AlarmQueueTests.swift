// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMPTransport

@Suite(.timeLimit(.minutes(10)))
struct AlarmQueueTests {
    @Test
    func `those whose time has come are taken out, the earliest first, each once`() {
        var queue = AlarmQueue<String>()
        #expect(queue.next == nil)
        for (ticket, second) in [5, 1, 4, 2, 3].enumerated() {
            queue.insert("\(second)", UInt64(ticket), until: .seconds(second))
        }
        #expect(queue.next == .seconds(1))
        #expect(queue.takeDue(at: .seconds(0)) == [])
        #expect(queue.takeDue(at: .seconds(3)) == ["1", "2", "3"])
        #expect(queue.takeDue(at: .seconds(3)) == [])
        #expect(queue.next == .seconds(4))
        #expect(queue.takeDue(at: .seconds(100)) == ["4", "5"])
        #expect(queue.count == 0)
        #expect(queue.deadlineCount == 0)
        #expect(queue.next == nil)
    }

    @Test
    func `whoever has left is nobody's to wake, and no reason to wake`() {
        var queue = AlarmQueue<String>()
        for second in 1...4 { queue.insert("\(second)", UInt64(second), until: .seconds(second)) }
        #expect(queue.remove(1) == "1")
        #expect(queue.remove(1) == nil)
        #expect(queue.next == .seconds(2))
        #expect(queue.remove(3) == "3")
        #expect(queue.takeDue(at: .seconds(2)) == ["2"])
        // Not the third, which is there no more.
        #expect(queue.next == .seconds(4))
        #expect(queue.remove(2) == nil)
        #expect(queue.remove(4) == "4")
        #expect(queue.next == nil)
        #expect(queue.deadlineCount == 0)
    }

    @Test
    func `many who come and leave early leave no more behind than others need`() {
        var queue = AlarmQueue<UInt64>()
        // So that none of those who leave is the first.
        queue.insert(0, 0, until: .seconds(1))
        for ticket in 1...10_000 as ClosedRange<UInt64> {
            queue.insert(ticket, ticket, until: .seconds(30 + Int(ticket % 7)))
            if ticket > 10 { #expect(queue.remove(ticket - 10) == ticket - 10) }
            #expect(queue.deadlineCount <= 2 * queue.count + 66)
        }
        #expect(queue.count == 11)
        #expect(queue.takeDue(at: .seconds(1_000)).count == 11)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `it does what a plain list does`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var queue = AlarmQueue<UInt64>()
        var list: [(ticket: UInt64, second: Int)] = []
        for ticket in 0..<2_000 as Range<UInt64> {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let second = Int.random(in: 0..<500, using: &random)
                queue.insert(ticket, ticket, until: .seconds(second))
                list.append((ticket, second))
            case 5..<9:
                // Not always one that is there.
                let leaver = UInt64.random(in: 0...ticket, using: &random)
                let isThere = list.contains { $0.ticket == leaver }
                #expect(queue.remove(leaver) == (isThere ? leaver : nil))
                list.removeAll { $0.ticket == leaver }
            default:
                let now = Int.random(in: 0..<100, using: &random)
                let due = queue.takeDue(at: .seconds(now))
                let seconds = due.map { ticket in list.first { $0.ticket == ticket }?.second ?? -1 }
                #expect(seconds == list.map(\.second).filter { $0 <= now }.sorted())
                list.removeAll { $0.second <= now }
            }
            #expect(queue.count == list.count)
            #expect(queue.next == list.map(\.second).min().map { Duration.seconds($0) })
        }
    }
}
