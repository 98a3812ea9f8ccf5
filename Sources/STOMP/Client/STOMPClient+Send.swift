// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Sends that have to wait: for a connection, for room, for a receipt.
extension STOMPClient {
    @usableFromInline
    func send(_ request: SendRequest, receipt: STOMPReceipt) async throws(STOMPError) {
        switch (receipt.kind, self.configuration.sendWhileDisconnected) {
        case (.required(let timeout, .resend), _):
            try await self.sendUntilConfirmed(request, within: timeout)
        case (.none, .enqueue(let limits)):
            if try self.enqueue(request, limits) { return }
            // There is a connection, which has no room, or has just ended.
            try await self.sendOnce(request, receipt: receipt)
        default:
            try await self.sendOnce(request, receipt: receipt)
        }
    }

    private static let noConnection = STOMPError(
        .notConnected,
        "There is no connection, so nothing was sent; with sendWhileDisconnected set to .wait the call would wait for one."
    )

    /// - Returns: `false` if there is a connection.
    private func enqueue(_ request: SendRequest, _ limits: STOMPSendQueueLimits) throws(STOMPError) -> Bool {
        let now = self.time.now
        let dropped = try self.inner.withLock { state throws(STOMPError) -> Int? in
            if case .ended(let reason) = state.phase { throw Self.refusal(reason) }
            if let connection = state.connection, !connection.outbox.isClosed { return nil }
            return try state.queue.append(request, limits: limits, at: now)
        }
        guard let dropped else { return false }
        self.queueSignal.raise()
        if dropped > 0 { self.hub.send(.framesLost(dropped)) }
        return true
    }

    /// Sends by the present connection or, while nothing has been sent, by the next one.
    private func sendOnce(_ request: SendRequest, receipt: STOMPReceipt) async throws(STOMPError) {
        let deadline = self.time.now + self.configuration.connectionWaitTimeout
        var connection =
            if let current = self.current {
                current
            } else if self.configuration.sendWhileDisconnected == .fail {
                throw Self.noConnection
            } else {
                try await self.currentConnection(until: deadline)
            }
        while true {
            do throws(STOMPError) {
                return try await connection.send(request, receipt: receipt)
            } catch  where Self.mayTryNext(error, after: connection) {
                switch self.configuration.sendWhileDisconnected {
                case .fail: throw Self.noConnection
                case .enqueue(let limits): if receipt == .none, try self.enqueue(request, limits) { return }
                case .wait: break
                }
                connection = try await self.currentConnection(after: connection, until: deadline)
            }
        }
    }

    // MARK: - Until confirmed

    /// Repeats the send on each new connection, in the order of the calls, until it is confirmed or refused.
    ///
    /// At least once: a broker may have it twice.
    private func sendUntilConfirmed(_ request: SendRequest, within timeout: Duration?) async throws(STOMPError) {
        let ticket = ResendTicket()
        var connection = try self.inner.withLock { state throws(STOMPError) -> STOMPConnection? in
            if case .ended(let reason) = state.phase { throw Self.refusal(reason) }
            state.resends.append(ticket)
            return state.connection
        }
        defer {
            self.inner.withLock { $0.resends.removeAll { $0 === ticket } }
            ticket.leave()
        }
        var mayHaveBeenSent = false
        while true {
            let present: STOMPConnection
            if let connection, !connection.outbox.isClosed {
                present = connection
            } else {
                present = try await self.turn(of: ticket, after: connection, mayHaveBeenSent)
            }
            do throws(STOMPError) {
                defer { ticket.endTurn(on: present) }
                return try await present.send(request, awaitingReceiptWithin: timeout) { ticket.endTurn(on: present) }
            } catch  where error.code == .connectionLost || Self.mayTryNext(error, after: present) {
                mayHaveBeenSent = mayHaveBeenSent || error.code == .connectionLost
                connection = try await self.turn(of: ticket, after: present, mayHaveBeenSent)
            } catch  where mayHaveBeenSent && Self.saysNotSent(error) {
                // True of this connection, and not of the one before.
                throw Self.unknown(error, "Sending it again failed after the connection had ended")
            }
        }
    }

    private func turn(
        of ticket: ResendTicket,
        after previous: STOMPConnection?,
        _ mayHaveBeenSent: Bool
    ) async throws(STOMPError) -> STOMPConnection {
        if !mayHaveBeenSent, self.configuration.sendWhileDisconnected == .fail { throw Self.noConnection }
        do throws(STOMPError) {
            // What may have been sent waits for as long as the client tries to connect: its outcome depends on that.
            let deadline = mayHaveBeenSent ? nil : self.time.now + self.configuration.connectionWaitTimeout
            guard let deadline else { return try await ticket.turn(after: previous) }
            return try await withDeadline(deadline, of: self.time, timeout: Self.noConnection) {
                () throws(STOMPError) in
                try await ticket.turn(after: previous)
            }
        } catch {
            // That of run() is the client's end.
            guard mayHaveBeenSent, error.code != .cancelled || !Task.isCancelled else { throw Self.refusal(error) }
            throw Self.unknown(error, "The client ended before the receipt came")
        }
    }

    /// Whether an error says that nothing of the call went to the broker.
    private static func saysNotSent(_ error: STOMPError) -> Bool {
        [.closed, .outboxFull, .invalidArgument, .notSupported].contains(error.code)
    }

    private static func unknown(_ error: STOMPError, _ what: String) -> STOMPError {
        STOMPError(.connectionLost, "\(what), so the outcome is unknown: \(error.message)", cause: error)
    }
}
