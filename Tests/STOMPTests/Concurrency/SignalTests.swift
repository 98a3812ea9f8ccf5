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
