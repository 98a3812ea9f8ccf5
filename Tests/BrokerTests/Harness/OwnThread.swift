// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

/// Runs blocking work on a thread of its own, because blocking in a task would take one of the few pool threads.
func onOwnThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(with: Result { try work() })
        }
    }
}

/// Asks `attempt` again and again until it answers or the limit has passed; then the result is nil.
///
/// The harness's only polling. It blocks: call it on a thread of its own.
func poll<Value>(for limit: Duration, _ attempt: () throws -> Value?) rethrows -> Value? {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try attempt() {
            return value
        }
        guard ContinuousClock.now < deadline else { return nil }
        RealTime.block(.milliseconds(20))
    }
}
