// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Who a delivery belongs to: one subscription on one connection.
///
/// What a message needs for its ack, and no more.
@usableFromInline
package final class DeliveryOwner: Sendable {
    let outbox: Outbox
    let subscriptionID: String
    let mode: STOMPAckMode
    let dialect: STOMPDialect
    let rules: HeaderRules
    /// How long an ack may wait for its receipt, and for room.
    let receiptTimeout: Duration
    let outboxTimeout: Duration
    /// How long UNSUBSCRIBE may take.
    let shutdownTimeout: Duration
    /// Whether an ACK repeats the `ack` header, rather than `message-id`.
    let repeatsAck: Bool
    let stripsCarriageReturn: Bool
    /// An ACK up to the id, which is the only part that changes; not an array, which each ack would retain and release.
    ///
    /// `nonisolated(unsafe)`: memory of this object's own, filled in `init` before anybody else has the object, only read
    /// afterwards, and freed in `deinit`, when nobody has it any more.
    nonisolated(unsafe) let ackStart: UnsafeRawBufferPointer
    /// A NACK up to the id.
    ///
    /// `nonisolated(unsafe)`: as ``ackStart``: filled in `init`, only read, freed in `deinit`.
    nonisolated(unsafe) let nackStart: UnsafeRawBufferPointer
    fileprivate let index: Int
    fileprivate let serial: UInt64

    fileprivate init(
        outbox: Outbox,
        subscriptionID: String,
        mode: STOMPAckMode,
        session: SessionContext,
        index: Int,
        serial: UInt64
    ) {
        self.outbox = outbox
        self.subscriptionID = subscriptionID
        self.mode = mode
        self.dialect = session.dialect
        self.rules = HeaderRules(version: session.version, leniency: session.leniency)
        self.receiptTimeout = session.receiptTimeout
        self.outboxTimeout = session.outboxTimeout
        self.shutdownTimeout = session.shutdownTimeout
        self.repeatsAck = session.version == .v12 && session.dialect.acknowledgementHeader == .ack
        self.stripsCarriageReturn = self.rules.stripsCarriageReturn
        self.ackStart = Self.start("ACK\n", subscriptionID, session)
        self.nackStart = Self.start("NACK\n", subscriptionID, session)
        self.index = index
        self.serial = serial
    }

    deinit {
        self.ackStart.deallocate()
        self.nackStart.deallocate()
    }

    private static func start(
        _ command: StaticString,
        _ subscriptionID: String,
        _ session: SessionContext
    ) -> UnsafeRawBufferPointer {
        var output = OutputBuffer()
        output.append(command)
        let version = session.version
        if version == .v12 {
            output.append("id:")
        } else {
            // One that cannot be said is refused with its SUBSCRIBE, so that no message comes by it.
            if version == .v11 || session.dialect.namesSubscriptionInLegacyAck {
                try? FrameSerializer(version: version).appendHeader("subscription:", subscriptionID, to: &output)
            }
            output.append("message-id:")
        }
        let start = UnsafeMutableRawBufferPointer.allocate(byteCount: output.count, alignment: 1)
        start.copyMemory(from: output.bytes)
        return UnsafeRawBufferPointer(start)
    }
}

/// What of a session does not change once it is open.
struct SessionContext: Sendable {
    var version: STOMPVersion
    var leniency: STOMPLeniency
    var dialect: STOMPDialect
    var receiptTimeout: Duration
    var outboxTimeout: Duration
    var shutdownTimeout: Duration
}

/// The deliveries of all subscriptions of a connection that may still be answered.
struct DeliveryTable: Sendable {
    struct Record: Sendable {
        /// Zero for a place that is free.
        var serial: UInt64
        var ledger: AcknowledgementLedger
        /// The batches with unanswered messages, by number: for acks by id, and for giving back.
        var outstanding: [MessageBatch] = []
    }

    private var records: [Record] = []
    private var free: [Int] = []
    private var lastSerial: UInt64 = 0

