// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A subscriber of a queue and what it has not settled yet.
struct QueueConsumer {
    private struct Entry {
        let content: QueuedMessage
        /// Acknowledged in a transaction that is still open.
        var isClaimed = false
    }

    let id: ConsumerID
    let mode: STOMPAckMode
    /// How much may be unsettled; `nil`: no bound.
    let prefetch: Int?
    /// Its connection has enough to write.
    var isPaused = false
    /// It gets nothing any more, and stays until open transactions have decided about what they claim.
    var isEnding = false

    private var entries: [UInt64: Entry] = [:]
    /// The numbers in the order of delivery; those that are settled are skipped.
    private var order = FIFO<UInt64>()

    init(id: ConsumerID, mode: STOMPAckMode, prefetch: Int? = nil) {
        self.id = id
        self.mode = mode
        self.prefetch = prefetch
    }

    /// Whether the next message may go to this one.
    var isReady: Bool {
        guard !self.isPaused, !self.isEnding else { return false }
        guard self.mode != .auto, let prefetch = self.prefetch else { return true }
        return self.entries.count < prefetch
    }

    var unacknowledgedCount: Int {
        self.entries.count
    }

    /// What is not settled, in the order of delivery.
    var unacknowledged: [Delivery] {
        self.order.elements.compactMap { number in
            self.entries[number].map { Delivery(number: number, consumer: self.id, content: $0.content) }
        }
    }

    mutating func delivered(_ content: QueuedMessage, number: UInt64) {
        self.entries[number] = Entry(content: content)
        self.order.append(number)
    }

    /// Takes hold of what an ACK or NACK of `number` covers, in the order of delivery; in `client` mode that is all up
    /// to it.
    ///
    /// - Returns: nothing if this delivery is settled, or taken by a transaction.
    mutating func claim(_ number: UInt64) -> [UInt64] {
        guard self.entries[number]?.isClaimed == false else { return [] }
        var numbers = [number]
        if self.mode == .client {
            numbers = self.order.elements.prefix { $0 <= number }.filter { self.entries[$0]?.isClaimed == false }
        }
        for number in numbers { self.entries[number]?.isClaimed = true }
        return numbers
    }

    /// The transaction was aborted: these can be acknowledged again.
    mutating func release(_ numbers: [UInt64]) {
        for number in numbers { self.entries[number]?.isClaimed = false }
    }

    /// Takes out what is settled.
    mutating func settle(_ numbers: [UInt64]) -> [QueuedMessage] {
        defer { self.trim() }
        return numbers.compactMap { self.entries.removeValue(forKey: $0)?.content }
    }

    /// Takes out all that no transaction claims.
    mutating func takeUnclaimed() -> [Delivery] {
        let deliveries = self.unacknowledged.filter { self.entries[$0.number]?.isClaimed == false }
        _ = self.settle(deliveries.map(\.number))
        return deliveries
    }

    private mutating func trim() {
        while let number = self.order.first, self.entries[number] == nil { _ = self.order.popFirst() }
        // One old delivery that is never settled must not keep the numbers of all later ones.
        if self.order.count > 64, self.order.count > 2 * self.entries.count {
            self.order.keep { self.entries[$0] != nil }
        }
    }
}
