// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

#if DEBUG
/// Where a task waits to be resumed, exactly once, by whoever takes this out of where it is kept under a lock.
///
/// A debug build checks that, and so do all tests; a release build does without: a checked one is another object for each
/// wait, a quarter of what a receipt costs.
package typealias OnceContinuation<Value: Sendable> = CheckedContinuation<Value, Never>

@inline(__always)
package nonisolated(nonsending) func withOnceContinuation<Value: Sendable>(
    _ body: (OnceContinuation<Value>) -> Void
) async -> Value {
    await withCheckedContinuation(body)
}
#else
@usableFromInline
package typealias OnceContinuation<Value: Sendable> = UnsafeContinuation<Value, Never>

@inlinable
@inline(__always)
package nonisolated(nonsending) func withOnceContinuation<Value: Sendable>(
    _ body: (OnceContinuation<Value>) -> Void
) async -> Value {
    await withUnsafeContinuation(body)
}
#endif
