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

    private var now: Duration {
        self.client.time.now
    }

    /// - Returns: why the client has ended, or `nil` if that was wished.
    func run() async -> STOMPError? {
        await withTaskGroup(of: STOMPError?.self) { group in
            self.start(&group)
            // Also when this is cancelled, since the supervisor ends then.
            await self.client.shutdown.waitForChildren()
            return await self.finish(&group)
        }
    }

    @inline(never)
    private func start(_ group: inout TaskGroup<STOMPError?>) {
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
    }

    /// The supervisor has ended, or is to end.
    @inline(never)
    private func finish(_ group: inout TaskGroup<STOMPError?>) async -> STOMPError? {
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

    /// What to do next.
    private enum Step {
        case attempt(ConnectionAttempt)
        case end(STOMPError?)
    }

    private func superviseConnections() async -> STOMPError? {
        var legacy = Legacy()
        var step = self.firstStep()
        while true {
            switch step {
            case .end(let error):
                return Self.end(legacy, error)
            case .attempt(let attempt):
                let outcome = await self.perform(attempt, &legacy)
                step = self.step(after: outcome)
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

    /// One attempt, and the connection that it leads to.
    @inline(never)
    private func perform(_ attempt: ConnectionAttempt, _ legacy: inout Legacy) async -> Outcome {
        if let delay = attempt.circumstances?.delay, delay > .zero {
            await self.client.time.sleep(until: self.now + delay)
        }
        if Task.isCancelled { return .wished }
        self.announce(attempt)
        let connection: STOMPConnection
        do throws(STOMPError) {
            connection = try await attempt.open()
        } catch {
            return error.code == .cancelled ? .wished : .attemptFailed(error)
        }
        self.announce(connection)
        return await self.drive(connection, &legacy)
    }
}

// Never inlined: what these have at hand would stay in the memory of a task that may live for months.
extension Supervisor {
    @inline(never)
    private func firstStep() -> Step {
        self.step(self.schedule.withLock { $0.start(at: self.now) }, after: nil)
    }

    @inline(never)
    private func step(after outcome: Outcome) -> Step {
        switch outcome {
        case .wished:
            return .end(Task.isCancelled ? .cancelled : nil)
        case .attemptFailed(let error):
            if Task.isCancelled { return .end(.cancelled) }
            return self.step(self.schedule.withLock { $0.attemptFailed(error, at: self.now) }, after: error)
        case .lost(let error):
            if Task.isCancelled { return .end(error) }
            let decision = self.schedule.withLock { $0.lost(error, at: self.now) }
            if case .attempt = decision, self.client.isShuttingDown { return .end(nil) }
            return self.step(decision, after: error)
        case .movesBack(let server):
            let attempt = self.schedule.withLock { $0.moveBack(to: server, at: self.now) }
            return self.step(.attempt(attempt), after: nil)
        }
    }

    private func step(_ decision: ReconnectSchedule.Decision, after previous: STOMPError?) -> Step {
        switch decision {
        case .giveUp(let error):
            return .end(error)
        case .attempt(let attempt):
            let hub = self.client.hub
            if let warning = attempt.warning { hub.send(.warning(warning)) }
            if let previous {
                let state = STOMPClientState.waiting(attempt.delay, because: previous)
                hub.send(.reconnecting(after: attempt.delay, because: previous), state: state)
            }
            return .attempt(self.connectionAttempt(attempt, after: previous))
        }
    }

    func connectionAttempt(_ attempt: ReconnectSchedule.Attempt, after previous: STOMPError?) -> ConnectionAttempt {
        ConnectionAttempt(
            to: self.client.servers.servers,
            attempt.server,
            circumstances: ConnectionAttempt.Circumstances(
                delay: attempt.delay,
                number: attempt.number,
                deadline: attempt.deadline,
                previousError: previous
            ),
            configuration: self.client.shared,
            time: self.client.time,
            events: self.client.hub
        )
    }

    @inline(never)
    private func announce(_ attempt: ConnectionAttempt) {
        let (endpoint, number) = (attempt.server.endpoint, attempt.circumstances?.number ?? 1)
        self.client.hub.send(.connecting(endpoint, attempt: number), state: .connecting(endpoint, attempt: number))
    }

    @inline(never)
    private func announce(_ connection: STOMPConnection) {
        self.schedule.withLock { $0.connected(at: self.now) }
        self.client.hub.send(.connected(connection.session), state: .resuming(connection.session))
    }
}
