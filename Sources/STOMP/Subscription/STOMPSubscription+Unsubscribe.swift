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
        var transaction: String?
        if Farewell.needsTransaction(owner), owner.dialect.hasReceipts {
            transaction = try await self.beginGivingBack()
        }
        guard storage.end(.finished, revoking: true) else { return }
        owner.outbox.noteAbandoned(storage.id)
        let farewell = Farewell(storage: storage, headers: headers)
        guard owner.dialect.hasReceipts else { return owner.outbox.writeFarewell(farewell) }
        try await owner.outbox.appendAwaitingReceipt(
            within: owner.shutdownTimeout,
            roomWithin: nil,
            isUrgent: true
        ) { state, receipt throws(STOMPError) in
            try farewell.append(to: &state, transaction: transaction, receipt: receipt)
        }
    }

    /// Opens the transaction in which unanswered messages are given back.
    ///
    /// When its receipt is in, so is all that the broker had sent before: nothing of it is stranded.
    private func beginGivingBack() async throws(STOMPError) -> String {
        let owner = self.handle.storage.owner
        let id = owner.outbox.makeTransactionID()
        let serializer = FrameSerializer(version: owner.rules.version)
        try await owner.outbox.appendAwaitingReceipt(
            within: owner.shutdownTimeout,
            roomWithin: nil,
            isUrgent: true
        ) { state, receipt throws(STOMPError) in
            let headers: STOMPHeaders = [.transaction: id, .receipt: String(receipt)]
            try serializer.append(STOMPFrame(.begin, headers: headers), to: &state.pending)
        }
        return id
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
