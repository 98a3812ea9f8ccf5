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
        let deadline = self.time.now + self.configuration.outboxTimeout
        let begun = try await self.outbox.begin(id, serializer: self.serializer, roomUntil: deadline)
        return STOMPTransaction(id: begun, connection: self)
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
        try await self.begin().end(after: body)
    }
}

extension STOMPTransaction {
    nonisolated(nonsending) func end<Value>(after body: (STOMPTransaction) async throws -> Value) async throws -> Value
    {
        try await withCleanup {
            let value = try await body(self)
            if Task.isCancelled { throw STOMPError.cancelled }
            try await self.commit()
            return value
        } cleanup: { failed in
            // After a COMMIT that was written this finds the transaction ended.
            if failed { try? await self.abort() }
        }
    }
}

extension Outbox {
    /// Writes BEGIN, waiting for room.
    ///
    /// - Returns: the transaction's id; one that is made is made and taken in one critical section, since a user may
    ///   choose the same.
    func begin(
        _ id: String?,
        serializer: FrameSerializer,
        roomUntil deadline: Duration
    ) async throws(STOMPError) -> String {
        let (done, action) = try self.state.withLock { state throws(STOMPError) -> (String?, Action) in
            guard try self.hasRoom(state) else { return (nil, .nothing) }
            let wasEmpty = state.pending.isEmpty
            let begun = try state.beginTransaction(id, serializer: serializer)
            return (begun, self.decide(&state, wasEmpty: wasEmpty, isUrgent: false))
        }
        self.perform(action)
        if let done { return done }
        let begun = Locked("")
        _ = try await self.appendWhenRoom(until: deadline, .beginning) { state, _ throws(STOMPError) in
            let id = try state.beginTransaction(id, serializer: serializer)
            begun.withLock { $0 = id }
            return RoomWaiter.Appended()
        }
        return begun.withLock { $0 }
    }
}

extension Outbox.State {
    /// BEGIN: appends it, or throws and changes nothing.
    fileprivate mutating func beginTransaction(
        _ id: String?,
        serializer: FrameSerializer
    ) throws(STOMPError) -> String {
        let id = id ?? self.transactions.makeID()
        try self.transactions.begin(id, record: TransactionRecord())
        do throws(STOMPError) {
            try serializer.append(STOMPFrame(.begin, headers: [.transaction: id]), to: &self.pending)
        } catch {
            _ = try? self.transactions.end(id)
            throw error
        }
        return id
    }
}
