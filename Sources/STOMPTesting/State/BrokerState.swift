// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// All that the broker knows: queues, topics, and of each session its subscriptions, deliveries and transactions.
///
/// A value without I/O: frames go in by ``handle(_:from:)``, deliveries come out of ``nextDelivery()``.
struct BrokerState {
    /// Which queue serves a subscription.
    enum QueueID: Hashable {
        case named(OctetString)
        /// A subscriber's own queue with its copies of a topic's messages.
        case copies(ConsumerID)
    }

    struct Subscription {
        /// `nil`: a 1.0 client gave none.
        let id: String?
        /// Where it stands in the table of its client.
        let key: String
        let destination: BrokerDestination
        let mode: STOMPAckMode
        let queue: QueueID
        let consumer: ConsumerID
    }

    /// Where a delivery that can be acknowledged is kept.
    struct Place {
        let queue: QueueID
        let consumer: ConsumerID
        /// The subscription's id, also after its end.
        let subscription: String?
    }

    struct Client {
        let version: STOMPVersion
        var isPaused = false
        var subscriptions = SubscriptionTable<Subscription>()
        var deliveries: [UInt64: Place] = [:]
        var transactions: [OctetString: BrokerTransaction] = [:]
        /// What the SENDs of all open transactions take.
        var transactionByteCount = 0

        /// In the order in which they were made: what the broker does must not depend on a dictionary's order.
        var orderedSubscriptions: [Subscription] {
            self.subscriptions.entries.sorted { $0.consumer.number < $1.consumer.number }
        }
    }

    let configuration: STOMPBroker.Configuration
    var clients: [UInt64: Client] = [:]
    var queues: [QueueID: MessageQueue] = [:]
    var topics: [(pattern: TopicPattern, queue: QueueID)] = []
    var subscriptions: [ConsumerID: Subscription] = [:]
    var history: SettlementHistory
    /// How many messages no queue had room for and nobody was told: topic copies, dead letters.
    var discardedCount = 0
    var lastConsumer: UInt64 = 0
    private var lastDelivery: UInt64 = 0
    /// Queues that may have something to deliver.
    private var changed = FIFO<QueueID>()
    private var isChanged: Set<QueueID> = []

    init(_ configuration: STOMPBroker.Configuration) {
        self.configuration = configuration
        self.history = SettlementHistory(limit: configuration.historyLimit)
    }

    // MARK: - Clients

    mutating func connected(_ client: UInt64, version: STOMPVersion) {
        self.clients[client] = Client(version: version)
    }

    /// The session has ended, in whatever way: its transactions are aborted, what it has not settled goes back.
    mutating func disconnected(_ client: UInt64) {
        guard let session = self.clients[client] else { return }
        for subscription in session.orderedSubscriptions { self.end(subscription) }
        let transactions = session.transactions.sorted { $0.key.text < $1.key.text }
        for (_, transaction) in transactions { self.release(transaction) }
        self.clients[client] = nil
    }

    /// Nothing more is handed to this client until ``resume(_:)``: it does not read what it has.
    mutating func pause(_ client: UInt64) {
        self.setPaused(true, client)
    }

    mutating func resume(_ client: UInt64) {
        self.setPaused(false, client)
    }

    private mutating func setPaused(_ isPaused: Bool, _ client: UInt64) {
        guard let session = self.clients[client], session.isPaused != isPaused else { return }
        self.clients[client]?.isPaused = isPaused
        for subscription in session.orderedSubscriptions {
            self.queues[subscription.queue]?.setPaused(isPaused, for: subscription.consumer)
            if !isPaused { self.noteChange(in: subscription.queue) }
        }
    }

    // MARK: - Messages

    func hasRoom(in queue: QueueID, for byteCount: Int) -> Bool {
        guard let queue = self.queues[queue] else { return byteCount <= self.configuration.maximumQueueByteCount }
        return queue.hasRoom(for: byteCount)
    }

    /// Routes a message; whether the queue has room was looked at before.
    mutating func route(_ message: BrokerMessage, to destination: BrokerDestination) {
        switch destination {
        case .queue(let name):
            self.append(message, to: .named(name))
        case .topic(let name):
            for topic in self.topics where topic.pattern.matches(name) {
                if self.hasRoom(in: topic.queue, for: message.byteCount) {
                    self.append(message, to: topic.queue)
                } else {
                    self.discardedCount += 1
                }
            }
        }
    }

    private mutating func append(_ message: BrokerMessage, to queue: QueueID) {
        let new = self.makeQueue()
        self.queues[queue, default: new].append(message)
        self.noteChange(in: queue)
    }

    func makeQueue() -> MessageQueue {
        MessageQueue(byteLimit: self.configuration.maximumQueueByteCount)
    }

    /// The next message to be written, and the subscription it is for.
    mutating func nextDelivery() -> (delivery: Delivery, subscription: Subscription)? {
        while let queue = self.changed.first {
            if let delivery = self.queues[queue]?.nextDelivery(number: self.lastDelivery + 1),
                let subscription = self.subscriptions[delivery.consumer]
            {
                self.lastDelivery += 1
                if subscription.mode != .auto {
                    self.clients[delivery.consumer.connection]?.deliveries[delivery.number] = Place(
                        queue: queue,
                        consumer: delivery.consumer,
                        subscription: subscription.id
                    )
                }
                return (delivery, subscription)
            }
            _ = self.changed.popFirst()
            self.isChanged.remove(queue)
            self.removeIfIdle(queue)
        }
        return nil
    }

    mutating func noteChange(in queue: QueueID) {
        if self.isChanged.insert(queue).inserted { self.changed.append(queue) }
    }

    private mutating func removeIfIdle(_ id: QueueID) {
        guard let queue = self.queues[id] else { return }
        // What nobody reads any more of a topic is of no use to anybody.
        let isOver = if case .copies = id { queue.consumers.isEmpty } else { queue.isIdle }
        if isOver { self.queues[id] = nil }
    }
}
