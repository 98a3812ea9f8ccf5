// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A client: verbs to call, and one ``run()`` that owns every task behind them.
///
/// Making one starts nothing. Call ``run()`` in a task of yours, or use `withSTOMPClient`. It connects again when a
/// connection is lost, as ``STOMPConfiguration/reconnect`` says; subscriptions go on by the new one. Calls made while there
/// is no connection wait for one, at most ``STOMPConfiguration/connectionWaitTimeout``.
public final class STOMPClient: Sendable {
    enum Phase {
        case idle
        case running
        case ended(STOMPError)
    }

    struct Waiter: Sendable {
        let connection: OneShot<STOMPConnection>
        /// One that has ended, though that may not be known here yet.
        let previous: STOMPConnection?
    }

    struct State {
        var phase = Phase.idle
        /// What calls go to.
        var connection: STOMPConnection?
        /// What they will go to, when subscriptions and earlier sends have gone there.
        var opening: STOMPConnection?
        var waiters: [Waiter] = []
        /// Sends that are repeated after a loss, in the order in which they were made.
        var resends: [ResendTicket] = []
        /// Sends without a receipt that were made while there was no connection.
        var queue = SendQueue()
        var waitsForHandlers = true
        var isShuttingDown = false
        /// What a graceful shutdown left undone.
        var report: STOMPDrainReport?
    }

    /// How the client behaves.
    public var configuration: STOMPConfiguration { self.shared.value }

    let shared: SharedConfiguration
    let servers: STOMPServerList
    let time: TimeSource
    let hub = EventHub()
    let shutdown = Signal()
    /// Something has come into the queue of sends, whose deadline is to be watched.
    let queueSignal = Signal()
    let inner = Locked(State())

    /// A client of this broker.
    ///
    /// Nothing happens before ``run()``.
    public convenience init(_ server: STOMPServer, configuration: STOMPConfiguration = STOMPConfiguration()) {
        self.init([server], configuration: configuration)
    }

    /// A client of one of these brokers at a time.
    ///
    /// Nothing happens before ``run()``.
    public init(_ servers: STOMPServerList, configuration: STOMPConfiguration = STOMPConfiguration()) {
        var configuration = configuration
        if let timeout = servers.connectionWaitTimeout { configuration.connectionWaitTimeout = timeout }
        self.servers = servers.settled()
        self.shared = SharedConfiguration(configuration)
        self.time = TimeSource(configuration.clock)
    }

    /// The rare events from now on; a listener that falls behind by 256 loses the oldest.
    ///
    /// All listeners see the same order. Ends with ``run()``.
    public var events: AsyncStream<STOMPEvent> {
        self.hub.listen()
    }

    /// Where the client stands; it changes with the events.
    public var state: STOMPClientState {
        self.hub.clientState
    }

    /// What was agreed on with the broker; `nil` while there is no connection.
    public var session: STOMPSessionInfo? {
        self.current?.session
    }

    /// The broker's habits; `nil` while there is no connection.
    public var dialect: STOMPDialect? {
        self.current?.dialect
    }

    /// Connects and keeps connecting until ``beginGracefulShutdown()``, until ``STOMPConfiguration/reconnect`` gives up, or
    /// until it is cancelled.
    ///
    /// When it returns or throws, every task has ended and every waiting call has an answer. Cancelling it says goodbye
    /// to the broker first, within ``STOMPConfiguration/shutdownTimeout``.
    ///
    /// - Throws: why there is no connection any more; ``STOMPError/Code/cancelled``;
    ///   ``STOMPError/Code/alreadyRunning`` when called a second time.
    public func run() async throws(STOMPError) {
        try self.inner.withLock { state throws(STOMPError) in
            guard case .idle = state.phase else {
                throw STOMPError(.alreadyRunning, "run() is called once in a client's life; make a new client.")
            }
            state.phase = .running
        }
        let failure = await Supervisor(client: self).run()
        self.end(failure)
        if let failure { throw failure }
    }

    /// Asks ``run()`` to finish.
    ///
    /// Loops over subscriptions end at their next message; handlers that have one may finish and answer it, for
    /// ``STOMPConfiguration/handlerTimeout``. Then the subscriptions are ended, outstanding receipts are waited for, and
    /// the session is ended with DISCONNECT, all within ``STOMPConfiguration/shutdownTimeout``. What was received and
    /// never handed out goes back to the broker. ``STOMPEvent/drained(_:)`` tells what was left undone.
    ///
    /// Handlers can do all that they could before. Once they are done,
    /// ``send(_:to:contentType:headers:contentLength:receipt:)-(String,_,_,_,_,_)``,
    /// ``subscribe(to:ack:id:headers:options:)`` and ``begin(id:)`` throw ``STOMPError/Code/closed``; until DISCONNECT is
    /// said, messages can still be acknowledged and open transactions ended.
    ///
    /// Does not wait; may be called from anywhere, also before ``run()``.
    public func beginGracefulShutdown() {
        self.shutdown.raise()
    }

    /// At the end of a scope: whatever ran in it has ended, so that no handler is waited for.
    func beginShutdownOfScope() {
        self.inner.withLock { $0.waitsForHandlers = false }
        self.shutdown.raise()
    }
}
