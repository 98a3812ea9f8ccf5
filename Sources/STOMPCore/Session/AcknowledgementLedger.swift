// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What one subscription's deliveries may still be answered with: each at most once.
///
/// A second ACK kills a RabbitMQ session, so the ledger is asked before anything is written. Its memory grows with the
/// number of gaps between unanswered deliveries, not with the number of deliveries.
package struct AcknowledgementLedger: Sendable {
    package let mode: STOMPAckMode
    /// The numbers of deliveries without an answer: in order, neither touching nor overlapping.
    package private(set) var unsettled: [Range<UInt64>] = []
    private var nextNumber: UInt64 = 0

    package init(mode: STOMPAckMode) {
        self.mode = mode
    }

    /// Numbers the next `count` deliveries; returns the first number.
    package mutating func delivered(_ count: Int) -> UInt64 {
        let first = self.nextNumber
        self.nextNumber += UInt64(count)
        if self.mode != .auto, count > 0 { self.restore(first..<self.nextNumber) }
        return first
    }

    package func isUnsettled(_ number: UInt64) -> Bool {
        self.position(of: number) != nil
    }

    /// Tests and sets: answers this delivery alone.
    ///
    /// - Throws: ``STOMPError/Code/notAcknowledgeable`` or ``STOMPError/Code/alreadyAcknowledged``; then nothing must
    ///   be written.
    package mutating func settle(_ number: UInt64) throws(STOMPError) {
        // Nearly always: the first of several, since messages are answered in their order.
        if let first = self.unsettled.first, first.lowerBound == number, first.count > 1 {
            self.unsettled[0] = number + 1..<first.upperBound
            return
        }
        let position = try self.answerable(number)
        let range = self.unsettled[position]
        if range.lowerBound == number {
            if range.count == 1 {
                self.unsettled.remove(at: position)
            } else {
                self.unsettled[position] = number + 1..<range.upperBound
            }
            return
        }
        self.unsettled[position] = range.lowerBound..<number
        if number + 1 < range.upperBound {
            self.unsettled.insert(number + 1..<range.upperBound, at: position + 1)
        }
    }

    /// Tests and sets: answers this delivery and all before it, as `client` mode does (STOMP 1.2, SUBSCRIBE ack).
    ///
    /// - Returns: the numbers that this answered.
    /// - Throws: as ``settle(_:)``.
    package mutating func settleThrough(_ number: UInt64) throws(STOMPError) -> [Range<UInt64>] {
        let position = try self.answerable(number)
        let range = self.unsettled[position]
        var settled = Array(self.unsettled[..<position])
        settled.append(range.lowerBound..<number + 1)
        self.unsettled.removeSubrange(...position)
        if number + 1 < range.upperBound { self.unsettled.insert(number + 1..<range.upperBound, at: 0) }
        return settled
    }

    /// These deliveries can be answered again: their answers were part of a transaction that was aborted.
    package mutating func restore(_ numbers: Range<UInt64>) {
        guard !numbers.isEmpty else { return }
        var merged = numbers
        var position = self.unsettled.partitioningIndex { $0.upperBound >= numbers.lowerBound }
        while position < self.unsettled.count, self.unsettled[position].lowerBound <= merged.upperBound {
            let other = self.unsettled.remove(at: position)
            merged = min(merged.lowerBound, other.lowerBound)..<max(merged.upperBound, other.upperBound)
        }
        position = min(position, self.unsettled.count)
        self.unsettled.insert(merged, at: position)
    }

    private func answerable(_ number: UInt64) throws(STOMPError) -> Int {
        guard self.mode != .auto else {
            throw STOMPError(
                .notAcknowledgeable,
                "The subscription's ack mode is auto: its messages need no acknowledgement."
            )
        }
        guard let position = self.position(of: number) else {
            throw STOMPError(.alreadyAcknowledged, "The message was acknowledged before.")
        }
        return position
    }

    private func position(of number: UInt64) -> Int? {
        // Nearly always the first: acks come in the order of delivery.
        if let first = self.unsettled.first, first.contains(number) { return 0 }
        let position = self.unsettled.partitioningIndex { $0.upperBound > number }
        guard position < self.unsettled.count, self.unsettled[position].contains(number) else { return nil }
        return position
    }
}

extension Array {
    /// The first index whose element satisfies `belongsInSecondPartition`, in an array that is so partitioned.
    package func partitioningIndex(where belongsInSecondPartition: (Element) -> Bool) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if belongsInSecondPartition(self[middle]) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }
}
