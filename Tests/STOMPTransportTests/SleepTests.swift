// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite(.timeLimit(.minutes(10)))
struct SleepTests {
    private static let later = Duration.seconds(1_000_000)

    @Test
    func `a time that has passed is no reason to sleep`() async {
        let thread = IOThread()
        #expect(await thread.sleep(until: IOThread.now))
        #expect(await thread.sleep(until: IOThread.now + .seconds(-1_000_000_000)))
        #expect(thread.sleeperCount == 0)
    }

    @Test
    func `nobody is woken early, and everybody is woken`() async {
        let thread = IOThread()
        let early = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<1_000 {
                // Half of them on the thread that is to wake them.
                group.addTask(executorPreference: number % 2 == 0 ? thread : nil) {
                    let deadline = IOThread.now + .microseconds(number * 7 % 5_000)
                    _ = await thread.sleep(until: deadline)
                    return IOThread.now < deadline
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(early == 0)
        #expect(thread.sleeperCount == 0)
    }

    @Test
    func `an earlier time wakes the thread that waits for a later one`() async {
        let thread = IOThread()
        let last = Task { await thread.sleep(until: Self.later) }
        while thread.sleeperCount == 0 { await Task.yield() }
        // A wake that is lost costs seconds each time.
        for _ in 0..<200 { _ = await thread.sleep(until: IOThread.now + .microseconds(500)) }
        #expect(thread.sleeperCount == 1)
        last.cancel()
        #expect(await last.value)
        #expect(thread.sleeperCount == 0)
    }

    @Test
    func `cancelling ends a sleep: before, while and after it`() async {
        let thread = IOThread()
        let before = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await thread.sleep(until: Self.later)
        }
        #expect(await before.value)
        let during = Task { await thread.sleep(until: Self.later) }
        while thread.sleeperCount == 0 { await Task.yield() }
        during.cancel()
        #expect(await during.value)
        let after = Task { await thread.sleep(until: IOThread.now) }
        #expect(await after.value)
        after.cancel()
        #expect(thread.sleeperCount == 0)
    }

    @Test
    func `cancellation and the time race: each sleep ends once`() async {
        let thread = IOThread()
        // Resumed twice, a checked continuation traps.
        for round in 0..<2_000 {
            let task = Task { await thread.sleep(until: IOThread.now + .microseconds(round % 1_200)) }
            if round % 3 == 0 { await Task.yield() }
            task.cancel()
            #expect(await task.value)
        }
        #expect(thread.sleeperCount == 0)
    }

    @Test
    func `jobs that leave jobs behind keep nobody asleep`() async {
        let thread = IOThread()
        await withTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: thread) {
                while !Task.isCancelled { await Task.yield() }
            }
            for _ in 0..<50 { _ = await thread.sleep(until: IOThread.now + .microseconds(300)) }
            group.cancelAll()
        }
    }
}
