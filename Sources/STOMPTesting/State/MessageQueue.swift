// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A queue: what waits, who takes it, and what comes back.
///
/// A topic is served by one such queue for each of its subscribers.
struct MessageQueue {
    private let byteLimit: Int
    /// All messages that wait or are not settled yet.
    private(set) var byteCount = 0
    private(set) var consumers: [QueueConsumer] = []
    /// Whose turn it is.
    private var turn = 0
    private var lastPosition: UInt64 = 0
    /// What has never been delivered.
    private var fresh = FIFO<QueuedMessage>()
    /// What came back, the oldest last; all of it is older than all that is fresh.
    private var returned: [QueuedMessage] = []

    init(byteLimit: Int) {
        self.byteLimit = byteLimit
    }

    var waitingCount: Int {
        self.fresh.count + self.returned.count
    }

    /// What waits, the next to be delivered first.
    var waiting: [QueuedMessage] {
        self.returned.reversed() + Array(self.fresh.elements)
    }

    /// What has been delivered and not settled, in the order of delivery.
    var unacknowledged: [Delivery] {
        self.consumers.flatMap(\.unacknowledged).sorted { $0.number < $1.number }
    }

    /// Whether nothing is left to do.
    var isIdle: Bool {
        self.consumers.isEmpty && self.waitingCount == 0
    }

    func hasRoom(for byteCount: Int) -> Bool {
        self.byteCount + byteCount <= self.byteLimit
    }

    // MARK: - Messages

    /// Puts a message at the end; the bound was looked at before.
    mutating func append(_ message: BrokerMessage) {
        self.lastPosition += 1
        self.byteCount += message.byteCount
        self.fresh.append(QueuedMessage(message: message, position: self.lastPosition))
    }

    /// Hands the first message to the subscriber whose turn it is, if any has credit.
    mutating func nextDelivery(number: UInt64) -> Delivery? {
        guard self.waitingCount > 0, let index = self.nextReadyConsumer(), let content = self.popFirst() else {
            return nil
        }
        self.turn = index + 1
        if self.consumers[index].mode == .auto {
            self.byteCount -= content.message.byteCount
        } else {
            self.consumers[index].delivered(content, number: number)
        }
        return Delivery(number: number, consumer: self.consumers[index].id, content: content)
    }

    private func nextReadyConsumer() -> Int? {
        for offset in self.consumers.indices {
            let index = (self.turn + offset) % self.consumers.count
            if self.consumers[index].isReady { return index }
        }
        return nil
    }

    private mutating func popFirst() -> QueuedMessage? {
        self.returned.popLast() ?? self.fresh.popFirst()
    }

    /// Puts messages, the oldest first, back where they came from: in front, in their first order.
    private mutating func takeBack(_ messages: [QueuedMessage]) {
        let oldest = self.returned.last
        self.returned += messages.reversed().map { content in
            var content = content
            content.isRedelivered = true
            return content
        }
        // Seldom needed, and then two runs in order, which a sort merges.
        if let oldest, let newest = messages.last, newest.position > oldest.position {
            self.returned.sort { $0.position > $1.position }
        }
    }

    // MARK: - Settling

    /// See ``QueueConsumer/claim(_:)``.
    mutating func claim(_ number: UInt64, by id: ConsumerID) -> [UInt64] {
        guard let index = self.index(of: id) else { return [] }
        return self.consumers[index].claim(number)
    }

    /// Gives up a claim.
    ///
    /// A subscriber that has ended meanwhile does not get the messages back: the queue does.
    ///
    /// - Returns: the deliveries that went back to the queue.
    mutating func release(_ numbers: [UInt64], by id: ConsumerID) -> [UInt64] {
        guard let index = self.index(of: id) else { return [] }
        self.consumers[index].release(numbers)
        return self.consumers[index].isEnding ? self.end(id) : []
    }

    /// Done with these: they are gone.
    mutating func acknowledge(_ numbers: [UInt64], by id: ConsumerID) -> [QueuedMessage] {
        self.remove(numbers, by: id)
    }

    /// Not done: they come again, but for those that were refused more often than `limit` allows.
    mutating func refuse(
        _ numbers: [UInt64],
        by id: ConsumerID,
        limit: Int?
    ) -> (refused: [QueuedMessage], dead: [QueuedMessage]) {
        var refused = self.remove(numbers, by: id)
        for index in refused.indices { refused[index].refusalCount += 1 }
        let isDead = { (content: QueuedMessage) in limit.map { content.refusalCount > $0 } ?? false }
        let returning = refused.filter { !isDead($0) }.sorted { $0.position < $1.position }
        self.byteCount += returning.reduce(0) { $0 + $1.message.byteCount }
        self.takeBack(returning)
        // Somebody else's turn, if there is somebody else.
        if let index = self.index(of: id), self.turn % self.consumers.count == index { self.turn = index + 1 }
        return (refused, refused.filter(isDead))
    }

    private mutating func remove(_ numbers: [UInt64], by id: ConsumerID) -> [QueuedMessage] {
        guard let index = self.index(of: id) else { return [] }
        let settled = self.consumers[index].settle(numbers)
        self.byteCount -= settled.reduce(0) { $0 + $1.message.byteCount }
        self.removeIfEnded(at: index)
        return settled
    }

    // MARK: - Subscribers

    mutating func add(_ consumer: QueueConsumer) {
        self.consumers.append(consumer)
    }

    /// The subscriber leaves: what it has not settled goes back, but for what a transaction claims.
    ///
    /// - Returns: the deliveries that went back.
    mutating func end(_ id: ConsumerID) -> [UInt64] {
        guard let index = self.index(of: id) else { return [] }
        self.consumers[index].isEnding = true
        let deliveries = self.consumers[index].takeUnclaimed()
        self.takeBack(deliveries.map(\.content).sorted { $0.position < $1.position })
        self.removeIfEnded(at: index)
        return deliveries.map(\.number)
    }

    mutating func setPaused(_ isPaused: Bool, for id: ConsumerID) {
        guard let index = self.index(of: id) else { return }
        self.consumers[index].isPaused = isPaused
    }

    private mutating func removeIfEnded(at index: Int) {
        guard self.consumers[index].isEnding, self.consumers[index].unacknowledgedCount == 0 else { return }
        let turn = self.turn % self.consumers.count
        self.consumers.remove(at: index)
        self.turn = turn > index ? turn - 1 : turn
    }

    private func index(of id: ConsumerID) -> Int? {
        self.consumers.firstIndex { $0.id == id }
    }
}
