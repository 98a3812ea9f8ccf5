// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization

/// The connection that there is, and who waits for one.
extension STOMPClient {
    @inline(__always)
    var current: STOMPConnection? {
        self.inner.withLock { $0.connection }
    }

    /// The current connection, once there is one.
    ///
    /// - Parameters:
    ///   - previous: one that has ended, and is not wanted again.
    ///   - deadline: until when to wait; `nil`: until the client ends.
    /// - Returns: the connection that there is, or the next one.
    /// - Throws: ``STOMPError/Code/notConnected`` at the deadline; why the client has ended; ``STOMPError/Code/cancelled``.
    func connection(
        after previous: STOMPConnection? = nil,
        until deadline: Duration?
    ) async throws(STOMPError) -> STOMPConnection {
        let waiter = Waiter(connection: OneShot(), previous: previous)
        try self.inner.withLock { state throws(STOMPError) in
            if let connection = state.connection, connection !== previous {
                waiter.connection.resolve(.success(connection))
            } else if case .ended(let reason) = state.phase {
                throw reason
            } else {
                state.waiters.append(waiter)
            }
        }
        defer { self.inner.withLock { $0.waiters.removeAll { $0.connection === waiter.connection } } }
        return try await self.wait(waiter.connection, until: deadline)
    }

    func wait(
        _ waiter: OneShot<STOMPConnection>,
        until deadline: Duration?
    ) async throws(STOMPError) -> STOMPConnection {
        guard let deadline else { return try await waiter.value() }
        let late = STOMPError(
            .notConnected,
            "There was no connection to \(self.servers) for \(self.configuration.connectionWaitTimeout). "
                + "Is run() running?"
        )
        return try await withDeadline(deadline, of: self.time, timeout: late) { () throws(STOMPError) in
            try await waiter.value()
        }
    }

    /// Whether a call that has sent nothing by this connection is to try the next one.
    static func mayTryNext(_ error: STOMPError, after connection: STOMPConnection) -> Bool {
        switch error.code {
        case .notConnected: true
        // It takes nothing new, since there will be another one.
        case .closed: connection.handsOver.load(ordering: .relaxed)
        default: false
        }
    }

    /// What a call that has sent nothing throws when the client has ended for this reason.
    static func refusal(_ reason: STOMPError) -> STOMPError {
        switch reason.code {
        case .cancelled where !Task.isCancelled:
            // It was run() that was cancelled.
            STOMPError(.closed, "The client is shut down, so nothing was sent.")
        case .cancelled, .closed, .notConnected, .connectFailed, .connectTimedOut, .connectRefused,
            .unsupportedVersion:
            reason
        default:
            // Of a connection that was lost the caller would have to think that the outcome is unknown.
            Outbox.refusal(.closed(reason))
        }
    }

    // MARK: - The supervisor's side

    /// A connection is open; calls get it when ``publish(_:)`` says so.
    func begin(_ connection: STOMPConnection) {
        self.inner.withLock { $0.opening = connection }
    }

    /// Calls get this connection, or wait for the next one.
    func publish(_ connection: STOMPConnection?) {
        let waiters = self.inner.withLock { state in Self.publish(connection, &state) }
        guard let connection else { return }
        for waiter in waiters { waiter.connection.resolve(.success(connection)) }
    }

    private static func publish(_ connection: STOMPConnection?, _ state: inout State) -> [Waiter] {
        state.connection = connection
        state.opening = nil
        guard let connection else { return [] }
        let ready = state.waiters.filter { $0.previous !== connection }
        state.waiters.removeAll { $0.previous !== connection }
        return ready
    }

    /// Gives each send that is to be repeated its turn on a new connection, in their order.
    private func sendAgain(by connection: STOMPConnection) async throws(STOMPError) {
        // Calls may be added meanwhile.
        while let ticket = self.inner.withLock({ $0.resends.first { !$0.wasOffered(connection) } }) {
            await ticket.offer(connection)
            if Task.isCancelled { throw .cancelled }
        }
    }

    /// Sends what is to be sent again and what was queued; the connection is everybody's when nothing is left, which
    /// `onPublished` is told before calls that waited go on.
    func sendBacklog(by connection: STOMPConnection, onPublished: () -> Void) async throws(STOMPError) {
        while true {
            try await self.sendAgain(by: connection)
            let now = self.time.now
            let (entry, expired, waiters) = self.inner.withLock { state -> (SendQueue.Entry?, Int, [Waiter]?) in
                let (entry, expired) = state.queue.takeFirst(at: now)
                // In one step, so that nothing is left behind the last.
                let isLast = entry == nil && state.resends.allSatisfy { $0.wasOffered(connection) }
                return (entry, expired, isLast ? Self.publish(connection, &state) : nil)
            }
            if expired > 0 { self.hub.send(.framesLost(expired)) }
            if let waiters {
                onPublished()
                for waiter in waiters { waiter.connection.resolve(.success(connection)) }
                return
            }
            guard let entry else { continue }
            do throws(STOMPError) {
                if try connection.sendNow(entry.request) { continue }
                let deadline = min(entry.deadline, now + self.configuration.outboxTimeout)
                let request = entry.request
                // Its own time may be over before that of those who have waited longer for room.
                try await withDeadline(deadline, of: self.time, timeout: Self.noRoom) { () throws(STOMPError) in
                    try await connection.send(request, receipt: .none)
                }
            } catch  where error.code == .invalidArgument {
                // This one can never be sent.
                self.hub.send(.framesLost(1))
            } catch {
                // Nothing of it has been written, so that it goes on waiting: for room, or for the next connection.
                self.inner.withLock { $0.queue.putBack(entry) }
                self.queueSignal.raise()
                if error.code != .outboxFull { throw error }
            }
        }
    }

    private static let noRoom = STOMPError(.outboxFull, "The outbox stayed full, so nothing was sent.")

    /// The task `stomp.queue`: drops each message of the queue when its time is over, and tells of it.
    func runQueueDeadlines() async {
        while !Task.isCancelled {
            let now = self.time.now
            let (expired, next) = self.inner.withLock { state in
                (state.queue.dropExpired(at: now), state.queue.nextDeadline)
            }
            if expired > 0 { self.hub.send(.framesLost(expired)) }
            await self.queueSignal.wait(until: next, of: self.time)
        }
    }

    /// Says goodbye to the connection that there is.
    func drain() async {
        let (connection, waitsForHandlers) = self.inner.withLock { state in
            state.isShuttingDown = true
            return (state.connection ?? state.opening, state.waitsForHandlers)
        }
        guard let connection else { return }
        let report = await connection.drain(waitingForHandlers: waitsForHandlers)
        self.inner.withLock { $0.report = report }
    }

    /// Whether a connection that is lost now needs no successor.
    var isShuttingDown: Bool {
        self.inner.withLock { $0.isShuttingDown }
    }

    func end(_ failure: STOMPError?) {
        let reason = failure ?? STOMPError(.closed, "The client is shut down.")
        let (waiters, resends, lost, report) = self.inner.withLock { state in
            state.phase = .ended(reason)
            state.connection = nil
            state.opening = nil
            defer {
                state.waiters = []
                state.resends = []
            }
            return (state.waiters, state.resends, state.queue.removeAll(), state.report)
        }
        // Always after the end of the connection, though that and the drain end at the same time.
        if let report { self.hub.send(.drained(report)) }
        if lost > 0 { self.hub.send(.framesLost(lost)) }
        for waiter in waiters { waiter.connection.resolve(.failure(reason)) }
        for ticket in resends { ticket.fail(reason) }
        self.hub.finish(.closed(failure))
    }
}
