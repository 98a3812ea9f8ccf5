// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import WorkBudgetPeer

/// Runs all jobs one after the other on the calling thread: so two runs do the same in the same order.
final class OneThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        budget_enqueue(unsafeBitCast(UnownedJob(job), to: UnsafeMutableRawPointer.self))
    }

    /// Runs `body` without a preference for this executor, as tasks of users mostly do: it costs some hundred instructions
    /// each time an async function returns.
    ///
    /// In `body`, `Task.yield()` would go to the pool of threads, since it asks nobody.
    static func withoutPreference<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await Task { try await body() }.value
    }

    /// Lets all others go on that can.
    static func letOthersGoOn() async throws {
        try await self.withoutPreference {}
    }

    /// Runs `body` and all that it starts.
    func run(_ body: @escaping @Sendable () async -> Void) {
        // Actors that are left while others wait for them, and unstructured tasks, do not come by way of `enqueue`.
        budget_redirect_jobs()
        _ = Task(executorPreference: self) { @concurrent in
            await CleanupExecutor.$current.withValue(self) { await body() }
        }
        budget_run_jobs()
    }
}