    mutating func open(
        subscriptionID: String,
        mode: STOMPAckMode,
        session: SessionContext,
        outbox: Outbox
    ) -> DeliveryOwner {
        self.lastSerial += 1
        let record = Record(serial: self.lastSerial, ledger: AcknowledgementLedger(mode: mode))
        let index: Int
        if let last = self.free.popLast() {
            index = last
            self.records[index] = record
        } else {
            index = self.records.count
            self.records.append(record)
        }
        return DeliveryOwner(
            outbox: outbox,
            subscriptionID: subscriptionID,
            mode: mode,
            session: session,
            index: index,
            serial: self.lastSerial
        )
    }

    /// No delivery of this subscription can be answered any more.
    @discardableResult
    mutating func close(_ owner: DeliveryOwner) -> Record? {
        guard owner.index < self.records.count, self.records[owner.index].serial == owner.serial else { return nil }
        let record = self.records[owner.index]
        self.records[owner.index] = Record(serial: 0, ledger: AcknowledgementLedger(mode: .auto))
        self.free.append(owner.index)
        return record
    }

    func unansweredCount(of owner: DeliveryOwner) -> Int {
        guard owner.index < self.records.count, self.records[owner.index].serial == owner.serial else { return 0 }
        return self.records[owner.index].ledger.unsettled.reduce(0) { $0 + $1.count }
    }

    /// - Throws: ``STOMPError/Code/notAcknowledgeable`` if the subscription has ended.
    @inline(__always)
    mutating func update<Result>(
        _ owner: DeliveryOwner,
        _ body: (inout Record) throws(STOMPError) -> Result
    ) throws(STOMPError) -> Result {
        guard owner.index < self.records.count, self.records[owner.index].serial == owner.serial else {
            throw STOMPError(
                .notAcknowledgeable,
                "The subscription has ended; the broker takes no acknowledgement and delivers the message again."
            )
        }
        return try body(&self.records[owner.index])
    }

    /// Answers one delivery.
    @inline(__always)
    mutating func settle(_ number: UInt64, in batch: MessageBatch) throws(STOMPError) {
        try self.update(batch.owner) { record throws(STOMPError) in
            try record.ledger.settle(number)
            guard !batch.isCopy, batch.unsettledCount > 1 else { return record.releaseSettled(number..<number + 1) }
            batch.unsettledCount &-= 1
        }
    }
}

extension DeliveryTable.Record {
    /// A batch has come: its messages get numbers, and in client modes can be answered.
    mutating func deliver(_ batch: MessageBatch) {
        batch.firstNumber = self.ledger.delivered(batch.count)
        if self.ledger.mode != .auto { self.outstanding.append(batch) }
    }

    /// Forgets the batches in which nothing of these numbers is left to answer.
    mutating func releaseSettled(_ numbers: Range<UInt64>) {
        var position = 0
        if let first = self.outstanding.first, first.numbers.upperBound <= numbers.lowerBound {
            position = self.outstanding.partitioningIndex { $0.numbers.upperBound > numbers.lowerBound }
        }
        while position < self.outstanding.count, self.outstanding[position].numbers.overlaps(numbers) {
            let batch = self.outstanding[position]
            batch.unsettledCount -= batch.numbers.clamped(to: numbers).count
            if batch.unsettledCount == 0 {
                self.outstanding.remove(at: position)
            } else {
                position += 1
            }
        }
    }

    /// These can be answered again, since their transaction was aborted.
    mutating func restore(_ settled: TransactionRecord.Settled) {
        for numbers in settled.numbers {
            self.ledger.restore(numbers)
            for batch in settled.batches where batch.numbers.overlaps(numbers) {
                batch.unsettledCount += batch.numbers.clamped(to: numbers).count
                guard !self.outstanding.contains(where: { $0 === batch }) else { continue }
                let position = self.outstanding.partitioningIndex { $0.firstNumber > batch.firstNumber }
                self.outstanding.insert(batch, at: position)
            }
        }
    }
}

/// The acks of a transaction, which ABORT gives back to the ledger.
struct TransactionRecord: Sendable {
    struct Settled: Sendable {
        let owner: DeliveryOwner
        let numbers: [Range<UInt64>]
        let batches: [MessageBatch]
    }

    var settled: [Settled] = []
}
