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
        var turnEnd: Completion?
        var isGone = false
        /// Why the client has ended.
        var failure: STOMPError?
    }

    private let state = Locked(State())

    /// The supervisor: it is this send's turn.
    ///
    /// Returns when the frame is in the outbox, or not to be sent by this connection.
    func offer(_ connection: STOMPConnection) async {
        let end = Completion()
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

    /// Whether this connection has been offered.
    func wasOffered(_ connection: STOMPConnection) -> Bool {
        self.state.withLock { $0.offered === connection }
    }

    /// The sender: waits for its turn on another connection than `previous`.
    func turn(after previous: STOMPConnection?) async throws(STOMPError) -> STOMPConnection {
        let waiter = OneShot<STOMPConnection>()
        self.state.withLock { state in
            if let offered = state.offered, offered !== previous {
                waiter.resolve(.success(offered))
            } else if let failure = state.failure {
                waiter.resolve(.failure(failure))
            } else {
                state.waiter = waiter
            }
        }
        return try await waiter.value()
    }

    /// The sender: the frame is in the outbox of this connection, or the attempt has failed.
    ///
    /// Its turn on a newer one, which may have begun before it learned of the end of this, goes on.
    func endTurn(on connection: STOMPConnection) {
        self.state.withLock { state -> Completion? in
            guard state.offered === connection else { return nil }
            defer { state.turnEnd = nil }
            return state.turnEnd
        }?.resolve(.success(()))
    }

    /// The sender: there will be no other attempt.
    func leave() {
        self.state.withLock { state -> Completion? in
            state.isGone = true
            defer { state.turnEnd = nil }
            return state.turnEnd
        }?.resolve(.success(()))
    }

    /// The client has ended.
    func fail(_ error: STOMPError) {
        // The sender may not have learned yet that it has to wait.
        self.state.withLock { state in
            state.failure = error
            return state.waiter
        }?.resolve(.failure(error))
    }
}
