// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// An ACK or NACK of one message.
@usableFromInline
struct Settlement: Sendable {
    @usableFromInline
    enum Command: Sendable {
        case ack
        case nack
    }

    let command: Command
    let batch: MessageBatch
    let index: Int
    var transaction: String?
    var headers: STOMPHeaders = [:]

    init(command: Command, batch: MessageBatch, index: Int) {
        self.command = command
        self.batch = batch
        self.index = index
    }

    var owner: DeliveryOwner { self.batch.owner }

    private var number: UInt64 { self.batch.firstNumber + UInt64(self.index) }

    /// Whether it answers the earlier messages too (STOMP 1.2, SUBSCRIBE ack).
    private var isCumulative: Bool {
        guard self.owner.mode == .client else { return false }
        // ActiveMQ's NACK is for one message in every mode.
        return self.command == .ack || self.owner.dialect.negativeAcknowledgement == .redelivers
    }

    /// Writes it, waiting for room and, if wanted, for its receipt.
    func write(receipt: STOMPReceipt) async throws(STOMPError) {
        let outbox = self.owner.outbox
        do throws(STOMPError) {
            switch receipt.kind {
            case .none:
                let deadline = outbox.time.now + self.owner.outboxTimeout
                if try outbox.settle(self) { return }
                _ = try await outbox.appendWhenRoom(until: deadline, .ending) { state, _ throws(STOMPError) in
                    try self.append(to: &state, receipt: nil)
                    return RoomWaiter.Appended()
                }
            case .required(let timeout, _):
                guard self.owner.dialect.hasReceipts else { throw STOMPError.noReceipts(self.owner.dialect) }
                try await outbox.appendAwaitingReceipt(
                    within: timeout ?? self.owner.receiptTimeout,
                    roomWithin: self.owner.outboxTimeout
                ) { state, receipt throws(STOMPError) in
                    try self.append(to: &state, receipt: receipt)
                }
            }
        } catch {
            throw Self.explained(error)
        }
    }

    /// Under the lock: asks the ledger, and only if it agrees appends the frame.
    func append(to state: inout Outbox.State, receipt: UInt64?) throws(STOMPError) {
        let version = self.owner.rules.version
        if self.command == .nack, version == .v10 || self.owner.dialect.negativeAcknowledgement == .unsupported {
            throw STOMPError(
                .notSupported,
                "There is no NACK in a STOMP \(version) session with \(self.owner.dialect)."
            )
        }
        if let transaction = self.transaction, !state.transactions.isOpen(transaction) {
            throw STOMPError(.transactionEnded, "The transaction \(transaction) was committed or aborted before.")
        }
        let id = self.batch.acknowledgementID(self.index)
        guard id != nil || self.owner.mode == .auto else {
            throw STOMPError(.notAcknowledgeable, "The broker sent no id to acknowledge message \(self.index) with.")
        }
        let checkpoint = state.pending.count
        do throws(STOMPError) {
            if let id { try self.appendFrame(id, to: &state.pending, receipt: receipt) }
            try self.updateLedger(&state)
        } catch {
            state.pending.truncate(to: checkpoint)
            throw error
        }
    }

    @inline(__always)
    private func updateLedger(_ state: inout Outbox.State) throws(STOMPError) {
        if self.transaction == nil, !self.isCumulative {
            return try state.deliveries.settle(self.number, in: self.batch)
        }
        try self.updateLedgerOfMany(&state)
    }

    @inline(never)
    private func updateLedgerOfMany(_ state: inout Outbox.State) throws(STOMPError) {
        let (number, isCumulative, keepsBatches) = (self.number, self.isCumulative, self.transaction != nil)
        let settled = try state.deliveries.update(self.owner) {
            record throws(STOMPError) -> TransactionRecord.Settled? in
            guard isCumulative else {
                try record.ledger.settle(number)
                let numbers = number..<number + 1
                let batches = keepsBatches ? record.outstanding.filter { $0.numbers.contains(number) } : []
                record.releaseSettled(numbers)
                return keepsBatches ? .init(owner: self.owner, numbers: [numbers], batches: batches) : nil
            }
            let ranges = try record.ledger.settleThrough(number)
            let batches = keepsBatches ? record.outstanding.filter { $0.firstNumber <= number } : []
            for numbers in ranges { record.releaseSettled(numbers) }
            return keepsBatches ? .init(owner: self.owner, numbers: ranges, batches: batches) : nil
        }
        if let settled, let transaction = self.transaction {
            try state.transactions.update(transaction) { record in record.settled.append(settled) }
        }
    }

