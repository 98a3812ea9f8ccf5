// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPConnection {
    /// The task `stomp.leavers`: gives back what was under way when a subscription ended.
    ///
    /// RabbitMQ's queue goes on sending until it has taken note of UNSUBSCRIBE. What came then belongs to this connection,
    /// and to no subscription. A NACK has to name a subscription, and it may be any: so the destination is subscribed to
    /// once more, for one message at most.
    func settleLeavers() async {
        while !Task.isCancelled {
            do throws(STOMPError) {
                try await self.giveBackWhatWasLate()
            } catch  where error.code != .cancelled {
                self.outbox.forgetLeavers(error)
            } catch {}
            await self.outbox.leaverSignal.wait()
        }
    }

    private func giveBackWhatWasLate() async throws(STOMPError) {
        while case let ids = self.outbox.leaverIDs, !ids.isEmpty {
            // When the first is answered, RabbitMQ has processed UNSUBSCRIBE, and the queue's last message is on its way
            // to the session. The answer to the second is behind it.
            try await self.roundTrip()
            try await self.roundTrip()
            // All are asked first: who has left need not wait for the others.
            let late = ids.filter { !self.outbox.hasLeft($0) }
            for id in late { try await self.subscribeOnceMore(id) }
        }
    }

    /// Takes up a subscription again and leaves it at once: its farewell gives back what had come too late.
    private func subscribeOnceMore(_ id: String) async throws(STOMPError) {
        guard let leaver = self.outbox.leaver(id) else { return }
        var headers = leaver.subscribeHeaders
        if let prefetch = self.dialect.prefetch { headers[prefetch.header] = nil }
        var options = self.configuration.subscription
        options.messageCredit = 1
        options.overflow = .failSubscription
        let subscription = try await self.open(
            id,
            to: leaver.destination,
            ack: .clientIndividual,
            headers: headers,
            options: options,
            within: self.configuration.shutdownTimeout
        )
        // Who holds the one message that it may have gets no other.
        try await self.roundTrip()
        let storage = subscription.handle.storage
        guard storage.end(.finished, revoking: true) else { return }
        try self.outbox.writeFarewell(Farewell(storage: storage, headers: leaver.unsubscribeHeaders))
    }

    private func roundTrip() async throws(STOMPError) {
        try await self.outbox.roundTrip(version: self.session.version, within: self.configuration.shutdownTimeout)
    }

    // MARK: - What came too late

    /// Messages were under way when their subscription ended: not an error (STOMP 1.2, UNSUBSCRIBE).
    func noteLate(_ batch: MessageBatch, of storage: SubscriptionStorage) {
        self.events.send(.unexpectedMessage(subscription: storage.id))
        guard self.deliveryTags != nil else { return }
        let tags = (0..<batch.count).map { batch.rawMessageID($0).flatMap(DeliveryTags.tag) }
        self.noteLate(tags, of: storage.id)
    }

    /// A message for no subscription that is known here.
    func noteLate(_ frame: FrameReference) {
        let block = self.demultiplexer.headerBlock(of: frame)
        let id = block.value(of: .subscription)
        self.events.send(.unexpectedMessage(subscription: id))
        let messageID = block.rawValue(of: .messageID)
        self.deliveryTags?.note(messageID: messageID, count: 1)
        if let id, self.deliveryTags != nil { self.noteLate([messageID.flatMap(DeliveryTags.tag)], of: id) }
    }

    /// RabbitMQ has an ERROR for each message that comes after UNSUBSCRIBE, and the session goes on.
    ///
    /// - Returns: whether this ERROR is such a one.
    func noteLate(_ frame: STOMPFrame) -> Bool {
        guard let notice = self.dialect.lateMessageNotice else { return false }
        let text = String(decoding: frame.body, as: UTF8.self)
        guard text.hasPrefix(notice), let end = text.lastIndex(of: "'") else { return false }
        let start = text.index(text.startIndex, offsetBy: notice.count)
        guard start <= end else { return false }
        let id = String(text[start..<end])
        if let storage = self.demultiplexer.storage(id: id), !storage.hasEnded { return false }
        self.events.send(.unexpectedMessage(subscription: id))
        self.noteLate([self.deliveryTags?.next()], of: id)
        return true
    }

    private func noteLate(_ tags: [UInt64?], of id: String) {
        let acknowledgementIDs = tags.compactMap(\.self).map { tag in
            DeliveryTags.acknowledgementID(of: tag, subscriptionID: id, sessionID: self.session.sessionID)
        }
        self.outbox.noteLate(acknowledgementIDs, of: id)
    }
}
