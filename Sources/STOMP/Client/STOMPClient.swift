// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A client: verbs to call, and one ``run()`` that owns every task behind them.
///
/// Making one starts nothing. Call ``run()`` in a task of yours, or use `withSTOMPClient`. Calls made while there is no
/// connection wait for one, at most ``STOMPConfiguration/connectionWaitTimeout``.
public final class STOMPClient: Sendable {
    private enum Phase {
        case idle
        case running
        case ended(STOMPError)
    }

    private struct State {
        var phase = Phase.idle
        var connection: STOMPConnection?
        var waiters: [OneShot<STOMPConnection>] = []
    }

    /// How the client behaves.
    public let configuration: STOMPConfiguration

    let server: STOMPServer
    let time: TimeSource
    let hub = EventHub()
    let shutdown = Signal()
    private let state = Locked(State())

    /// A client of this broker.
    ///
    /// Nothing happens before ``run()``.
    public init(_ server: STOMPServer, configuration: STOMPConfiguration = STOMPConfiguration()) {
        self.server = server
        self.configuration = configuration.bounded
        self.time = TimeSource(configuration.clock)
    }

    /// The rare events from now on; a listener that falls behind by 256 loses the oldest.
    ///
    /// Ends with ``run()``.
    public var events: AsyncStream<STOMPEvent> {
        self.hub.listen()
    }

    /// What was agreed on with the broker; `nil` while there is no connection.
    public var session: STOMPSessionInfo? {
        self.current?.session
    }

    /// The broker's habits; `nil` while there is no connection.
    public var dialect: STOMPDialect? {
        self.current?.dialect
    }

    /// Connects and keeps the connection until ``beginGracefulShutdown()``, an end that is final, or cancellation.
    ///
    /// When it returns or throws, every task has ended and every waiting call has an answer. Cancelling it says goodbye
    /// to the broker first, within ``STOMPConfiguration/shutdownTimeout``.
    ///
    /// - Throws: why there is no connection any more; ``STOMPError/Code/cancelled``;
    ///   ``STOMPError/Code/alreadyRunning`` when called a second time.
    public func run() async throws(STOMPError) {
        try self.state.withLock { state throws(STOMPError) in
            guard case .idle = state.phase else {
                throw STOMPError(.alreadyRunning, "run() is called once in a client's life; make a new client.")
            }
            state.phase = .running
        }
        let supervisor = Supervisor(client: self)
        let failure = await supervisor.run()
        self.end(failure ?? STOMPError(.closed, "The client is shut down."))
        if let failure { throw failure }
    }

    /// Asks ``run()`` to finish: it waits for outstanding receipts, disconnects with a receipt and returns.
    ///
    /// From then on ``send(_:to:contentType:headers:contentLength:receipt:)-(String,_,_,_,_,_)``,
    /// ``subscribe(to:ack:id:headers:options:)`` and ``begin(id:)`` throw ``STOMPError/Code/closed``; until DISCONNECT is
    /// said, messages can be acknowledged and open transactions ended.
    ///
    /// Does not wait; may be called from anywhere, also before ``run()``.
    public func beginGracefulShutdown() {
        self.shutdown.raise()
    }

    // MARK: - The current connection

    @inline(__always)
    var current: STOMPConnection? {
        self.state.withLock { $0.connection }
    }

    /// The current connection, once there is one.
    ///
    /// - Parameter timeout: how long to wait; `nil`: until the client ends.
    /// - Returns: the connection that there is, or the next one.
    /// - Throws: ``STOMPError/Code/notConnected`` when that takes longer than
    ///   ``STOMPConfiguration/connectionWaitTimeout``; why the client has ended; ``STOMPError/Code/cancelled``.
    func connection(within timeout: Duration?) async throws(STOMPError) -> STOMPConnection {
        let waiter = OneShot<STOMPConnection>()
        try self.state.withLock { state throws(STOMPError) in
            if let connection = state.connection {
                waiter.resolve(.success(connection))
            } else if case .ended(let reason) = state.phase {
                throw reason
            } else {
                state.waiters.append(waiter)
            }
        }
        let late = STOMPError(
            .notConnected,
            "There was no connection to \(self.server.endpoint) for \(self.configuration.connectionWaitTimeout). "
                + "Is run() running?"
        )
        defer { self.state.withLock { $0.waiters.removeAll { $0 === waiter } } }
        guard let timeout else { return try await waiter.value() }
        return try await withDeadline(self.time.now + timeout, of: self.time, timeout: late) { () throws(STOMPError) in
            try await waiter.value()
        }
    }

    /// The supervisor has a connection, or has none any more.
    func publish(_ connection: STOMPConnection?) {
        let waiters = self.state.withLock { state -> [OneShot<STOMPConnection>] in
            state.connection = connection
            guard connection != nil else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        guard let connection else { return }
        for waiter in waiters { waiter.resolve(.success(connection)) }
    }

    private func end(_ reason: STOMPError) {
        let waiters = self.state.withLock { state in
            state.phase = .ended(reason)
            state.connection = nil
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resolve(.failure(reason)) }
        self.hub.finish()
    }
}
