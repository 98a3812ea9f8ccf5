// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The open transactions of a connection (STOMP 1.2, BEGIN).
package struct TransactionTable<Record: Sendable>: Sendable {
    /// Ids are octets, hence not `String` keys, whose equality is canonical equivalence.
    private var open: [[UInt8]: Record] = [:]
    private var lastNumber: UInt64 = 0

    package init() {}

    package var count: Int {
        self.open.count
    }

    /// An id that no open transaction has.
    package mutating func makeID() -> String {
        repeat { self.lastNumber += 1 } while self.open[Array("tx-\(self.lastNumber)".utf8)] != nil
        return "tx-\(self.lastNumber)"
    }

    /// - Throws: ``STOMPError/Code/invalidArgument`` if a transaction with this id is open.
    package mutating func begin(_ id: String, record: Record) throws(STOMPError) {
        let key = Array(id.utf8)
        guard self.open[key] == nil else {
            throw STOMPError(.invalidArgument, "A transaction with the id \"\(id)\" is open already.")
        }
        self.open[key] = record
    }

    /// Whether frames may still name this transaction.
    package func isOpen(_ id: String) -> Bool {
        self.open[Array(id.utf8)] != nil
    }

    /// Changes the record of an open transaction.
    ///
    /// - Throws: ``STOMPError/Code/transactionEnded`` if it is not open.
    package mutating func update<Result>(
        _ id: String,
        _ body: (inout Record) throws(STOMPError) -> Result
    ) throws(STOMPError) -> Result {
        let key = Array(id.utf8)
        // In place: a copy's arrays would be copied at each change.
        guard let index = self.open.index(forKey: key) else { throw Self.ended(id) }
        return try body(&self.open.values[index])
    }

    /// COMMIT or ABORT: takes the transaction out.
    ///
    /// - Throws: ``STOMPError/Code/transactionEnded`` if it is not open.
    package mutating func end(_ id: String) throws(STOMPError) -> Record {
        guard let record = self.open.removeValue(forKey: Array(id.utf8)) else { throw Self.ended(id) }
        return record
    }

    private static func ended(_ id: String) -> STOMPError {
        STOMPError(.transactionEnded, "No transaction with the id \"\(id)\" is open.")
    }
}
