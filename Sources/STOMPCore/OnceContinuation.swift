// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// Where a task waits to be resumed, exactly once, by whoever takes this out of where it is kept under a lock.
//
// A debug build checks that, and so do all tests; a release build does without: a checked one is another object for each
// wait, a quarter of what a receipt costs.
#if DEBUG
@usableFromInline
package typealias OnceContinuation<Value: Sendable> = CheckedContinuation<Value, Never>
#else
@usableFromInline
package typealias OnceContinuation<Value: Sendable> = UnsafeContinuation<Value, Never>
#endif

/// Waits until the continuation that `body` gets is resumed; `function` is what a debug build names if that goes wrong.
@inlinable
@inline(__always)
package nonisolated(nonsending) func withOnceContinuation<Value: Sendable>(
    function: String = #function,
    _ body: (OnceContinuation<Value>) -> Void
) async -> Value {
    #if DEBUG
    await withCheckedContinuation(function: function, body)
    #else
    await withUnsafeContinuation(body)
    #endif
}
