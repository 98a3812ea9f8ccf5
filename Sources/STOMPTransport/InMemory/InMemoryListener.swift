// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Where in-memory connections meet: a client connects to it, a broker accepts from it.
package final class InMemoryListener: Listener {
    private struct State {
        var backlog: [any ByteTransport] = []
        var isClosed = false
    }

    /// As with a socket, connecting does not wait for the accept, up to this many.
    private static let backlogLimit = 1024

    private let pipeCapacity: Int
    private let admits: @Sendable () -> Bool
    private let acceptable = Readiness()
    private let state = Locked(State())

    /// - Parameters:
    ///   - pipeCapacity: bounds each direction of each connection, in bytes.
    ///   - admits: asked at each attempt to connect; called under a lock, and must not call back.
    package init(pipeCapacity: Int = 256 * 1024, admits: @escaping @Sendable () -> Bool = { true }) {
        self.pipeCapacity = pipeCapacity
        self.admits = admits
    }

    deinit {
        self.close()
    }

    /// Connects at once; `.refused` when closed, or when too many wait to be accepted.
    package func connect() async throws(TransportError) -> any ByteTransport {
        guard !Task.isCancelled else {
            throw TransportError(kind: .closed, message: "Connecting in memory was cancelled.")
        }
        let (client, server) = InMemoryPipe.makePair(capacity: self.pipeCapacity)
        let isTaken = self.state.withLock { state in
            guard !state.isClosed, state.backlog.count < Self.backlogLimit, self.admits() else { return false }
            state.backlog.append(server)
            return true
        }
        guard isTaken else {
            throw TransportError(kind: .refused, message: "Could not connect in memory: nobody accepts there.")
        }
        self.acceptable.signal()
        return client
    }

    /// Waits for the next connection.
    package func accept() async throws(TransportError) -> any ByteTransport {
        while !Task.isCancelled {
            let mark = self.acceptable.mark
            let (next, isClosed) = self.state.withLock { state in
                (state.backlog.isEmpty ? nil : state.backlog.removeFirst(), state.isClosed)
            }
            if let next {
                return next
            }
            guard !isClosed else {
                throw TransportError(kind: .closed, message: "The in-memory listener has been closed.")
            }
            self.acceptable.exhausted(since: mark)
            await self.acceptable.wait()
        }
        throw TransportError(kind: .closed, message: "Accepting in memory was cancelled.")
    }

    /// Also hangs up on who has connected and was not accepted yet.
    package func close() {
        let abandoned = self.state.withLock { state in
            state.isClosed = true
            let abandoned = state.backlog
            state.backlog = []
            return abandoned
        }
        self.acceptable.finish()
        for transport in abandoned {
            transport.close()
        }
    }
}
