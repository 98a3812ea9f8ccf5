// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The place of one send in the order in which sends are repeated after a reconnect.
final class ResendTicket: Sendable {
    private struct State {
        /// The newest connection on which it is this send's turn.
        var offered: STOMPConnection?
        var waiter: OneShot<STOMPConnection>?
        /// Resolved when the send is in the outbox of the offered connection, or never will be.
        var turnEnd: OneShot<Void>?
        var isGone = false
    }

    private let state = Locked(State())

    /// The supervisor: it is this send's turn.
    ///
    /// Returns when the frame is in the outbox, or not to be sent by this connection.
    func offer(_ connection: STOMPConnection) async {
        let end = OneShot<Void>()
        let waiter = self.state.withLock { state -> OneShot<STOMPConnection>? in
            if state.isGone { end.resolve(.success(())) }
            state.offered = connection
            state.turnEnd = end
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resolve(.success(connection))
        try? await end.value()
    }

    /// The sender: waits for its turn on another connection than `previous`.
    func turn(after previous: STOMPConnection?) async throws(STOMPError) -> STOMPConnection {
        let waiter = OneShot<STOMPConnection>()
        self.state.withLock { state in
            if let offered = state.offered, offered !== previous {
                waiter.resolve(.success(offered))
            } else {
                state.waiter = waiter
            }
        }
        return try await waiter.value()
    }

    /// The sender: the frame is in the outbox, or the attempt has failed.
    func endTurn() {
        self.state.withLock { state in
            defer { state.turnEnd = nil }
            return state.turnEnd
        }?.resolve(.success(()))
    }

    /// The sender: there will be no other attempt.
    func leave() {
        self.state.withLock { $0.isGone = true }
        self.endTurn()
    }

    /// The client has ended.
    func fail(_ error: STOMPError) {
        self.state.withLock { $0.waiter }?.resolve(.failure(error))
    }
}
