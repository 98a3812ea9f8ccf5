// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension STOMPMessage {
    /// Tells the broker that this message is done with; in `client` mode all earlier ones too (STOMP 1.2, ACK).
    ///
    /// Returns when the ACK is in the outbox; it may still be lost with the connection, and then the message comes
    /// again. Waits only while the outbox is full.
    ///
    /// - Parameter receipt: whether to wait until the broker has confirmed the ACK.
    /// - Throws: ``STOMPError/Code/alreadyAcknowledged``, ``STOMPError/Code/notAcknowledgeable`` or
    ///   ``STOMPError/Code/staleAcknowledgement``, each without a byte on the wire; otherwise as `send`.
    @inlinable
    public nonisolated(nonsending) func ack(receipt: STOMPReceipt = .none) async throws(STOMPError) {
        if case .none = receipt.kind, try self.acknowledgeNow() { return }
        try await self.settle(.ack, receipt: receipt)
    }

    /// Tells the broker that this message was not done; what it does then is its own choice (STOMP 1.2, NACK).
    ///
    /// RabbitMQ delivers it again, at once and perhaps to the same consumer, unless `headers` has `requeue:false`;
    /// ActiveMQ moves it to its dead-letter queue or discards it.
    ///
    /// - Parameters:
    ///   - headers: further headers of the NACK.
    ///   - receipt: whether to wait until the broker has confirmed the NACK.
    /// - Throws: as ``ack(receipt:)``; ``STOMPError/Code/notSupported`` in 1.0, which has no NACK.
    public func nack(headers: STOMPHeaders = [:], receipt: STOMPReceipt = .none) async throws(STOMPError) {
        try await self.settle(.nack, headers: headers, receipt: receipt)
    }

    /// Acknowledges without waiting for anything.
    ///
    /// Returns `false` if that needs a wait for room.
    @usableFromInline
    func acknowledgeNow() throws(STOMPError) -> Bool {
        do throws(STOMPError) {
            guard self.batch.isUsual, let id = self.batch.acknowledgementID(self.index) else {
                return try self.settleNow()
            }
            return try self.batch.outbox.acknowledge(
                id,
                of: self.batch.firstNumber &+ UInt64(truncatingIfNeeded: self.index),
                in: self.batch
            )
        } catch {
            throw Settlement.explained(error)
        }
    }

    @inline(never)
    private func settleNow() throws(STOMPError) -> Bool {
        try self.batch.outbox.settle(Settlement(command: .ack, batch: self.batch, index: self.index))
    }

    @usableFromInline
    func settle(
        _ command: Settlement.Command,
        headers: STOMPHeaders = [:],
        receipt: STOMPReceipt
    ) async throws(STOMPError) {
        var settlement = Settlement(command: command, batch: self.batch, index: self.index)
        settlement.headers = headers
        try await settlement.write(receipt: receipt)
    }
}
