// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Decides which connection a client has: every end of one, and every failed attempt, comes through here and asks one
/// policy.
final class Supervisor: Sendable {
    /// What lives on from one connection to the next.
    struct Legacy: Sendable {
        var subscriptions: [SubscriptionStorage] = []
        /// The last connection ended while they were subscribed to together, by an ERROR that named none of them.
        var resumesOneByOne = false
    }

    /// What one attempt, and the connection that it led to, ended with.
    enum Outcome: Sendable {
        case attemptFailed(STOMPError)
        /// The connection has ended.
        case lost(STOMPError)
        /// The connection was ended for one to this server.
        case movesBack(Int)
        /// The client is to end.
        case wished
    }

    let client: STOMPClient
    let schedule: Locked<ReconnectSchedule>

    init(client: STOMPClient) {
        self.client = client
        self.schedule = Locked(
            ReconnectSchedule(
                client.servers,
                policy: client.configuration.reconnect,
                random: client.configuration.random
            )
        )
    }

    private func server(of attempt: ReconnectSchedule.Attempt) -> STOMPServer {
        self.client.servers.servers[attempt.server]
    }

    private var now: Duration {
        self.client.time.now
    }

    /// - Returns: why the client has ended, or `nil` if that was wished.
    func run() async -> STOMPError? {
        await withTaskGroup(of: STOMPError?.self) { group in
            // Its end is the client's.
            group.addTask(name: "stomp.supervisor") {
                // Nobody waits for the wish to shut down any more.
                defer { self.client.shutdown.raise() }
                return await self.superviseConnections()
            }
            if case .enqueue = self.client.configuration.sendWhileDisconnected {
                // Ends only when cancelled.
                group.addTask(name: "stomp.queue") {
                    await self.client.runQueueDeadlines()
                    return nil
                }
            }
            await self.client.shutdown.wait()
            // The connection itself says goodbye when it is cancelled.
            if !Task.isCancelled {
                // Turns the wish into a polite end of the connection, or of the attempt to make one.
                group.addTask(name: "stomp.shutdown") {
                    await self.client.drain()
                    return nil
                }
            }
            // A polite end makes the supervisor end too, which may still say why it did otherwise.
            var failure = await group.next() ?? nil
            group.cancelAll()
            for await other in group { failure = failure ?? other }
            // What a cancelled attempt says is not news: the shutdown was wished.
            return failure?.code == .cancelled && !Task.isCancelled ? nil : failure
        }
    }

    private func superviseConnections() async -> STOMPError? {
        var legacy = Legacy()
        var previous: STOMPError?
        var decision = self.schedule.withLock { $0.start(at: self.now) }
        while true {
            switch decision {
            case .giveUp(let error):
                return Self.end(legacy, error)
            case .attempt(let attempt):
                let outcome = await self.perform(attempt, after: previous, &legacy)
                switch outcome {
                case .wished:
                    return Self.end(legacy, Task.isCancelled ? .cancelled : nil)
                case .attemptFailed(let error):
                    if Task.isCancelled { return Self.end(legacy, .cancelled) }
                    previous = error
                    decision = self.schedule.withLock { $0.attemptFailed(error, at: self.now) }
                case .lost(let error):
                    if Task.isCancelled { return Self.end(legacy, error) }
                    previous = error
                    decision = self.schedule.withLock { $0.lost(error, at: self.now) }
                    if case .attempt = decision, self.client.isShuttingDown { return Self.end(legacy, nil) }
                case .movesBack(let server):
                    previous = nil
                    decision = .attempt(self.schedule.withLock { $0.moveBack(to: server, at: self.now) })
                }
            }
        }
    }

    /// Ends the subscriptions that wait for a connection that will not come.
    private static func end(_ legacy: Legacy, _ error: STOMPError?) -> STOMPError? {
        for storage in legacy.subscriptions {
            if let error, error.code != .cancelled {
                storage.end(.failed(STOMPConnection.streamEnd(error)), revoking: storage.mode != .auto)
            } else {
                storage.end(.finished, revoking: storage.mode != .auto)
            }
        }
        return error
    }

    // MARK: - One attempt, and the connection that it leads to

    private func perform(
        _ attempt: ReconnectSchedule.Attempt,
        after previous: STOMPError?,
        _ legacy: inout Legacy
    ) async -> Outcome {
        self.announceDelay(of: attempt, after: previous)
        if attempt.delay > .zero { await self.client.time.sleep(until: self.now + attempt.delay) }
        if Task.isCancelled { return .wished }
        self.announce(attempt)
        let connection: STOMPConnection
        do throws(STOMPError) {
            connection = try await self.connectionAttempt(attempt, after: previous).open()
        } catch {
            return error.code == .cancelled ? .wished : .attemptFailed(error)
        }
        self.announce(connection)
        return await self.drive(connection, &legacy)
    }

    // Apart, and never inlined: what these have at hand would stay in the memory of a task that lives for months.

    @inline(never)
    private func announceDelay(of attempt: ReconnectSchedule.Attempt, after previous: STOMPError?) {
        let hub = self.client.hub
        if let warning = attempt.warning { hub.send(.warning(warning)) }
        guard let previous else { return }
        let state = STOMPClientState.waiting(attempt.delay, because: previous)
        hub.send(.reconnecting(after: attempt.delay, because: previous), state: state)
    }

    @inline(never)
    private func announce(_ attempt: ReconnectSchedule.Attempt) {
        let endpoint = self.server(of: attempt).endpoint
        self.client.hub.send(
            .connecting(endpoint, attempt: attempt.number),
            state: .connecting(endpoint, attempt: attempt.number)
        )
    }

    @inline(never)
    private func announce(_ connection: STOMPConnection) {
        self.schedule.withLock { $0.connected(at: self.now) }
        self.client.hub.send(.connected(connection.session), state: .resuming(connection.session))
    }

    /// An attempt lasts until CONNECTED, credentials included.
    @inline(never)
    func connectionAttempt(_ attempt: ReconnectSchedule.Attempt, after previous: STOMPError?) -> ConnectionAttempt {
        let server = self.server(of: attempt)
        return ConnectionAttempt(
            to: server,
            credentials: STOMPCredentialsRequest(
                endpoint: server.endpoint,
                attempt: attempt.number,
                previousError: previous
            ),
            keepsSubscriptions: true,
            configuration: self.client.shared,
            timeout: attempt.deadline.map { max($0 - self.now, .zero) },
            time: self.client.time,
            events: self.client.hub
        )
    }
}
