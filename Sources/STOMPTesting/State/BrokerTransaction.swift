// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// What COMMIT is to do, in this order.
struct BrokerTransaction {
    enum Operation {
        case send(BrokerMessage, BrokerDestination)
        case settle(BrokerState.Settling)
    }

    var operations: [Operation] = []
    /// What its SENDs take.
    var byteCount = 0

    /// How much it will add to each queue.
    var neededRoom: [OctetString: Int] {
        var needed: [OctetString: Int] = [:]
        for case .send(let message, .queue(let name)) in self.operations {
            needed[name, default: 0] += message.byteCount
        }
        return needed
    }
}

extension BrokerState {
    mutating func begin(_ frame: STOMPFrame, _ client: UInt64) throws(BrokerRefusal) {
        let id = OctetString(frame.headers[.transaction] ?? "")
        guard self.clients[client]?.transactions[id] == nil else {
            throw BrokerRefusal("Duplicate transaction", "A transaction with the id \"\(id.text)\" is open already.")
        }
        self.clients[client]?.transactions[id] = BrokerTransaction()
    }

    func requireTransaction(_ id: OctetString, _ client: UInt64) throws(BrokerRefusal) {
        guard self.clients[client]?.transactions[id] != nil else { throw Self.unknownTransaction(id) }
    }

    private static func unknownTransaction(_ id: OctetString) -> BrokerRefusal {
        BrokerRefusal("Unknown transaction", "No transaction with the id \"\(id.text)\" is open.")
    }

    mutating func add(
        _ message: BrokerMessage,
        to destination: BrokerDestination,
        in id: OctetString,
        _ client: UInt64
    ) throws(BrokerRefusal) {
        try self.requireTransaction(id, client)
        let byteCount = (self.clients[client]?.transactionByteCount ?? 0) + message.byteCount
        guard byteCount <= self.configuration.maximumQueueByteCount else {
            throw BrokerRefusal(
                "Transaction is too large",
                "Open transactions may hold \(self.configuration.maximumQueueByteCount) bytes."
            )
        }
        self.clients[client]?.transactionByteCount = byteCount
        self.clients[client]?.transactions[id]?.byteCount += message.byteCount
        self.clients[client]?.transactions[id]?.operations.append(.send(message, destination))
    }

    /// Takes a transaction out, to be committed or aborted.
    mutating func endTransaction(_ frame: STOMPFrame, _ client: UInt64) throws(BrokerRefusal) -> BrokerTransaction {
        let id = OctetString(frame.headers[.transaction] ?? "")
        guard let transaction = self.clients[client]?.transactions.removeValue(forKey: id) else {
            throw Self.unknownTransaction(id)
        }
        self.clients[client]?.transactionByteCount -= transaction.byteCount
        return transaction
    }

    /// All of it or nothing.
    mutating func commit(_ frame: STOMPFrame, _ client: UInt64) throws(BrokerRefusal) {
        let transaction = try self.endTransaction(frame, client)
        let full = transaction.neededRoom.filter { !self.hasRoom(in: .named($0.key), for: $0.value) }
        if let name = full.keys.min(by: { $0.text < $1.text }) {
            self.release(transaction)
            throw self.fullQueue(name)
        }
        for operation in transaction.operations {
            switch operation {
            case .send(let message, let destination): self.route(message, to: destination)
            case .settle(let settling): self.perform(settling)
            }
        }
    }

    /// Aborts: what it acknowledged is with the client again, or with the queue if the subscription has ended.
    mutating func release(_ transaction: BrokerTransaction) {
        for case .settle(let settling) in transaction.operations {
            let place = settling.place
            let returned = self.queues[place.queue]?.release(settling.numbers, by: place.consumer) ?? []
            self.forget(returned, of: place.consumer.connection)
            self.noteChange(in: place.queue)
        }
    }
}
