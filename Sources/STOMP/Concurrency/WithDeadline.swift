// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Runs `operation` until `deadline`; then cancels it, waits for its end and throws `timeout`.
///
/// The operation must end promptly when it is cancelled. If both happen at once, its result counts.
package func withDeadline<Value: Sendable>(
    _ deadline: Duration,
    of time: TimeSource,
    timeout: STOMPError,
    _ operation: @escaping @Sendable () async throws(STOMPError) -> Value
) async throws(STOMPError) -> Value {
    let result = await withTaskGroup(of: Result<Value, STOMPError>?.self) { group -> Result<Value, STOMPError> in
        group.addTask(name: "stomp.deadline.operation") {
            do throws(STOMPError) {
                return .success(try await operation())
            } catch {
                return .failure(error)
            }
        }
        group.addTask(name: "stomp.deadline.timer") {
            await time.sleep(until: deadline)
            return nil
        }
        // The first to end decides; a timer that ended by the caller's cancellation decides nothing.
        let first = await group.next() ?? nil
        let timedOut = first == nil && !Task.isCancelled
        group.cancelAll()
        let second = await group.next() ?? nil
        let result = first ?? second
        if timedOut, case .failure = result { return .failure(timeout) }
        return result ?? .failure(.cancelled)
    }
    return try result.get()
}
