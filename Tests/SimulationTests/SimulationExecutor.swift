// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMP
import STOMPCore
import STOMPTesting

/// Runs all jobs of a simulation one after the other on one thread, and moves its clock when none is left.
///
/// So the order of everything depends on the simulation alone: the same seed gives the same run.
final class SimulationExecutor: TaskExecutor {
    /// How a simulation ended.
    enum Outcome: Sendable, Equatable {
        case finished
        /// Nothing can happen any more, and the simulation has not ended.
        case stuck
        /// The clock has passed the limit.
        case outOfTime
        /// More jobs ran than any simulation needs, without the clock being moved.
        case spinning
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var thread: Thread?
        var strangerCount = 0
    }

    private static let jobLimit = 2_000_000

    private let state = Locked(State())
    private let finished = Locked(false)
    let jobCount = Locked(0)

    func enqueue(_ job: consuming ExecutorJob) {
        self.take(UnownedJob(job))
    }

    func take(_ job: UnownedJob) {
        self.state.withLock { state in
            state.jobs.append(job)
            if let thread = state.thread, thread !== Thread.current { state.strangerCount += 1 }
        }
    }

    /// How many jobs came from other threads: each of them makes the order a matter of luck.
    var strangerCount: Int {
        self.state.withLock { $0.strangerCount }
    }

    /// Whether nothing is left to run.
    var isIdle: Bool {
        self.state.withLock { $0.jobs.isEmpty }
    }

    /// Runs `body` and everything that it starts.
    ///
    /// - Parameters:
    ///   - clock: moved to its next deadline whenever nothing else is left to do.
    ///   - limit: how far it may be moved.
    ///   - body: the simulation; its tasks must not leave this executor.
    /// - Returns: how it ended.
    func run(
        _ clock: ManualClock,
        until limit: Duration,
        _ body: @escaping @Sendable () async -> Void
    ) -> Outcome {
        self.state.withLock { $0.thread = Thread.current }
        return GlobalJobs.redirected(to: self) { self.play(clock, until: limit, body) }
    }

    private func play(
        _ clock: ManualClock,
        until limit: Duration,
        _ body: @escaping @Sendable () async -> Void
    ) -> Outcome {
        _ = Task(name: "simulation", executorPreference: self) {
            await CleanupExecutor.$current.withValue(self) { await body() }
            self.finished.withLock { $0 = true }
        }
        while true {
            guard self.drain() else { return .spinning }
            if self.finished.withLock({ $0 }) { return .finished }
            guard let next = clock.nextDeadline else { return .stuck }
            guard next.offset <= limit else { return .outOfTime }
            clock.advance(to: next)
        }
    }

    private func drain() -> Bool {
        var count = 0
        while count < Self.jobLimit {
            let jobs = self.state.withLock { state in
                defer { state.jobs = [] }
                return state.jobs
            }
            guard !jobs.isEmpty else {
                self.jobCount.withLock { $0 += count }
                return true
            }
            count += jobs.count
            for job in jobs { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
        return false
    }
}
