// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension BrokerState {
    /// Does what a frame of an open session asks for.
    ///
    /// - Throws: what the ERROR is to say, after which the session is over.
    mutating func handle(_ frame: STOMPFrame, from client: UInt64) throws(BrokerRefusal) {
        switch frame.command {
        case .send: try self.send(frame, from: client)
        case .subscribe: try self.subscribe(frame, client)
        case .unsubscribe: try self.unsubscribe(frame, client)
        case .ack: try self.settle(frame, client, .acknowledged)
        case .nack: try self.settle(frame, client, .negativelyAcknowledged)
        case .begin: try self.begin(frame, client)
        case .commit: try self.commit(frame, client)
        case .abort: self.release(try self.endTransaction(frame, client))
        case .disconnect: self.disconnected(client)
        default: throw BrokerRefusal("Unknown command", "\(frame.command) is not a client's frame.")
        }
    }

    // MARK: - SEND

    private mutating func send(_ frame: STOMPFrame, from client: UInt64) throws(BrokerRefusal) {
        let name = frame.headers[.destination] ?? ""
        let message = BrokerMessage(destination: name, headers: frame.headers, body: frame.body)
        let destination = try Self.destination(name)
        guard let transaction = frame.headers[.transaction] else {
            return try self.publish(message, to: destination)
        }
        try self.add(message, to: destination, in: OctetString(transaction), client)
    }

    /// Routes a message, if its queue has room for it.
    mutating func publish(_ message: BrokerMessage, to destination: BrokerDestination) throws(BrokerRefusal) {
        if case .queue(let name) = destination, !self.hasRoom(in: .named(name), for: message.byteCount) {
            throw self.fullQueue(name)
        }
        self.route(message, to: destination)
    }

    func fullQueue(_ name: OctetString) -> BrokerRefusal {
        BrokerRefusal(
            "Queue is full",
            "The queue \(name.text) has no room within its \(self.configuration.maximumQueueByteCount) bytes."
        )
    }

    static func destination(_ text: String) throws(BrokerRefusal) -> BrokerDestination {
        guard let destination = BrokerDestination(text) else {
            throw BrokerRefusal("Bad destination", "The destination \"\(text)\" has no name.")
        }
        return destination
    }

    // MARK: - SUBSCRIBE, UNSUBSCRIBE

    private mutating func subscribe(_ frame: STOMPFrame, _ client: UInt64) throws(BrokerRefusal) {
        guard let version = self.clients[client]?.version else { return }
        let name = frame.headers[.destination] ?? ""
        let destination = try Self.destination(name)
        let mode = try Self.ackMode(frame, version: version)
        let prefetch = try self.prefetch(frame)
        self.lastConsumer += 1
        let consumer = ConsumerID(connection: client, number: self.lastConsumer)
        let id = frame.headers[.id]
        let subscription = Subscription(
            id: id,
            // No client can send a NUL in an id.
            key: id ?? "\u{0}\(consumer.number)",
            destination: destination,
            mode: mode,
            queue: Self.queue(for: destination, consumer),
            consumer: consumer
        )
        do throws(STOMPError) {
            try self.clients[client]?.subscriptions.insert(subscription, id: subscription.key, destination: name)
        } catch {
            throw BrokerRefusal("Duplicate subscription id", error.message)
        }
        self.subscriptions[consumer] = subscription
        if case .topic(let name) = destination {
            self.topics.append((TopicPattern(name), subscription.queue))
        }
        var queueConsumer = QueueConsumer(id: consumer, mode: mode, prefetch: prefetch)
        queueConsumer.isPaused = self.clients[client]?.isPaused ?? false
        let new = self.makeQueue()
        self.queues[subscription.queue, default: new].add(queueConsumer)
        self.noteChange(in: subscription.queue)
    }

    private static func queue(for destination: BrokerDestination, _ consumer: ConsumerID) -> QueueID {
        switch destination {
        case .queue(let name): .named(name)
        case .topic: .copies(consumer)
        }
    }

    private static func ackMode(_ frame: STOMPFrame, version: STOMPVersion) throws(BrokerRefusal) -> STOMPAckMode {
        guard let text = frame.headers[.ack] else { return .auto }
        guard let mode = STOMPAckMode(rawValue: text), version > .v10 || mode != .clientIndividual else {
            throw BrokerRefusal("Unknown ack mode", "\"\(text)\" is not an ack mode of STOMP \(version).")
        }
        return mode
    }

    private func prefetch(_ frame: STOMPFrame) throws(BrokerRefusal) -> Int? {
        guard let text = frame.headers["prefetch-count"] ?? frame.headers["activemq.prefetchSize"] else {
            return self.configuration.defaultPrefetch
        }
        guard let prefetch = Int(text), prefetch >= 0 else {
            throw BrokerRefusal("Bad prefetch", "\"\(text)\" is not a number of messages.")
        }
        // As RabbitMQ has it.
        return prefetch == 0 ? nil : prefetch
    }

    private mutating func unsubscribe(_ frame: STOMPFrame, _ client: UInt64) throws(BrokerRefusal) {
        guard let session = self.clients[client] else { return }
        let named =
            frame.headers[.id].map { session.subscriptions.entry(id: $0) }
            ?? frame.headers[.destination].map { session.subscriptions.entry(destination: $0) }
        guard let subscription = named ?? nil else {
            throw BrokerRefusal("Unknown subscription", "No subscription of this connection is named so.")
        }
        self.end(subscription)
    }

    /// Ends a subscription: what it has not settled goes back at once, but for what an open transaction claims.
    mutating func end(_ subscription: Subscription) {
        let client = subscription.consumer.connection
        self.clients[client]?.subscriptions.remove(id: subscription.key)
        self.subscriptions[subscription.consumer] = nil
        self.topics.removeAll { $0.queue == .copies(subscription.consumer) }
        self.forget(self.queues[subscription.queue]?.end(subscription.consumer) ?? [], of: client)
        self.noteChange(in: subscription.queue)
    }

    /// What went back to the queue can no longer be acknowledged.
    mutating func forget(_ numbers: [UInt64], of client: UInt64) {
        for number in numbers { self.clients[client]?.deliveries[number] = nil }
    }
}
