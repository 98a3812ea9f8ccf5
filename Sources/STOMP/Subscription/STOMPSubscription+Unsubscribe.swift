// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPSubscription {
    /// Ends the subscription: its loop ends, and what was received and not answered goes back to the broker at once
    /// (STOMP 1.2, UNSUBSCRIBE).
    ///
    /// A subscription that has ended is left alone.
    ///
    /// Messages that are being handled can no longer be acknowledged; the broker delivers them again.
    ///
    /// - Parameter headers: further headers, such as those that delete a durable subscription.
    /// - Throws: ``STOMPError/Code/invalidArgument`` if a header cannot be sent: then the subscription goes on;
    ///   ``STOMPError/Code/receiptTimedOut`` if the broker did not confirm it within
    ///   ``STOMPConfiguration/shutdownTimeout``, on RabbitMQ each of the steps that give messages back, of which there are
    ///   at most 20 times four; ``STOMPError/Code/rejected`` if the broker refused it, or did not take messages back by
    ///   then; ``STOMPError/Code/connectionLost``, or ``STOMPError/Code/closed`` in a shutdown, when what
    ///   was not given back goes back with the connection; ``STOMPError/Code/cancelled``.
    public func unsubscribe(headers: STOMPHeaders = [:]) async throws(STOMPError) {
        let storage = self.handle.storage
        guard !storage.hasEnded else { return }
        let intended = Farewell(storage: storage, headers: headers)
        try intended.check()
        if intended.mayLeaveSomething { await self.letWhatIsUnderWayCome() }
        guard storage.end(.finished, revoking: true), !storage.isInterrupted else { return }
        // Only now it is certain which connection knows it.
        let farewell = Farewell(storage: storage, headers: headers)
        let owner = farewell.owner
        if farewell.mayLeaveSomething { return try await owner.outbox.leave(farewell) }
        guard owner.dialect.hasReceipts else { return try owner.outbox.writeFarewell(farewell) }
        defer { owner.outbox.noteAbandoned(storage.id) }
        try await owner.outbox.appendAwaitingReceipt(
            within: owner.shutdownTimeout,
            roomWithin: nil,
            isUrgent: true
        ) { state, receipt throws(STOMPError) in
            try farewell.append(to: &state, receipt: receipt)
        }
    }

    /// For a broker that keeps for this connection what is not given back.
    private func letWhatIsUnderWayCome() async {
        let owner = self.handle.storage.owner
        do throws(STOMPError) {
            // What the broker has sent before now is then here, and goes back with the rest.
            try await owner.outbox.roundTrip(version: owner.rules.version, within: owner.shutdownTimeout)
        } catch {
            // Then it is given back afterwards, or went back with the connection; the subscription ends all the same.
        }
    }

    /// Runs `body` and unsubscribes after it, whatever becomes of it.
    nonisolated(nonsending) func withUnsubscribing<Value>(
        _ body: (STOMPSubscription) async throws -> Value
    ) async throws -> Value {
        let problem = Locked<STOMPError?>(nil)
        let value = try await withCleanup {
            try await body(self)
        } cleanup: { _ in
            do throws(STOMPError) {
                try await self.unsubscribe()
            } catch {
                problem.withLock { $0 = error }
            }
        }
        // A connection that is gone has no subscription any more.
        if let error = problem.withLock({ $0 }), [.receiptTimedOut, .rejected].contains(error.code) { throw error }
        return value
    }
}