    /// The ids go back as they came: both directions escape alike.
    @inline(__always)
    private func appendFrame(
        _ id: UnsafeRawBufferPointer,
        to output: inout OutputBuffer,
        receipt: UInt64?
    ) throws(STOMPError) {
        let start = self.command == .ack ? self.owner.ackStart : self.owner.nackStart
        output.append(start)
        output.append(id)
        output.append(UInt8(ascii: "\n"))
        if self.transaction != nil || receipt != nil || !self.headers.isEmpty {
            try self.appendFurtherHeaders(to: &output, receipt: receipt)
        }
        output.append("\n\0")
    }

    @inline(never)
    private func appendFurtherHeaders(to output: inout OutputBuffer, receipt: UInt64?) throws(STOMPError) {
        let serializer = FrameSerializer(version: self.owner.rules.version)
        if let transaction = self.transaction {
            try serializer.appendHeader("transaction:", transaction, to: &output)
        }
        if let receipt {
            output.append("receipt:")
            output.append(decimal: receipt)
            output.append(UInt8(ascii: "\n"))
        }
        for field in self.headers.fields {
            if Self.reserved.contains(field.name) {
                throw STOMPError(.invalidArgument, "The header \(field.name) of a NACK is the client's own.")
            }
            try serializer.appendHeader(field.name.rawValue, field.value, to: &output)
        }
    }

    private static let reserved: Set<STOMPHeaders.Name> = [
        .id, .messageID, .subscription, .transaction, .receipt, .contentLength,
    ]

    /// Why a message can't be answered, if it is that nothing can be written.
    static func explained(_ cause: STOMPError) -> STOMPError {
        guard cause.code == .notConnected || cause.code == .closed else { return cause }
        return STOMPError(
            .staleAcknowledgement,
            "The message came by a connection that has ended; the broker delivers it again.",
            cause: cause
        )
    }
}

extension Outbox {
    /// Writes the usual ACK, which answers one message and says no more than its id, if there is room.
    @inline(__always)
    func acknowledge(
        _ id: UnsafeRawBufferPointer,
        of number: UInt64,
        in batch: MessageBatch
    ) throws(STOMPError) -> Bool {
        try self.appendIfRoom(.ending) { state throws(STOMPError) in
            // What follows cannot fail.
            try state.deliveries.settle(number, in: batch)
            state.pending.append(batch.owner.ackStart, id, "\n\n\0")
        }
    }

    /// Writes an ACK or NACK if there is room; nothing is written when it throws.
    func settle(_ settlement: Settlement) throws(STOMPError) -> Bool {
        try self.appendIfRoom(.ending) { state throws(STOMPError) in try settlement.append(to: &state, receipt: nil) }
    }

    /// Finds an unanswered delivery by the id that its acknowledgement names.
    ///
    /// - Throws: ``STOMPError/Code/alreadyAcknowledged`` if none has it: acknowledged before, or never delivered.
    func delivery(acknowledgementID: String, owner: DeliveryOwner) throws(STOMPError) -> (MessageBatch, Int) {
        let found = try self.state.withLock { state throws(STOMPError) -> (MessageBatch, Int)? in
            try state.deliveries.update(owner) { record throws(STOMPError) -> (MessageBatch, Int)? in
                for batch in record.outstanding {
                    for index in 0..<batch.count
                    where record.ledger.isUnsettled(batch.firstNumber + UInt64(index)) {
                        guard let raw = batch.acknowledgementID(index) else { continue }
                        if owner.rules.text(raw).utf8.elementsEqual(acknowledgementID.utf8) { return (batch, index) }
                    }
                }
                return nil
            }
        }
        guard let found else {
            throw STOMPError(
                .alreadyAcknowledged,
                "No unanswered message of this subscription has the id \"\(acknowledgementID)\"."
            )
        }
        return found
    }
}

extension STOMPError {
    static func noReceipts(_ dialect: STOMPDialect) -> STOMPError {
        STOMPError(.notSupported, "A receipt was required, but \(dialect) gives none.")
    }
}
