// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// One value, one waiter, resolved at most once: a ``Completion`` that brings something.
package final class OneShot<Value: Sendable>: Sendable {
    private let completion = Completion()
    private let stored = Locked<Value?>(nil)

    package init() {}

    /// Gives the value; only the first call counts.
    ///
    /// - Returns: whether this call was the first.
    @discardableResult
    package func resolve(_ result: Result<Value, STOMPError>) -> Bool {
        switch result {
        case .success(let value): self.completion.resolve(.success(())) { self.stored.withLock { $0 = value } }
        case .failure(let error): self.completion.resolve(.failure(error))
        }
    }

    /// Waits for the value.
    ///
    /// - Throws: the error it was resolved with, or ``STOMPError/Code/cancelled``.
    package func value() async throws(STOMPError) -> Value {
        try await self.value { self.resolve(.failure(.cancelled)) }
    }

    /// As ``value()``, for a value that may have been decided on when the task is cancelled.
    ///
    /// - Parameter onCancel: sees to it that this is resolved, by itself or by whoever has decided.
    /// - Returns: the value it was resolved with.
    /// - Throws: the error it was resolved with.
    package func value(onCancel: @Sendable () -> Void) async throws(STOMPError) -> Value {
        try await self.completion.value(onCancel: onCancel)
        guard let value = self.stored.withLock({ $0 }) else {
            preconditionFailure("A value is stored before the success is told.")
        }
        return value
    }
}
