// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Who waits for which RECEIPT, and until when (STOMP 1.2, receipt and RECEIPT).
///
/// A RECEIPT completes only the waiter it names: it means that earlier frames were received, not that they were
/// processed.
package struct ReceiptTable<Waiter: Sendable>: Sendable {
    @usableFromInline
    package struct Pending: Sendable {
        var waiter: Waiter
        var deadline: Duration
    }

    @usableFromInline
    package var pending: [UInt64: Pending] = [:]
    @usableFromInline
    package var lastID: UInt64

    /// - Parameter lastID: where to go on counting, so that ids are not reused by a later connection.
    @inlinable
    package init(after lastID: UInt64 = 0) {
        self.lastID = lastID
    }

    @inlinable
    package var count: Int {
        self.pending.count
    }

    /// The highest id given out.
    @inlinable
    package var highestID: UInt64 {
        self.lastID
    }

    /// Adds a waiter; its id is the value of the frame's `receipt` header, in decimal.
    @inlinable
    package mutating func register(_ waiter: Waiter, deadline: Duration) -> UInt64 {
        self.lastID += 1
        self.pending[self.lastID] = Pending(waiter: waiter, deadline: deadline)
        return self.lastID
    }

    /// Takes out the waiter that this id names: it was confirmed, rejected or cancelled.
    ///
    /// - Returns: `nil` for an id that is not pending, such as a duplicate RECEIPT.
    @inlinable
    package mutating func remove(_ id: UInt64) -> Waiter? {
        self.pending.removeValue(forKey: id)?.waiter
    }

    /// Takes out every waiter whose deadline has come.
    @inlinable
    package mutating func removeExpired(at now: Duration) -> [Waiter] {
        let ids = self.pending.filter { $0.value.deadline <= now }.keys.sorted()
        return ids.compactMap { self.remove($0) }
    }

    /// Takes out every waiter: the connection has ended.
    @inlinable
    package mutating func removeAll() -> [Waiter] {
        let ids = self.pending.keys.sorted()
        return ids.compactMap { self.remove($0) }
    }

    /// The earliest deadline.
    @inlinable
    package var nextDeadline: Duration? {
        self.pending.values.map(\.deadline).min()
    }

    /// The id that a `receipt-id` header names, if it can be one of ours.
    @inlinable
    package static func id(from text: String) -> UInt64? {
        self.id(from: text.utf8)
    }

    /// As ``id(from:)-(String)``, from the octets of a header.
    @inlinable
    package static func id(from digits: some Collection<UInt8>) -> UInt64? {
        guard !digits.isEmpty, digits.count <= 19, digits.first != 48 || digits.count == 1,
            digits.allSatisfy({ $0 >= 48 && $0 <= 57 })
        else { return nil }
        return digits.reduce(0) { $0 * 10 + UInt64($1 - 48) }
    }
}
