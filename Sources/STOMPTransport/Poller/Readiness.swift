// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization

/// Whether one direction of one stream may move bytes, and who waits for that.
///
/// The ready bit is sticky: a signal sets it, and only an attempt that found nothing clears it, so a signal between
/// that attempt and the wait is never lost. The attempt takes `mark` first and hands it to `exhausted(since:)`, which
/// does nothing if a signal has come in between.
final class Readiness: Sendable {
    private struct Waiter {
        let ticket: UInt64
        let continuation: OnceContinuation<Void>
    }

    private struct State {
        var isReady: Bool
        var isFinished = false
        var waiter: Waiter?
        /// Nearly always empty: there is one waiter at a time, but a second one is no reason to hang or trap.
        var moreWaiters: [Waiter] = []

        mutating func takeWaiters() -> (Waiter?, [Waiter]) {
            let taken = (self.waiter, self.moreWaiters)
            self.waiter = nil
            self.moreWaiters = []
            return taken
        }
    }

    private let signalCount = Atomic<UInt64>(0)
    private let ticketCount = Atomic<UInt64>(0)
    private let state: Locked<State>

    init(isReady: Bool = false) {
        self.state = Locked(State(isReady: isReady))
    }

    /// Take it before an attempt to move bytes.
    var mark: UInt64 { self.signalCount.load(ordering: .acquiring) }

    /// The attempt that began at `mark` would have had to wait.
    func exhausted(since mark: UInt64) {
        self.state.withLock { state in
            guard self.signalCount.load(ordering: .relaxed) == mark else { return }
            state.isReady = false
        }
    }

    /// Moving bytes may succeed again.
    func signal() {
        let (waiter, more) = self.state.withLock { state in
            self.signalCount.add(1, ordering: .releasing)
            state.isReady = true
            return state.takeWaiters()
        }
        Self.resume(waiter, more)
    }

    /// Nobody shall wait again, ever.
    func finish() {
        let (waiter, more) = self.state.withLock { state in
            state.isFinished = true
            return state.takeWaiters()
        }
        Self.resume(waiter, more)
    }

    /// Whether nobody will wait again.
    var isFinished: Bool {
        self.state.withLock { $0.isFinished }
    }

    /// Returns when ready, finished, or when the task is cancelled.
    ///
    /// - Parameter arm: makes the signal come that is waited for; called once this is known to wait.
    func wait(_ arm: () -> Void = {}) async {
        let isOpen = self.state.withLock { state in state.isReady || state.isFinished }
        if isOpen {
            return
        }
        // The ticket ties a cancellation to its own wait: a late one cannot end somebody else's.
        let ticket = self.ticketCount.add(1, ordering: .relaxed).newValue
        await withTaskCancellationHandler {
            await withOnceContinuation { continuation in
                if self.keep(Waiter(ticket: ticket, continuation: continuation)) {
                    arm()
                } else {
                    continuation.resume()
                }
            }
        } onCancel: {
            self.cancel(ticket)
        }
    }

    /// Whoever takes it out of the state, under the lock, resumes it, so that each is resumed once: signal, finish or
    /// cancellation.
    ///
    /// - Returns: whether it has to wait.
    private func keep(_ waiter: Waiter) -> Bool {
        self.state.withLock { state in
            // The task's flag is set before its handlers run, so a cancellation is either seen here or finds the stored
            // waiter.
            if state.isReady || state.isFinished || Task.isCancelled { return false }
            if state.waiter == nil {
                state.waiter = waiter
            } else {
                state.moreWaiters.append(waiter)
            }
            return true
        }
    }

    private func cancel(_ ticket: UInt64) {
        let waiter = self.state.withLock { state -> Waiter? in
            if let waiter = state.waiter, waiter.ticket == ticket {
                state.waiter = nil
                return waiter
            }
            guard let index = state.moreWaiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.moreWaiters.remove(at: index)
        }
        waiter?.continuation.resume()
    }

    private static func resume(_ waiter: Waiter?, _ more: [Waiter]) {
        waiter?.continuation.resume()
        for waiter in more {
            waiter.continuation.resume()
        }
    }
}
