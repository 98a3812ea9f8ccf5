// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// One value, one waiter, resolved at most once.
///
/// Cancelling the waiter is one more way to resolve it.
package final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case pending
        case waiting(CheckedContinuation<Result<Value, STOMPError>, Never>)
        case resolved(Result<Value, STOMPError>)
    }

    private let state = Locked(State.pending)

    package init() {}

    /// Gives the value; only the first call counts.
    ///
    /// - Returns: whether this call was the first.
    @discardableResult
    package func resolve(_ result: Result<Value, STOMPError>) -> Bool {
        let (continuation, won) = self.state.withLock {
            state -> (CheckedContinuation<Result<Value, STOMPError>, Never>?, Bool) in
            switch state {
            case .pending:
                state = .resolved(result)
                return (nil, true)
            case .waiting(let continuation):
                state = .resolved(result)
                return (continuation, true)
            case .resolved:
                return (nil, false)
            }
        }
        continuation?.resume(returning: result)
        return won
    }

    /// Whether the value has been given, and is no error.
    var hasSucceeded: Bool {
        self.state.withLock { state in
            if case .resolved(.success) = state { true } else { false }
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
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Stored and checked under one lock: a resolution either finds the continuation or is found here.
                let already: Result<Value, STOMPError>? = self.state.withLock { state in
                    switch state {
                    case .pending:
                        state = .waiting(continuation)
                        return nil
                    case .resolved(let result):
                        return result
                    case .waiting:
                        preconditionFailure("A OneShot has one waiter.")
                    }
                }
                if let already { continuation.resume(returning: already) }
            }
        } onCancel: {
            onCancel()
        }
        return try result.get()
    }
}

extension STOMPError {
    package static let cancelled = STOMPError(.cancelled, "The calling task was cancelled.")
}
