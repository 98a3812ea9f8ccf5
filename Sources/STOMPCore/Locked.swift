// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import Synchronization

/// A `Mutex` whose order the thread sanitizer sees.
///
/// The contended path of `Mutex` runs inside the runtime's library, which is not instrumented, so each contended lock
/// would be reported as a race. An acquiring load after locking and a releasing store before unlocking say the same
/// in code of ours; on x86-64 both are plain moves. Inlinable: a generic call across modules costs more than the lock.
@frozen
@usableFromInline
package struct Locked<Value: ~Copyable>: ~Copyable, Sendable {
    @usableFromInline
    let mutex: Mutex<Value>
    @usableFromInline
    let order = Atomic<Bool>(false)

    @inlinable
    package init(_ value: consuming sending Value) {
        self.mutex = Mutex(value)
    }

    @inlinable
    @inline(__always)
    package borrowing func withLock<Result: ~Copyable, Failure>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try self.mutex.withLock { value throws(Failure) in
            _ = self.order.load(ordering: .acquiring)
            defer { self.order.store(true, ordering: .releasing) }
            return try body(&value)
        }
    }
}
