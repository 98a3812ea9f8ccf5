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
    /// - Throws: ``STOMPError/Code/receiptTimedOut`` if the broker did not confirm it within
    ///   ``STOMPConfiguration/shutdownTimeout``; ``STOMPError/Code/connectionLost``; ``STOMPError/Code/cancelled``.
    public func unsubscribe(headers: STOMPHeaders = [:]) async throws(STOMPError) {
        let storage = self.handle.storage
        let owner = storage.owner
        guard !storage.hasEnded else { return }
        let farewell = Farewell(storage: storage, headers: headers)
        guard owner.dialect.hasReceipts else {
            guard storage.end(.finished, revoking: true) else { return }
            owner.outbox.writeFarewell(farewell)
            return owner.outbox.noteAbandoned(storage.id)
        }
        if Farewell.needsTransaction(owner) { try await self.awaitWhatIsUnderWay() }
        guard storage.end(.finished, revoking: true) else { return }
        defer { owner.outbox.noteAbandoned(storage.id) }
        try await owner.outbox.appendAwaitingReceipt(
            within: owner.shutdownTimeout,
            roomWithin: nil,
            isUrgent: true
        ) { state, receipt throws(STOMPError) in
            try farewell.append(to: &state, receipt: receipt)
        }
    }

    /// Waits until all that the broker had sent before now is here, so that nothing of it is stranded: an empty
    /// transaction, whose COMMIT is confirmed behind it.
    private func awaitWhatIsUnderWay() async throws(STOMPError) {
        let owner = self.handle.storage.owner
        let serializer = FrameSerializer(version: owner.rules.version)
        do throws(STOMPError) {
            try await owner.outbox.appendAwaitingReceipt(
                within: owner.shutdownTimeout,
                roomWithin: nil,
                isUrgent: true
            ) { state, receipt throws(STOMPError) in
                let id = state.transactions.makeID()
                try serializer.append(STOMPFrame(.begin, headers: [.transaction: id]), to: &state.pending)
                let headers: STOMPHeaders = [.transaction: id, .receipt: String(receipt)]
                try serializer.append(STOMPFrame(.commit, headers: headers), to: &state.pending)
            }
        } catch  where error.code == .cancelled || error.code == .receiptTimedOut {
            // Then what is under way stays with this connection; the subscription ends all the same.
            return
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
        if let error = problem.withLock({ $0 }), error.code == .receiptTimedOut { throw error }
        return value
    }
}
