// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPConnection {
    /// Begins a transaction (STOMP 1.2, BEGIN).
    ///
    /// End it with ``STOMPTransaction/commit()`` or ``STOMPTransaction/abort()``; if the connection ends before, the
    /// broker aborts it.
    ///
    /// - Parameter id: its id on the wire; `nil`: one is made.
    /// - Returns: the open transaction.
    /// - Throws: ``STOMPError/Code/invalidArgument`` if the id is in use; otherwise as `send`.
    public nonisolated func begin(id: String? = nil) async throws(STOMPError) -> STOMPTransaction {
        let id = id ?? self.outbox.makeTransactionID()
        let deadline = self.time.now + self.configuration.outboxTimeout
        while try !self.outbox.begin(id, serializer: self.serializer) {
            try await self.outbox.waitForRoom(until: deadline)
        }
        return STOMPTransaction(id: id, connection: self)
    }

    /// Runs `body` in a transaction: COMMIT with a receipt when it returns, ABORT when it throws or the task is
    /// cancelled.
    ///
    /// Never replayed.
    ///
    /// - Throws: what `body` throws; ``STOMPError/Code/cancelled``; else as ``STOMPTransaction/commit()``.
    public nonisolated(nonsending) func withTransaction<Value>(
        _ body: (STOMPTransaction) async throws -> Value
    ) async throws -> Value {
        let transaction = try await self.begin()
        return try await withCleanup {
            let value = try await body(transaction)
            if Task.isCancelled { throw STOMPError.cancelled }
            try await transaction.commit()
            return value
        } cleanup: { failed in
            // After a COMMIT that was written this finds the transaction ended.
            if failed { try? await transaction.abort() }
        }
    }
}

extension Outbox {
    /// Writes BEGIN if there is room.
    func begin(_ id: String, serializer: FrameSerializer) throws(STOMPError) -> Bool {
        let action = try self.state.withLock { state throws(STOMPError) -> Action? in
            guard try self.hasRoom(state) else { return nil }
            let wasEmpty = state.pending.isEmpty
            try state.transactions.begin(id, record: TransactionRecord())
            do throws(STOMPError) {
                try serializer.append(STOMPFrame(.begin, headers: [.transaction: id]), to: &state.pending)
            } catch {
                _ = try? state.transactions.end(id)
                throw error
            }
            return self.decide(&state, wasEmpty: wasEmpty, isUrgent: false)
        }
        guard let action else { return false }
        self.perform(action)
        return true
    }
}
