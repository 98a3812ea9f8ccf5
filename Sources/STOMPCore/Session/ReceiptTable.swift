// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Who waits for which RECEIPT, and until when (STOMP 1.2, receipt and RECEIPT).
///
/// A RECEIPT completes only the waiter it names: it means that earlier frames were received, not that they were
/// processed.
///
/// Inlined at all costs: generic code of another module looks its types up by name at each call, some 400 instructions.
@frozen
@usableFromInline
package struct ReceiptTable<Waiter: Sendable>: Sendable {
    @usableFromInline
    @frozen
    package struct Pending: Sendable {
        @usableFromInline
        var waiter: Waiter
        @usableFromInline
        var deadline: Duration

        @inlinable
        init(waiter: Waiter, deadline: Duration) {
            self.waiter = waiter
            self.deadline = deadline
        }
    }

    @usableFromInline
    package var pending: [UInt64: Pending] = [:]
    @usableFromInline
    package var lastID: UInt64

    /// - Parameter lastID: where to go on counting, so that ids are not reused by a later connection.
    @inlinable
    @inline(__always)
    package init(after lastID: UInt64 = 0) {
        self.lastID = lastID
    }

    @inlinable
    @inline(__always)
    package var count: Int {
        self.pending.count
    }

    /// The highest id given out.
    @inlinable
    @inline(__always)
    package var highestID: UInt64 {
        self.lastID
    }

    /// Adds a waiter; its id is the value of the frame's `receipt` header, in decimal.
    @inlinable
    @inline(__always)
    package mutating func register(_ waiter: Waiter, deadline: Duration) -> UInt64 {
        self.lastID += 1
        self.pending[self.lastID] = Pending(waiter: waiter, deadline: deadline)
        return self.lastID
    }

    /// Takes out the waiter that this id names: it was confirmed, rejected or cancelled.
    ///
    /// - Returns: `nil` for an id that is not pending, such as a duplicate RECEIPT.
    @inlinable
    @inline(__always)
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

    /// The deadline of a waiter that something else ends in time.
    @inlinable
    package static var never: Duration { .seconds(Int64.max) }

    /// The earliest deadline.
    @inlinable
    package var nextDeadline: Duration? {
        self.pending.values.lazy.map(\.deadline).filter { $0 < Self.never }.min()
    }

    /// The id that a `receipt-id` header names, if it can be one of ours.
    package static func id(from text: String) -> UInt64? {
        var text = text
        return text.withUTF8 { self.id(from: UnsafeRawBufferPointer($0)) }
    }

    /// As ``id(from:)-(String)``, from the octets of a header.
    package static func id(from digits: UnsafeRawBufferPointer) -> UInt64? {
        guard let first = digits.first, digits.count <= 19, first != 48 || digits.count == 1 else { return nil }
        var id: UInt64 = 0
        for digit in digits {
            guard digit >= 48, digit <= 57 else { return nil }
            id = id &* 10 &+ UInt64(digit &- 48)
        }
        return id
    }
}
