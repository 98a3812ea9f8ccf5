// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension Outbox {
    /// Opens the ledger of a new subscription.
    func openDeliveries(subscriptionID: String, mode: STOMPAckMode, session: SessionContext) -> DeliveryOwner {
        self.state.withLock { state in
            state.deliveries.open(subscriptionID: subscriptionID, mode: mode, session: session, outbox: self)
        }
    }

    /// Numbers the messages of a batch; from here on they can be answered.
    ///
    /// - Returns: whether the subscription still lives.
    func deliver(_ batch: MessageBatch) -> Bool {
        self.state.withLock { state in
            // After DISCONNECT nothing is delivered: it could not be acknowledged (STOMP 1.2, DISCONNECT).
            guard state.phase.admits(.ending) else { return false }
            do throws(STOMPError) {
                try state.deliveries.update(batch.owner) { record in record.deliver(batch) }
                return true
            } catch {
                return false
            }
        }
    }

    /// From here on no delivery of this subscription can be answered; nothing is written.
    func closeDeliveries(_ owner: DeliveryOwner) {
        self.state.withLock { state in _ = state.deliveries.close(owner) }
    }

    /// Ends a subscription whose last reference is gone: gives back, and writes UNSUBSCRIBE.
    ///
    /// Nobody waits.
    func abandon(_ storage: SubscriptionStorage) {
        guard storage.end(.finished, revoking: true) else { return }
        // Ids that SUBSCRIBE could say, UNSUBSCRIBE can say too.
        let farewell = Farewell(storage: storage)
        // A new connection may have subscribed again before it was ended.
        try? farewell.owner.outbox.writeFarewell(farewell)
    }

    /// The actor is to forget this subscription.
    func noteAbandoned(_ id: String) {
        self.state.withLock { $0.abandoned.append(id) }
    }

    /// Gives back, and writes UNSUBSCRIBE, without a receipt.
    ///
    /// - Throws: ``STOMPError/Code/notConnected``, or ``STOMPError/Code/invalidArgument`` if a header of the user's cannot
    ///   be sent.
    func writeFarewell(_ farewell: Farewell) throws(STOMPError) {
        let action = try self.state.withLock { state throws(STOMPError) in try self.append(farewell, to: &state) }
        self.perform(action)
        if farewell.mayLeaveSomething { self.leaverSignal.raise() }
    }

    /// Under the lock; also lets the actor forget the subscription.
    func append(_ farewell: Farewell, to state: inout State) throws(STOMPError) -> Action {
        state.abandoned.append(farewell.owner.subscriptionID)
        guard state.phase.admits(.ending) else { throw Self.refusal(state.phase) }
        let wasEmpty = state.pending.isEmpty
        try farewell.append(to: &state, receipt: nil)
        return self.decide(&state, wasEmpty: wasEmpty, isUrgent: true)
    }

    /// Ids of subscriptions that ended without the actor's knowledge.
    func takeAbandoned() -> [String] {
        self.state.withLock { state in
            guard !state.abandoned.isEmpty else { return [] }
            defer { state.abandoned = [] }
            return state.abandoned
        }
    }
}

/// The frames that end a subscription and give back what was not answered (see ``STOMPDialect/GivingBack``).
struct Farewell {
    let owner: DeliveryOwner
    let destination: STOMPDestination
    private let subscribeHeaders: STOMPHeaders
    /// Whether what was not answered is to go back at once; at the end of the connection it does by itself.
    var givesBack = true
    private(set) var headers: STOMPHeaders

    init(storage: SubscriptionStorage, headers: STOMPHeaders = [:]) {
        self.owner = storage.owner
        self.destination = storage.destination
        self.subscribeHeaders = storage.headers
        self.headers = headers
        // Ours is the one that is waited for.
        self.headers[.receipt] = nil
    }

    /// Whether leaving needs a transaction around UNSUBSCRIBE.
    private var needsTransaction: Bool {
        self.givesBack && self.owner.mode != .auto && self.owner.dialect.givingBack == .byTransaction
            && self.owner.rules.version > .v10
    }

    /// Whether messages may be under way that the broker would keep for this connection: `stomp.leavers` sees to them.
    var mayLeaveSomething: Bool {
        self.needsTransaction && self.owner.dialect.hasReceipts
    }

