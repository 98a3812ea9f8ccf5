// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension BrokerState {
    /// ACK or NACK.
    enum Outcome {
        case acknowledged
        case negativelyAcknowledged
    }

    /// An ACK or NACK with the deliveries it covers.
    struct Settling {
        let place: Place
        let numbers: [UInt64]
        let outcome: Outcome
    }

    mutating func settle(_ frame: STOMPFrame, _ client: UInt64, _ outcome: Outcome) throws(BrokerRefusal) {
        let transaction = frame.headers[.transaction].map { OctetString($0) }
        if let transaction { try self.requireTransaction(transaction, client) }
        let (number, place) = try self.delivery(named: frame, client)
        let numbers = self.queues[place.queue]?.claim(number, by: place.consumer) ?? []
        // Nothing: an open transaction has acknowledged it before.
        guard !numbers.isEmpty else { throw Self.unknownDelivery(frame) }
        let settling = Settling(place: place, numbers: numbers, outcome: outcome)
        if let transaction {
            self.clients[client]?.transactions[transaction]?.operations.append(.settle(settling))
        } else {
            self.perform(settling)
        }
    }

    /// Finds what an ACK or NACK names: in 1.2 by the MESSAGE's `ack` header, before by its `message-id`.
    private func delivery(named frame: STOMPFrame, _ client: UInt64) throws(BrokerRefusal) -> (UInt64, Place) {
        guard let session = self.clients[client] else { throw Self.unknownDelivery(frame) }
        let isCurrent = session.version == .v12
        let name = frame.headers[isCurrent ? .id : .messageID] ?? ""
        let prefix = isCurrent ? Delivery.acknowledgementPrefix : Delivery.messagePrefix
        guard name.utf8.starts(with: prefix.utf8),
            let number = ReceiptTable<Void>.id(
                from: String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
            ),
            let place = session.deliveries[number]
        else { throw Self.unknownDelivery(frame) }
        if session.version == .v11 {
            let subscription = frame.headers[.subscription] ?? ""
            guard (place.subscription ?? "").utf8.elementsEqual(subscription.utf8) else {
                throw Self.unknownDelivery(frame)
            }
        }
        return (number, place)
    }

    private static func unknownDelivery(_ frame: STOMPFrame) -> BrokerRefusal {
        BrokerRefusal(
            "Unknown delivery",
            "\(frame.command) names no delivery of this connection that waits for an acknowledgement."
        )
    }

    mutating func perform(_ settling: Settling) {
        let place = settling.place
        switch settling.outcome {
        case .acknowledged:
            for content in self.queues[place.queue]?.acknowledge(settling.numbers, by: place.consumer) ?? [] {
                self.record(.acknowledged(content.message.text), content.message)
            }
        case .negativelyAcknowledged:
            let limit = self.configuration.redeliveryLimit
            let result = self.queues[place.queue]?.refuse(settling.numbers, by: place.consumer, limit: limit)
            for content in result?.refused ?? [] {
                self.record(.negativelyAcknowledged(content.message.text), content.message)
            }
            for content in result?.dead ?? [] { self.bury(content.message, from: place.queue) }
        }
        self.forget(settling.numbers, of: place.consumer.connection)
        self.noteChange(in: place.queue)
    }

    private mutating func record(_ settlement: STOMPBroker.Settlement, _ message: BrokerMessage) {
        guard let destination = BrokerDestination(message.destination) else { return }
        self.history.append(settlement, in: destination)
    }

    /// Moves a message that was refused too often to the dead-letter queue, if there is one.
    private mutating func bury(_ message: BrokerMessage, from queue: QueueID) {
        guard let name = self.configuration.deadLetterQueue, let destination = BrokerDestination(name),
            case .queue(let deadLetters) = destination, queue != .named(deadLetters)
        else { return }
        var headers = message.headers
        headers["original-destination"] = message.destination
        let letter = BrokerMessage(destination: name, headers: headers, body: message.body)
        guard self.hasRoom(in: .named(deadLetters), for: letter.byteCount) else {
            self.discardedCount += 1
            return
        }
        self.route(letter, to: destination)
    }
}
