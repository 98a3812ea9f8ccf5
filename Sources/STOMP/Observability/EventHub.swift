// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Hands each event to everybody who listens.
///
/// A listener that falls behind loses its oldest events.
package final class EventHub: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<STOMPEvent>.Continuation] = [:]
        var lastKey = 0
        var isFinished = false
    }

    private static let backlog = 256
    private let state = Locked(State())

    package init() {}

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
            self?.state.withLock { state in _ = state.listeners.removeValue(forKey: key) }
        }
        return stream
    }

    package func send(_ event: STOMPEvent) {
        let listeners = self.state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener.yield(event) }
    }

    package func finish() {
        let listeners = self.state.withLock { state in
            state.isFinished = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
