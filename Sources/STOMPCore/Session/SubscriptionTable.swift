// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Finds the subscription that a MESSAGE belongs to by the bytes of its `subscription` header.
package struct SubscriptionTable<Entry> {
    private struct Row {
        let id: String
        let destination: String
        var entry: Entry
    }

    /// Ids are octets, hence not `String` keys, whose equality is canonical equivalence.
    private var rows: [[UInt8]: Row] = [:]
    /// Ids that we make are decimal numbers, found without hashing bytes.
    private var numbered: [UInt64: Entry] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    package var count: Int {
        self.rows.count
    }

    package var entries: [Entry] {
        self.rows.values.map(\.entry)
    }

    /// An id that no subscription of this table has had.
    package mutating func makeID() -> String {
        repeat { self.lastNumber += 1 } while self.rows[Array(String(self.lastNumber).utf8)] != nil
        return String(self.lastNumber)
    }

    /// - Throws: ``STOMPError/Code/invalidArgument`` if the id is in use (STOMP 1.2, SUBSCRIBE id).
    package mutating func insert(_ entry: Entry, id: String, destination: String) throws(STOMPError) {
        let key = Array(id.utf8)
        guard self.rows[key] == nil else {
            throw STOMPError(.invalidArgument, "The subscription id \"\(id)\" is in use on this connection.")
        }
        self.rows[key] = Row(id: id, destination: destination, entry: entry)
        if let number = ReceiptTable<Void>.id(from: id) { self.numbered[number] = entry }
    }

    @discardableResult
    package mutating func remove(id: String) -> Entry? {
        if let number = ReceiptTable<Void>.id(from: id) { self.numbered[number] = nil }
        return self.rows.removeValue(forKey: Array(id.utf8))?.entry
    }

    package func entry(id: String) -> Entry? {
        self.rows[Array(id.utf8)]?.entry
    }

    /// The entry for a raw header value; an escaped one is decoded by the rules.
    package func entry(rawID: UnsafeRawBufferPointer, rules: HeaderRules) -> Entry? {
        self.entry(id: rules.text(rawID))
    }

    /// The entry for an id that is this number in decimal.
    package func entry(number: UInt64) -> Entry? {
        self.numbered[number]
    }

    /// The entry for a message without a `subscription` header (1.0): the one with this destination.
    package func entry(destination: String) -> Entry? {
        let matches = self.rows.values.filter { $0.destination.utf8.elementsEqual(destination.utf8) }
        // Where several fit, always the same one.
        return matches.min { $0.id < $1.id }?.entry
    }
}
