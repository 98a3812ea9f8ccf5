// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Where the task of `withCleanup` runs.
package enum CleanupExecutor {
    /// Set by a simulation, in which everything runs on one executor: unlike a child, an unstructured task does not
    /// inherit it.
    @TaskLocal package static var current: (any TaskExecutor)?
}

/// Runs `body`, then `cleanup`, also after an error or a cancellation, and waits for both.
///
/// The one place with an unstructured task: a cancelled task could not say goodbye to the broker. The task is awaited
/// here, so nothing outlives the scope; `cleanup` bounds its own waiting.
package func withCleanup<Value, Failure: Error>(
    _ body: () async throws(Failure) -> Value,
    cleanup: @escaping @Sendable (_ failed: Bool) async -> Void
) async throws(Failure) -> Value {
    let value: Value
    do throws(Failure) {
        value = try await body()
    } catch {
        await Task(name: "stomp.cleanup", executorPreference: CleanupExecutor.current) { await cleanup(true) }.value
        throw error
    }
    await Task(name: "stomp.cleanup", executorPreference: CleanupExecutor.current) { await cleanup(false) }.value
    return value
}
