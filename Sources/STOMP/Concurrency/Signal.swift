// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// "There is something to do", remembered until it is heard.
///
/// One waiter at a time.
package final class Signal: Sendable {
    private enum State {
        case quiet
        case raised
        case waiting(OnceContinuation<Void>)
    }

    private let state = Locked(State.quiet)

    package init() {}

    /// Wakes the waiter, or the next one to come.
    package func raise() {
        let continuation = self.state.withLock { state -> OnceContinuation<Void>? in
            guard case .waiting(let continuation) = state else {
                state = .raised
                return nil
            }
            state = .quiet
            return continuation
        }
        continuation?.resume()
    }

    /// Returns once the signal was raised, which this takes back, or when the task is cancelled.
    package func wait() async {
        await withTaskCancellationHandler {
            await withOnceContinuation { self.keep($0) }
        } onCancel: {
            self.raise()
        }
    }

    /// As ``wait()``, but cancellation does not end it.
    ///
    /// For a task whose children raise the signal when they end: that they are cancelled with it is enough.
    package func waitForChildren() async {
        await withOnceContinuation { self.keep($0) }
    }

    private func keep(_ continuation: OnceContinuation<Void>) {
        let isOver = self.state.withLock { state in
            switch state {
            case .quiet:
                // One that was cancelled before is not here: then the handler has raised the signal.
                state = .waiting(continuation)
                return false
            case .raised:
                state = .quiet
                return true
            case .waiting:
                preconditionFailure("A Signal has one waiter.")
            }
        }
        if isOver { continuation.resume() }
    }

    /// As ``wait()``, and until a deadline at most; `nil`: there is none.
    package func wait(until deadline: Duration?, of time: TimeSource) async {
        guard let deadline else { return await self.wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask(name: "stomp.signal.timer") { await time.sleep(until: deadline) }
            group.addTask(name: "stomp.signal.wait") { await self.wait() }
            await group.next()
            group.cancelAll()
        }
    }
}
