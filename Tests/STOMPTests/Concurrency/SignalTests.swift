// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting
import Testing

@testable import STOMP

@Suite("Signal and TimeSource", .timeLimit(.minutes(5)))
struct SignalTests {
    @Test("A signal is remembered, once")
    func remembered() async {
        let signal = Signal()
        signal.raise()
        signal.raise()
        await signal.wait()
        let passed = Shared(false)
        let task = Task {
            await signal.wait()
            passed.withLock { $0 = true }
        }
        for _ in 0..<100 { await Task.yield() }
        #expect(!passed.withLock { $0 })
        signal.raise()
        await task.value
    }

    @Test("Cancellation ends the wait, before and during it")
    func cancelled() async {
        let signal = Signal()
        let before = Task {
            await eventually { Task.isCancelled }
            await signal.wait()
        }
        before.cancel()
        await before.value
        let during = Task { await signal.wait() }
        await Task.yield()
        during.cancel()
        await during.value
    }

    @Test("Who waits for children is not ended by a cancellation, which is theirs too")
    func children() async {
        let signal = Signal()
        let passed = Shared(false)
        let task = Task {
            await signal.waitForChildren()
            passed.withLock { $0 = true }
        }
        task.cancel()
        for _ in 0..<100 { await Task.yield() }
        #expect(!passed.withLock { $0 })
        signal.raise()
        await task.value
        signal.raise()
        await signal.waitForChildren()
    }

    @Test("Cancellation and a raise race: the wait ends once, and what was raised is heard by it or by the next")
    func race() async {
        for round in 0..<2_000 {
            let signal = Signal()
            let task = Task { await signal.wait() }
            if round % 2 == 0 { await Task.yield() }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { task.cancel() }
                group.addTask { signal.raise() }
            }
            await task.value
        }
    }

    @Test("The usual clock's sleep returns at its deadline, and at once when it has passed or is cancelled")
    func usualClock() async {
        let time = TimeSource(ContinuousClock())
        let deadline = time.now + .milliseconds(2)
        await time.sleep(until: deadline)
        #expect(time.now >= deadline)
        await time.sleep(until: .seconds(-5))
        let sleeper = Task { await time.sleep(until: .seconds(Int64.max)) }
        await Task.yield()
        sleeper.cancel()
        await sleeper.value
    }

    @Test("No raise is lost: 10,000 turns of ping and pong")
    func pingPong() async {
        let (ping, pong) = (Signal(), Signal())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for _ in 0..<10_000 {
                    await ping.wait()
                    pong.raise()
                }
            }
            for _ in 0..<10_000 {
                ping.raise()
                await pong.wait()
            }
        }
    }

    @Test("A time source counts from when it was made")
    func timeSource() async throws {
        let clock = ManualClock()
        clock.advance(by: .seconds(7))
        let time = TimeSource(clock)
        #expect(time.now == .zero)
        clock.advance(by: .seconds(2))
        #expect(time.now == .seconds(2))
        let sleeper = Task { await time.sleep(until: .seconds(5)) }
        try await clock.waitForSleepers(1)
        #expect(clock.nextDeadline?.offset == .seconds(12))
        clock.advance(by: .seconds(3))
        await sleeper.value
        await time.sleep(until: .seconds(5))
    }

    @Test("A sleep ends at once when its task is cancelled")
    func cancelledSleep() async throws {
        let clock = ManualClock()
        let time = TimeSource(clock)
        let sleeper = Task { await time.sleep(until: .seconds(5)) }
        try await clock.waitForSleepers(1)
        sleeper.cancel()
        await sleeper.value
        #expect(clock.sleeperCount == 0)
    }
}
