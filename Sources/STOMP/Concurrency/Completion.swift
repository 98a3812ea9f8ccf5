// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// An end that one waiter waits for: a success or an error, given at most once.
///
/// Cancelling the waiter is one more way to resolve it. Not generic, since each receipt has one: the end of a generic
/// object looks its types up by name, some 900 instructions.
package final class Completion: Sendable {
    private struct State {
        var waiter: OnceContinuation<Void>?
        var result: Result<Void, STOMPError>?
    }

    private let state = Locked(State())

    package init() {}

    /// Gives the result; only the first call counts.
    ///
    /// - Parameters:
    ///   - result: what the waiter gets.
    ///   - store: called before that, by the first call only, and by one call at a time.
    /// - Returns: whether this call was the first.
    @discardableResult
    package func resolve(_ result: Result<Void, STOMPError>, storing store: () -> Void = {}) -> Bool {
        let (waiter, won) = self.state.withLock { state -> (OnceContinuation<Void>?, Bool) in
            guard state.result == nil else { return (nil, false) }
            store()
            state.result = result
            defer { state.waiter = nil }
            return (state.waiter, true)
        }
        waiter?.resume()
        return won
    }

    /// Whether it has ended, and not with an error.
    var hasSucceeded: Bool {
        self.state.withLock { state in
            if case .success = state.result { true } else { false }
        }
    }

    /// Waits for the end.
    ///
    /// - Throws: the error it was resolved with, or ``STOMPError/Code/cancelled``.
    package func value() async throws(STOMPError) {
        try await self.value { self.resolve(.failure(.cancelled)) }
    }

    /// As ``value()``, for an end that may have been decided on when the task is cancelled.
    ///
    /// - Parameter onCancel: sees to it that this is resolved, by itself or by whoever has decided.
    /// - Throws: the error it was resolved with.
    package func value(onCancel: @Sendable () -> Void) async throws(STOMPError) {
        await withTaskCancellationHandler {
            await withOnceContinuation { continuation in
                // Stored and checked under one lock: a resolution either finds the continuation or is found here.
                let isResolved = self.state.withLock { state in
                    precondition(state.waiter == nil, "A Completion has one waiter.")
                    if state.result == nil { state.waiter = continuation }
                    return state.result != nil
                }
                if isResolved { continuation.resume() }
            }
        } onCancel: {
            onCancel()
        }
        guard let result = self.state.withLock({ $0.result }) else {
            preconditionFailure("A Completion's waiter is resumed when there is a result.")
        }
        try result.get()
    }
}

extension STOMPError {
    package static let cancelled = STOMPError(.cancelled, "The calling task was cancelled.")
}
