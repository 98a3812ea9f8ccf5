// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Receipts, subscriptions, transactions by id")
struct TableTests {
    // MARK: - Receipts

    @Test("S12-RCT-1 ids are unique, also beyond one connection")
    func receiptIDs() {
        var table = ReceiptTable<String>()
        #expect(table.register("a", deadline: .seconds(1)) == 1)
        #expect(table.register("b", deadline: .seconds(1)) == 2)
        #expect(table.remove(1) == "a")
        #expect(table.register("c", deadline: .seconds(1)) == 3)
        #expect(table.count == 2 && table.highestID == 3)
        var next = ReceiptTable<String>(after: table.highestID)
        #expect(next.register("d", deadline: .seconds(1)) == 4)
    }

    @Test("S12-REC-2 S12-REC-3 a receipt completes the waiter it names and no earlier one")
    func receiptsAreNotCumulative() {
        var table = ReceiptTable<String>()
        let ids = ["a", "b", "c"].map { table.register($0, deadline: .seconds(1)) }
        #expect(table.remove(ids[2]) == "c")
        #expect(table.count == 2)
        #expect(table.remove(ids[0]) == "a")
        #expect(table.remove(ids[1]) == "b")
    }

    @Test("S12-REC-4 an unknown or repeated receipt-id names nobody (trap 14)")
    func unknownReceipt() {
        var table = ReceiptTable<String>()
        let id = table.register("a", deadline: .seconds(1))
        #expect(table.remove(99) == nil)
        #expect(table.remove(0) == nil)
        #expect(table.remove(id) == "a")
        #expect(table.remove(id) == nil)
        #expect(ReceiptTable<Void>.id(from: "18") == 18)
        #expect(ReceiptTable<Void>.id(from: "0") == 0)
        #expect(ReceiptTable<Void>.id(from: "9999999999999999999") == 9_999_999_999_999_999_999)
        for text in ["", "x", "-1", "+1", " 1", "1 ", "01", "00", "1.0", "٣", "99999999999999999999", "message-12345"] {
            #expect(ReceiptTable<Void>.id(from: text) == nil, "\(text)")
        }
    }

    @Test("Deadlines: the earliest is next, those that have come are taken out")
    func receiptDeadlines() {
        var table = ReceiptTable<String>()
        #expect(table.nextDeadline == nil)
        _ = table.register("a", deadline: .seconds(3))
        _ = table.register("b", deadline: .seconds(1))
        _ = table.register("c", deadline: .seconds(2))
        #expect(table.nextDeadline == .seconds(1))
        #expect(table.removeExpired(at: .milliseconds(999)).isEmpty)
        #expect(table.removeExpired(at: .seconds(2)) == ["b", "c"])
        #expect(table.nextDeadline == .seconds(3))
        #expect(table.removeAll() == ["a"])
        #expect(table.count == 0 && table.removeAll().isEmpty)
    }

    // MARK: - Subscriptions

    private func entry(_ table: SubscriptionTable<String>, raw: String, _ version: STOMPVersion = .v12) -> String? {
        wire(raw).withUnsafeBytes { table.entry(rawID: $0, rules: HeaderRules(version: version)) }
    }

    @Test("S11-SUB-2 S12-MSG-2 each subscription has an id of its own, by which messages find it")
    func subscriptionIDs() throws {
        var table = SubscriptionTable<String>()
        try table.insert("a", id: "1", destination: "/q")
        try table.insert("b", id: "my:id\\", destination: "/q")
        #expect(
            failure { () throws(STOMPError) in
                try table.insert("c", id: "1", destination: "/other")
            } == .invalidArgument
        )
        #expect(table.count == 2 && Set(table.entries) == ["a", "b"])
        #expect(self.entry(table, raw: "1") == "a")
        #expect(self.entry(table, raw: "my\\cid\\\\") == "b")
        #expect(self.entry(table, raw: "my:id\\", .v10) == "b")
        #expect(table.entry(id: "my:id\\") == "b")
        for raw in ["", "2", "01", "1 ", "my", "11"] { #expect(self.entry(table, raw: raw) == nil) }
    }

    @Test("Numbers of any length are found as the texts they are")
    func numericIDs() throws {
        let ids = ["0", "7", "007", "999999999999999999", "9999999999999999999", "99999999999999999999", "1e3"]
        var table = SubscriptionTable<String>()
        for id in ids { try table.insert("entry \(id)", id: id, destination: "/q") }
        for id in ids {
            #expect(self.entry(table, raw: id) == "entry \(id)")
            #expect(table.remove(id: id) == "entry \(id)")
            #expect(self.entry(table, raw: id) == nil)
        }
        #expect(table.count == 0)
    }

