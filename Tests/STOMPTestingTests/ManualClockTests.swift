// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Synchronization
import Testing

@Suite struct ManualClockTests {
    private final class Woken: Sendable {
        let list = Mutex<[Int]>([])
    }

    @Test func `it stands still until it is moved`() {
        let clock = ManualClock()
        #expect(clock.now.offset == .zero)
        clock.advance(by: .seconds(2))
        #expect(clock.now.offset == .seconds(2))
        clock.advance(to: .init(offset: .seconds(1)))
        #expect(clock.now.offset == .seconds(2))
    }

    @Test func `a sleep until now or before returns at once`() async throws {
        let clock = ManualClock()
        try await clock.sleep(until: clock.now)
        try await clock.sleep(for: .seconds(-1))
        #expect(clock.sleeperCount == 0)
    }

    @Test func `a sleep ends when its deadline has come and not before`() async throws {
        let clock = ManualClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await clock.sleep(for: .seconds(10)) }
            try await clock.waitForSleepers(1)
            #expect(clock.nextDeadline?.offset == .seconds(10))
            clock.advance(by: .seconds(9))
            #expect(clock.sleeperCount == 1)
            clock.advance(by: .seconds(1))
            #expect(clock.sleeperCount == 0)
            try await group.waitForAll()
        }
    }

    @Test func `sleepers are woken in the order of their deadlines`() async throws {
        let clock = ManualClock()
        let woken = Woken()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for seconds in [3, 1, 2] {
                group.addTask {
                    try await clock.sleep(for: .seconds(seconds))
                    woken.list.withLock { $0.append(seconds) }
                }
            }
            try await clock.waitForSleepers(3)
            for expected in [[1], [1, 2], [1, 2, 3]] {
                clock.advance(by: .seconds(1))
                try await group.next()
                #expect(woken.list.withLock { $0 } == expected)
            }
        }
    }

    @Test func `a cancelled sleep ends promptly and is forgotten`() async throws {
        let clock = ManualClock()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    try await clock.sleep(for: .seconds(1))
                    return false
                } catch {
                    return error is CancellationError
                }
            }
            try? await clock.waitForSleepers(1)
            group.cancelAll()
            #expect(clock.sleeperCount == 0)
            #expect(await group.next() == true)
        }
    }

    @Test func `a task that is cancelled already does not sleep`() async {
        let clock = ManualClock()
        await withTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask { #expect(throws: CancellationError.self) { try Task.checkCancellation() } }
            group.addTask { await #expect(throws: CancellationError.self) { try await clock.sleep(for: .seconds(1)) } }
            await group.waitForAll()
        }
    }

    @Test func `waiting for sleepers returns at once when they are there and can be cancelled`() async throws {
        let clock = ManualClock()
        try await clock.waitForSleepers(0)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await #expect(throws: (any Error).self) { try await clock.waitForSleepers(1) } }
            group.cancelAll()
        }
    }

    @Test func `many tasks sleep and are woken together`() async throws {
        let clock = ManualClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask {
                    for _ in 0..<5 { try await clock.sleep(for: .milliseconds(index % 7 + 1)) }
                }
            }
            for _ in 0..<5 {
                try await clock.waitForSleepers(200)
                clock.advance(by: .milliseconds(7))
            }
            try await group.waitForAll()
        }
        #expect(clock.sleeperCount == 0)
    }
}
