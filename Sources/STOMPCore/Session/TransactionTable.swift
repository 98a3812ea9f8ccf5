// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The open transactions of a connection (STOMP 1.2, BEGIN).
package struct TransactionTable<Record> {
    private var open: [String: Record] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    package var count: Int {
        self.open.count
    }

    /// An id that no open transaction has.
    package mutating func makeID() -> String {
        repeat { self.lastNumber += 1 } while self.open["tx-\(self.lastNumber)"] != nil
        return "tx-\(self.lastNumber)"
    }

    /// - Throws: ``STOMPError/Code/invalidArgument`` if a transaction with this id is open.
    package mutating func begin(_ id: String, record: Record) throws(STOMPError) {
        guard self.open[id] == nil else {
            throw STOMPError(.invalidArgument, "A transaction with the id \"\(id)\" is open already.")
        }
        self.open[id] = record
    }

    /// Whether frames may still name this transaction.
    package func isOpen(_ id: String) -> Bool {
        self.open[id] != nil
    }

    /// Changes the record of an open transaction.
    ///
    /// - Throws: ``STOMPError/Code/transactionEnded`` if it is not open.
    package mutating func update<Result>(
        _ id: String,
        _ body: (inout Record) throws(STOMPError) -> Result
    ) throws(STOMPError) -> Result {
        guard var record = self.open[id] else { throw Self.ended(id) }
        defer { self.open[id] = record }
        return try body(&record)
    }

    /// COMMIT or ABORT: takes the transaction out.
    ///
    /// - Throws: ``STOMPError/Code/transactionEnded`` if it is not open.
    package mutating func end(_ id: String) throws(STOMPError) -> Record {
        guard let record = self.open.removeValue(forKey: id) else { throw Self.ended(id) }
        return record
    }

    private static func ended(_ id: String) -> STOMPError {
        STOMPError(.transactionEnded, "No transaction with the id \"\(id)\" is open.")
    }
}