    /// Closes the ledger and appends the frames, all in the caller's critical section.
    ///
    /// - Parameters:
    ///   - state: what the outbox's lock guards.
    ///   - receipt: the value of the receipt header of UNSUBSCRIBE, or of COMMIT where there is one.
    /// - Throws: ``STOMPError/Code/invalidArgument`` if a header of the user's cannot be sent.
    func append(to state: inout Outbox.State, receipt: UInt64?) throws(STOMPError) {
        let record = state.deliveries.close(self.owner)
        let serializer = FrameSerializer(version: self.owner.rules.version)
        var unsubscribe = self.unsubscribeHeaders
        let late = state.leavers[self.owner.subscriptionID]?.late ?? []
        let hasUnanswered = record.map { !$0.ledger.unsettled.isEmpty } ?? false
        guard self.needsTransaction, hasUnanswered || !late.isEmpty else {
            if let receipt { unsubscribe.append(.receipt, String(receipt)) }
            try serializer.append(STOMPFrame(.unsubscribe, headers: unsubscribe), to: &state.pending)
            self.enter(&state.leavers)
            return
        }
        let transaction = state.transactions.makeID()
        try serializer.append(STOMPFrame(.begin, headers: [.transaction: transaction]), to: &state.pending)
        // The oldest first.
        for id in late { try self.appendNack(id, transaction: transaction, serializer: serializer, to: &state.pending) }
        if let record {
            try self.appendNacks(of: record, transaction: transaction, serializer: serializer, to: &state.pending)
        }
        try serializer.append(STOMPFrame(.unsubscribe, headers: unsubscribe), to: &state.pending)
        var commit: STOMPHeaders = [.transaction: transaction]
        if let receipt { commit.append(.receipt, String(receipt)) }
        try serializer.append(STOMPFrame(.commit, headers: commit), to: &state.pending)
        self.enter(&state.leavers)
    }

    /// Before anything is ended, whether UNSUBSCRIBE can be written.
    ///
    /// - Throws: ``STOMPError/Code/invalidArgument`` if a header of the user's cannot be sent.
    func check() throws(STOMPError) {
        guard !self.headers.isEmpty else { return }
        var output = OutputBuffer()
        let frame = STOMPFrame(.unsubscribe, headers: self.unsubscribeHeaders)
        try FrameSerializer(version: self.owner.rules.version).append(frame, to: &output)
    }

    private var unsubscribeHeaders: STOMPHeaders {
        var headers = STOMPHeaders()
        headers.append(.id, self.owner.subscriptionID)
        // 1.0 brokers look for the destination.
        if self.owner.rules.version == .v10 { headers.append(.destination, self.destination.rawValue) }
        headers.appendMissing(from: self.headers)
        return headers
    }

    /// Only when UNSUBSCRIBE is on its way, which `stomp.leavers` goes by.
    private func enter(_ leavers: inout LeaverTable) {
        guard self.mayLeaveSomething else { return }
        let leaver = LeaverTable.Leaver(
            destination: self.destination,
            subscribeHeaders: self.subscribeHeaders,
            unsubscribeHeaders: self.headers
        )
        leavers.enter(self.owner.subscriptionID, leaver)
    }

    /// A message that came too late to be in the ledger.
    private func appendNack(
        _ id: String,
        transaction: String,
        serializer: FrameSerializer,
        to output: inout OutputBuffer
    ) throws(STOMPError) {
        var headers: STOMPHeaders = [:]
        if self.owner.rules.version == .v12 {
            headers.append(.id, id)
        } else {
            headers.append(.subscription, self.owner.subscriptionID)
            headers.append(.messageID, id)
        }
        headers.append(.transaction, transaction)
        try serializer.append(STOMPFrame(.nack, headers: headers), to: &output)
    }

    private func appendNacks(
        of record: DeliveryTable.Record,
        transaction: String,
        serializer: FrameSerializer,
        to output: inout OutputBuffer
    ) throws(STOMPError) {
        for batch in record.outstanding {
            for index in 0..<batch.count where record.ledger.isUnsettled(batch.firstNumber + UInt64(index)) {
                guard let raw = batch.acknowledgementID(index) else { continue }
                output.append("NACK\n")
                if self.owner.rules.version == .v12 {
                    serializer.appendHeader("id:", raw: raw, to: &output)
                } else {
                    try serializer.appendHeader("subscription:", self.owner.subscriptionID, to: &output)
                    serializer.appendHeader("message-id:", raw: raw, to: &output)
                }
                try serializer.appendHeader("transaction:", transaction, to: &output)
                output.append("\n\0")
            }
        }
    }
}
