// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPTesting
import TestSupport
import Testing

@Suite("The executor of a simulation")
struct ExecutorTests {
    @Test("Moves the clock only when nothing else is left to do", .onOwnThread)
    func clock() {
        let clock = ManualClock()
        let executor = SimulationExecutor()
        let journal = Journal(clock)
        let outcome = executor.run(clock, until: .seconds(10)) {
            await withDiscardingTaskGroup { group in
                for number in 1...3 {
                    group.addTask {
                        for _ in 0..<100 { await Task.yield() }
                        journal.note("\(number)")
                        try? await clock.sleep(for: .seconds(4 - number))
                        journal.note("\(number)")
                    }
                }
            }
        }
        #expect(outcome == .finished)
        #expect(executor.strangerCount == 0)
        #expect(
            journal.lines == [
                "0.0 seconds: 1", "0.0 seconds: 2", "0.0 seconds: 3",
                "1.0 seconds: 3", "2.0 seconds: 2", "3.0 seconds: 1",
            ]
        )
    }

    @Test("A task of a cleanup stays on it", .onOwnThread)
    func cleanup() {
        let executor = SimulationExecutor()
        let outcome = executor.run(ManualClock(), until: .zero) {
            await withCleanup {
                await Task.yield()
            } cleanup: { _ in
                await Task.yield()
            }
        }
        #expect(outcome == .finished)
        #expect(executor.strangerCount == 0)
    }

    @Test("Who waits for ever is found out", .onOwnThread)
    func hang() {
        let signal = Signal()
        let stuck = SimulationExecutor()
        #expect(stuck.run(ManualClock(), until: .seconds(1)) { await signal.wait() } == .stuck)
        signal.raise()

        let clock = ManualClock()
        let late = SimulationExecutor()
        #expect(late.run(clock, until: .seconds(1)) { try? await clock.sleep(for: .seconds(2)) } == .outOfTime)
    }
}
