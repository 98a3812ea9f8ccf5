// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Decides which attempts to connect are let in, and remembers what is to happen to them.
final class Admission: Sendable {
    struct Attempt {
        let number: Int
        let script: FaultPlan.Script
    }

    private struct State {
        var plan: FaultPlan
        var attemptCount = 0
        var isDown = false
        /// Let in, and not accepted yet.
        var waiting: [Attempt] = []
    }

    private let state: Locked<State>

    init(_ plan: FaultPlan) {
        self.state = Locked(State(plan: plan))
    }

    /// Draws the lot of the next attempt; called by the listener.
    func admit(report: (String) -> Void) -> Bool {
        let (number, isAdmitted) = self.state.withLock { state in
            state.attemptCount += 1
            let script = state.plan.script(forAttempt: state.attemptCount)
            let isAdmitted = !state.isDown && script.opening != .refused
            if isAdmitted { state.waiting.append(Attempt(number: state.attemptCount, script: script)) }
            return (state.attemptCount, isAdmitted)
        }
        report("\(number) \(isAdmitted ? "admitted" : "refused")")
        return isAdmitted
    }

    /// What is to happen to the connection that was accepted now; in the order in which they were let in.
    func next() -> Attempt {
        self.state.withLock { state in
            state.waiting.isEmpty
                ? Attempt(number: 0, script: FaultPlan.Script()) : state.waiting.removeFirst()
        }
    }

    var attemptCount: Int {
        self.state.withLock { $0.attemptCount }
    }

    /// From now on nothing goes wrong.
    func heal() {
        self.state.withLock { state in
            state.plan = .none
            state.waiting = state.waiting.map { Attempt(number: $0.number, script: FaultPlan.Script()) }
        }
    }

    func setDown(_ isDown: Bool) {
        self.state.withLock { $0.isDown = isDown }
    }
}
