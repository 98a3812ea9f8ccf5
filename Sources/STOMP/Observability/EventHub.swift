// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Hands each event to everybody who listens, all in one order, and keeps the state that belongs to it.
///
/// A listener that falls behind loses its oldest events.
package final class EventHub: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<STOMPEvent>.Continuation] = [:]
        var lastKey = 0
        var isFinished = false
        var client = STOMPClientState.idle
        /// What has been sent and not handed out, with those who listened then; no event: the end.
        var queue: [(event: STOMPEvent?, listeners: [AsyncStream<STOMPEvent>.Continuation])] = []
        /// Somebody hands out, outside the lock.
        var isHandingOut = false
    }

    private static let backlog = 256
    private let state = Locked(State())

    package init() {}

    /// Where the client stands.
    package var clientState: STOMPClientState {
        self.state.withLock { $0.client }
    }

    /// A new stream of the events from now on.
    package func listen() -> AsyncStream<STOMPEvent> {
        let (stream, continuation) = AsyncStream<STOMPEvent>.makeStream(
            bufferingPolicy: .bufferingNewest(Self.backlog)
        )
        let key = self.state.withLock { state -> Int? in
            guard !state.isFinished else { return nil }
            state.lastKey += 1
            state.listeners[state.lastKey] = continuation
            return state.lastKey
        }
        guard let key else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in
                state.listeners[key] = nil
                // Nor its memory.
                if state.listeners.isEmpty { state.listeners = [:] }
            }
        }
        return stream
    }

    /// Hands out an event; the state changes with it.
    package func send(_ event: STOMPEvent, state new: STOMPClientState? = nil) {
        let mustHandOut = self.state.withLock { state in
            if let new { state.client = new }
            guard !state.isFinished, !state.listeners.isEmpty else { return false }
            state.queue.append((event, Array(state.listeners.values)))
            defer { state.isHandingOut = true }
            return !state.isHandingOut
        }
        if mustHandOut { self.handOut() }
    }

    /// No event comes any more.
    package func finish(_ new: STOMPClientState) {
        let mustHandOut = self.state.withLock { state in
            state.isFinished = true
            state.client = new
            state.queue.append((nil, Array(state.listeners.values)))
            defer { state.isHandingOut = true }
            return !state.isHandingOut
        }
        if mustHandOut { self.handOut() }
    }

    /// Listeners are called outside the lock, by one at a time, so that all see the same order.
    private func handOut() {
        while true {
            let batch = self.state.withLock { state in
                defer { state.queue = [] }
                if state.queue.isEmpty { state.isHandingOut = false }
                return state.queue
            }
            guard !batch.isEmpty else { return }
            for (event, listeners) in batch {
                for listener in listeners {
                    if let event { listener.yield(event) } else { listener.finish() }
                }
            }
        }
    }
}
