// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// One value, one waiter, resolved at most once.
///
/// Cancelling the waiter is one more way to resolve it.
package final class OneShot<Value: Sendable>: Sendable {
    private struct State {
        /// Its own type is not generic, which makes it cheap to move.
        var waiter: CheckedContinuation<Void, Never>?
        var result: Result<Value, STOMPError>?
    }

    private let state = Locked(State())

    package init() {}

    /// Gives the value; only the first call counts.
    ///
    /// - Returns: whether this call was the first.
    @discardableResult
    package func resolve(_ result: Result<Value, STOMPError>) -> Bool {
        let (waiter, won) = self.state.withLock { state -> (CheckedContinuation<Void, Never>?, Bool) in
            guard state.result == nil else { return (nil, false) }
            state.result = result
            defer { state.waiter = nil }
            return (state.waiter, true)
        }
        waiter?.resume()
        return won
    }

    /// Whether the value has been given, and is no error.
    var hasSucceeded: Bool {
        self.state.withLock { state in
            if case .success = state.result { true } else { false }
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
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Stored and checked under one lock: a resolution either finds the continuation or is found here.
                let isResolved = self.state.withLock { state in
                    precondition(state.waiter == nil, "A OneShot has one waiter.")
                    if state.result == nil { state.waiter = continuation }
                    return state.result != nil
                }
                if isResolved { continuation.resume() }
            }
        } onCancel: {
            onCancel()
        }
        guard let result = self.state.withLock({ $0.result }) else {
            preconditionFailure("A OneShot's waiter is resumed when there is a result.")
        }
        return try result.get()
    }
}

extension STOMPError {
    package static let cancelled = STOMPError(.cancelled, "The calling task was cancelled.")
}
