// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPConnection {
    /// Subscribes to a destination (STOMP 1.2, SUBSCRIBE).
    ///
    /// Returns when the broker has confirmed it, where it gives receipts. Messages that come earlier are buffered.
    ///
    /// - Parameters:
    ///   - destination: what to subscribe to.
    ///   - ack: when the broker considers a message consumed.
    ///   - id: the subscription's id, for brokers that derive names from it; `nil`: one is made.
    ///   - headers: further headers, such as `selector`; they may set the prefetch header too.
    ///   - options: what the subscription may buffer; `nil`: as configured.
    /// - Returns: the subscription, which ends when its last copy is gone.
    /// - Throws: ``STOMPError/Code/rejected`` or ``STOMPError/Code/serverError`` if the broker refuses;
    ///   ``STOMPError/Code/invalidArgument``; ``STOMPError/Code/notSupported`` for `client-individual` in 1.0;
    ///   otherwise as `send` with a receipt.
    public func subscribe(
        to destination: STOMPDestination,
        ack: STOMPAckMode = .clientIndividual,
        id: String? = nil,
        headers: STOMPHeaders = [:],
        options: STOMPSubscriptionOptions? = nil
    ) async throws(STOMPError) -> STOMPSubscription {
        let options = options ?? self.configuration.subscription
        try self.check(destination, ack: ack, headers: headers, options: options)
        // One of this id may be about to leave; then it would be in use, or its late messages would come to us.
        if let id { try await self.outbox.waitForLeaver(id) }
        let newID = id ?? self.demultiplexer.makeID()
        return try await self.open(newID, to: destination, ack: ack, headers: headers, options: options)
    }

    /// Subscribes, with arguments that are in order.
    func open(
        _ id: String,
        to destination: STOMPDestination,
        ack: STOMPAckMode,
        headers: STOMPHeaders,
        options: STOMPSubscriptionOptions,
        within timeout: Duration? = nil
    ) async throws(STOMPError) -> STOMPSubscription {
        self.forgetAbandoned()
        let owner = self.outbox.openDeliveries(subscriptionID: id, mode: ack, session: self.context)
        let storage = SubscriptionStorage(
            id: id,
            destination: destination,
            options: options,
            owner: owner,
            headers: headers
        )
        do throws(STOMPError) {
            // Before SUBSCRIBE is written, since messages may come before its receipt.
            try self.demultiplexer.insert(storage, owner)
        } catch {
            self.outbox.closeDeliveries(owner)
            storage.end(.finished, revoking: true)
            throw error
        }
        // From here on, dropping the subscription unsubscribes: also when the wait is cancelled or times out.
        let subscription = STOMPSubscription(storage)
        let isWritten = Locked(false)
        do throws(STOMPError) {
            try await self.writeSubscribe(storage, within: timeout) { isWritten.withLock { $0 = true } }
            return subscription
        } catch {
            let mayExist = isWritten.withLock { $0 } && [.cancelled, .receiptTimedOut].contains(error.code)
            if !mayExist {
                // The broker does not have it: an UNSUBSCRIBE would be answered with an ERROR.
                self.outbox.closeDeliveries(owner)
                storage.end(.failed(error), revoking: true)
                self.demultiplexer.remove(storage)
            }
            throw error
        }
    }

    func check(
        _ destination: STOMPDestination,
        ack: STOMPAckMode,
        headers: STOMPHeaders,
        options: STOMPSubscriptionOptions
    ) throws(STOMPError) {
        if destination.rawValue.isEmpty {
            throw STOMPError(.invalidArgument, "A SUBSCRIBE needs a destination.")
        }
        if ack == .clientIndividual, self.session.version == .v10 {
            throw STOMPError(.notSupported, "STOMP 1.0 has no client-individual; subscribe with ack: .client or .auto.")
        }
        if options.overflow != .failSubscription, ack != .auto {
            throw STOMPError(
                .invalidArgument,
                "Dropping messages is for ack mode auto only: a dropped message that needs an ack would stay with us."
            )
        }
        for name in [STOMPHeaders.Name.destination, .id, .ack, .receipt, .contentLength] where headers[name] != nil {
            throw STOMPError(.invalidArgument, "The header \(name) is the client's own; use the argument instead.")
        }
    }

    /// SUBSCRIBE, without a receipt.
    func subscribeFrame(_ storage: SubscriptionStorage) -> STOMPFrame {
        let headers = storage.headers
        var all: STOMPHeaders = [.id: storage.id]
        all.append(.destination, storage.destination.rawValue)
        all.append(.ack, storage.mode.rawValue)
        if let prefetch = self.dialect.prefetch, storage.mode != .auto, headers[prefetch.header] == nil {
            let amount = prefetch.unit == .messages ? storage.options.messageCredit : storage.options.softLimit
            all.append(prefetch.header, String(amount))
        }
        all.appendMissing(from: headers)
        return STOMPFrame(.subscribe, headers: all)
    }

    private func writeSubscribe(
        _ storage: SubscriptionStorage,
        within timeout: Duration?,
        onWritten: @escaping @Sendable () -> Void
    ) async throws(STOMPError) {
        let frame = self.subscribeFrame(storage)
        guard self.dialect.hasReceipts else {
            try self.outbox.appendNow(frame, serializer: self.serializer)
            storage.confirmation.resolve(.success(()))
            return
        }
        try await self.outbox.appendAwaitingReceipt(
            within: timeout ?? self.configuration.receiptTimeout,
            // One that is given a time is the beginning of a farewell, which needs no room.
            roomWithin: timeout == nil ? self.configuration.outboxTimeout : nil,
            .beginning,
            isUrgent: true,
            waiter: storage.confirmation
        ) { state, receipt throws(STOMPError) in
            var frame = frame
            frame.headers.append(.receipt, String(receipt))
            try self.serializer.append(frame, to: &state.pending)
            onWritten()
        }
    }

    /// Subscribes, runs `body`, and unsubscribes, also when `body` throws or the task is cancelled.
    ///
    /// What was received and not answered goes back to the broker at once.
    ///
    /// - Throws: what `body` throws; else as ``subscribe(to:ack:id:headers:options:)``.
    public nonisolated(nonsending) func withSubscription<Value>(
        to destination: STOMPDestination,
        ack: STOMPAckMode = .clientIndividual,
        id: String? = nil,
        headers: STOMPHeaders = [:],
        options: STOMPSubscriptionOptions? = nil,
        _ body: (STOMPSubscription) async throws -> Value
    ) async throws -> Value {
        let subscription = try await self.subscribe(
            to: destination,
            ack: ack,
            id: id,
            headers: headers,
            options: options
        )
        return try await subscription.withUnsubscribing(body)
    }

    /// Acknowledges by the id that ``STOMPMessage/acknowledgementID`` gives, for code that has kept only that.
    ///
    /// - Throws: ``STOMPError/Code/alreadyAcknowledged`` if no unanswered message of the subscription has this id;
    ///   otherwise as ``STOMPMessage/ack(receipt:)``.
    public func ack(id: String, subscription: String, receipt: STOMPReceipt = .none) async throws(STOMPError) {
        try await self.delivery(id, subscription).ack(receipt: receipt)
    }

    /// Refuses by id; otherwise as ``ack(id:subscription:receipt:)``.
    public func nack(
        id: String,
        subscription: String,
        headers: STOMPHeaders = [:],
        receipt: STOMPReceipt = .none
    ) async throws(STOMPError) {
        try await self.delivery(id, subscription).nack(headers: headers, receipt: receipt)
    }

    private func delivery(_ id: String, _ subscription: String) throws(STOMPError) -> STOMPMessage {
        guard let storage = self.demultiplexer.storage(id: subscription) else {
            throw STOMPError(.notAcknowledgeable, "There is no subscription with the id \"\(subscription)\".")
        }
        let owner = storage.owner
        guard owner.mode != .auto else {
            throw STOMPError(.notAcknowledgeable, "The subscription \"\(subscription)\" has the ack mode auto.")
        }
        let (batch, index) = try self.outbox.delivery(acknowledgementID: id, owner: owner)
        return STOMPMessage(batch: batch, index: index)
    }
}