    @Test("S12-UNS-3 an id just unsubscribed names nobody, and that is no error (trap 11)")
    func unsubscribedID() throws {
        var table = SubscriptionTable<String>()
        try table.insert("a", id: "1", destination: "/q")
        #expect(table.remove(id: "1") == "a")
        #expect(self.entry(table, raw: "1") == nil)
        #expect(table.remove(id: "1") == nil)
        try table.insert("b", id: "1", destination: "/q")
        #expect(self.entry(table, raw: "1") == "b")
    }

    @Test("Made ids avoid the caller's own")
    func madeIDs() throws {
        var table = SubscriptionTable<String>()
        try table.insert("a", id: "1", destination: "/q")
        try table.insert("b", id: "3", destination: "/q")
        #expect(table.makeID() == "2")
        #expect(table.makeID() == "4")
    }

    @Test("S12-MSG-2 in 1.0 a message without subscription goes by its destination")
    func byDestination() throws {
        var table = SubscriptionTable<String>()
        try table.insert("a", id: "2", destination: "/queue/\u{E9}")
        try table.insert("b", id: "1", destination: "/queue/b")
        try table.insert("c", id: "3", destination: "/queue/b")
        #expect(table.entry(destination: "/queue/b") == "b")
        #expect(table.entry(destination: "/queue/\u{E9}") == "a")
        #expect(table.entry(destination: "/queue/e\u{301}") == nil)
        #expect(table.entry(destination: "/queue/") == nil)
    }

    @Test("Ids are octets (trap 19)")
    func idsAreOctets() throws {
        var subscriptions = SubscriptionTable<String>()
        try subscriptions.insert("composed", id: "\u{E9}", destination: "/q")
        try subscriptions.insert("decomposed", id: "e\u{301}", destination: "/q")
        #expect(self.entry(subscriptions, raw: "\u{E9}") == "composed")
        #expect(self.entry(subscriptions, raw: "e\u{301}") == "decomposed")
        var transactions = TransactionTable<String>()
        try transactions.begin("\u{E9}", record: "composed")
        #expect(!transactions.isOpen("e\u{301}"))
        try transactions.begin("e\u{301}", record: "decomposed")
        #expect(try transactions.end("\u{E9}") == "composed")
    }

    // MARK: - Transactions

    @Test("S12-TRX-2 an open transaction's id cannot be used again")
    func transactionIDs() throws {
        var table = TransactionTable<String>()
        #expect(table.makeID() == "tx-1")
        try table.begin("tx-2", record: "a")
        #expect(table.makeID() == "tx-3")
        #expect(failure { () throws(STOMPError) in try table.begin("tx-2", record: "b") } == .invalidArgument)
        #expect(try table.end("tx-2") == "a")
        try table.begin("tx-2", record: "c")
        #expect(table.count == 1)
    }

    @Test("S12-TRX-5 only an open transaction can be named, changed and ended")
    func openTransactions() throws {
        var table = TransactionTable<[Int]>()
        try table.begin("t", record: [])
        #expect(table.isOpen("t") && !table.isOpen("u"))
        let count = try table.update("t") { record in
            record.append(1)
            return record.count
        }
        #expect(count == 1)
        #expect(try table.end("t") == [1])
        #expect(!table.isOpen("t"))
        #expect(failure { () throws(STOMPError) in try table.end("t") } == .transactionEnded)
        #expect(failure { () throws(STOMPError) in try table.update("t") { $0.append(2) } } == .transactionEnded)
    }

    @Test("A change is made in place: what the record holds is not copied")
    func updateInPlace() throws {
        var table = TransactionTable<[Int]>()
        try table.begin("other", record: [])
        var numbers: [Int] = []
        numbers.reserveCapacity(1_000)
        try table.begin("t", record: numbers)
        // Ours would share its storage with the table's.
        numbers = []
        var places = Set<UnsafeRawPointer?>()
        for number in 0..<1_000 {
            try table.update("t") { record in
                record.append(number)
                record.withUnsafeBytes { _ = places.insert($0.baseAddress) }
            }
        }
        #expect(places.count == 1)
        #expect(try table.end("t") == Array(0..<1_000))
    }

    @Test("A change that throws is kept, and the transaction stays open")
    func throwingUpdate() throws {
        var table = TransactionTable<Int>()
        try table.begin("t", record: 1)
        #expect(
            failure { () throws(STOMPError) in
                try table.update("t") { (record: inout Int) throws(STOMPError) in
                    record = 2
                    throw STOMPError(.invalidArgument, "no")
                }
            } == .invalidArgument
        )
        #expect(try table.end("t") == 2)
    }
}
