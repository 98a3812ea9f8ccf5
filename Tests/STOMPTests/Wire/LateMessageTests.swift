// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

/// RabbitMQ's queue sends on its own time: what it sends while UNSUBSCRIBE is being processed belongs to no subscription.
@Suite("Messages that come too late to be given back with the rest", .timeLimit(.minutes(5)))
struct LateMessageTests {
    private static let rabbitMQ = ScriptedSession(server: "RabbitMQ/3.10.8\nsession:s")

    /// The subscription 1, left after the first of so many messages; ends with its COMMIT.
    private func leave(
        _ peer: ScriptedPeer,
        after numbers: ClosedRange<Int> = 1...1,
        version: STOMPVersion = .v12
    ) async throws {
        let mode = version == .v11 ? "client" : "client-individual"
        try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:\(mode)\nprefetch-count:100\nx-a:b\nreceipt:1\n\n\0")
        try await peer.confirm(1)
        for number in numbers { try await peer.deliver(number) }
        try await peer.expect(ack(1, version))
        try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0COMMIT\ntransaction:tx-1\nreceipt:2\n\n\0")
        try await peer.confirm(2)
        guard numbers.count > 1 else { return try await peer.expect("UNSUBSCRIBE\nid:1\nx-c:d\n\n\0") }
        try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0")
        for number in numbers.dropFirst() { try await peer.expect(nack(number, 2, version)) }
        try await peer.expect("UNSUBSCRIBE\nid:1\nx-c:d\n\n\0COMMIT\ntransaction:tx-2\n\n\0")
    }

    /// After ``leave(_:after:version:)`` and one notice, all that gives back the message 2; `confirm` answers a receipt.
    private func giveBackLateOne(_ peer: ScriptedPeer, confirm: (Int) async throws -> Void) async throws {
        for (transaction, receipt) in [(2, 4), (3, 5)] {
            try await peer.expectRoundTrip(transaction, receipt)
            try await confirm(receipt)
        }
        try await peer.expect("SUBSCRIBE\nid:1\n")
        try await peer.expect("destination:q\nack:client-individual\nprefetch-count:1\nx-a:b\nreceipt:6\n\n\0")
        try await confirm(6)
        try await peer.expectRoundTrip(4, 7)
        try await confirm(7)
        try await peer.expect("BEGIN\ntransaction:tx-5\n\n\0")
        try await peer.expect(self.nack(2, 5))
        try await peer.expect("UNSUBSCRIBE\nid:1\nx-c:d\n\n\0COMMIT\ntransaction:tx-5\n\n\0")
        for (transaction, receipt) in [(6, 8), (7, 9)] {
            try await peer.expectRoundTrip(transaction, receipt)
            try await confirm(receipt)
        }
    }

    private func ack(_ number: Int, _ version: STOMPVersion = .v12) -> String {
        version == .v12 ? "ACK\nid:T_1@@s@@\(number)\n\n\0" : "ACK\nsubscription:1\nmessage-id:T_1@@s@@\(number)\n\n\0"
    }

    private func nack(_ number: Int, _ transaction: Int, _ version: STOMPVersion = .v12) -> String {
        let id = version == .v12 ? "id:" : "subscription:1\nmessage-id:"
        return "NACK\n\(id)T_1@@s@@\(number)\ntransaction:tx-\(transaction)\n\n\0"
    }

    private func unsubscribe(_ connection: STOMPConnection, _ mode: STOMPAckMode = .clientIndividual) async throws {
        let subscription = try await connection.subscribe(to: "q", ack: mode, headers: ["x-a": "b"])
        try await subscription.take(1)[0].ack()
        try await subscription.unsubscribe(headers: ["x-c": "d"])
    }

    @Test("what arrives behind UNSUBSCRIBE, as a MESSAGE or as an ERROR, is given back by subscribing once more")
    func subscribesOnceMore() async throws {
        try await Self.rabbitMQ.run { peer in
            try await self.leave(peer, after: 1...3)
            // Sent before UNSUBSCRIBE was read: still a MESSAGE. After it, each is an ERROR.
            try await peer.deliver(4)
            try await peer.notice()
            try await peer.notice()
            try await peer.confirmRoundTrips(transactions: [3, 4], receipts: [4, 5])
            try await peer.expect(
                "SUBSCRIBE\nid:1\ndestination:q\nack:client-individual\nprefetch-count:1\nx-a:b\nreceipt:6\n\n\0"
            )
            try await peer.confirm(6)
            try await peer.deliver(7)
            try await peer.confirmRoundTrips(transactions: [5], receipts: [7])
            try await peer.expect("BEGIN\ntransaction:tx-6\n\n\0")
            for number in 4...7 { try await peer.expect(self.nack(number, 6)) }
            try await peer.expect("UNSUBSCRIBE\nid:1\nx-c:d\n\n\0COMMIT\ntransaction:tx-6\n\n\0")
            try await peer.confirmRoundTrips(transactions: [7, 8], receipts: [8, 9])
        } client: { connection in
            try await self.unsubscribe(connection)
        }
    }

    @Test("STOMP 1.1")
    func older() async throws {
        var session = Self.rabbitMQ
        session.version = .v11
        try await session.run { peer in
            try await self.leave(peer, version: .v11)
            try await peer.notice()
            try await peer.confirmRoundTrips(transactions: [2, 3], receipts: [4, 5])
            try await peer.expect(
                "SUBSCRIBE\nid:1\ndestination:q\nack:client-individual\nprefetch-count:1\nx-a:b\nreceipt:6\n\n\0"
            )
            try await peer.confirm(6)
            try await peer.confirmRoundTrips(transactions: [4], receipts: [7])
            try await peer.expect("BEGIN\ntransaction:tx-5\n\n\0")
            try await peer.expect(self.nack(2, 5, .v11))
            try await peer.expect("UNSUBSCRIBE\nid:1\nx-c:d\n\n\0COMMIT\ntransaction:tx-5\n\n\0")
            try await peer.confirmRoundTrips(transactions: [6, 7], receipts: [8, 9])
        } client: { connection in
            try await self.unsubscribe(connection, .client)
        }
    }

    @Test("the last reference dropped: the same, and whoever wants the id again waits until it is free")
    func dropped() async throws {
        try await Self.rabbitMQ.run { peer in
            let subscribe = "SUBSCRIBE\nid:x\ndestination:q\nack:client-individual\nprefetch-count:"
            try await peer.expect("\(subscribe)100\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expect("UNSUBSCRIBE\nid:x\n\n\0")
            try await peer.notice("x")
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0COMMIT\ntransaction:tx-1\nreceipt:")
            try await peer.confirm(peer.receiveRestOfReceipt())
            try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0COMMIT\ntransaction:tx-2\nreceipt:")
            try await peer.confirm(peer.receiveRestOfReceipt())
            try await peer.expect("\(subscribe)1\nreceipt:")
            try await peer.confirm(peer.receiveRestOfReceipt())
            try await peer.expect("BEGIN\ntransaction:tx-3\n\n\0COMMIT\ntransaction:tx-3\nreceipt:")
            // There was no message yet, on this connection.
            try await peer.confirm(peer.receiveRestOfReceipt())
            try await peer.expect("BEGIN\ntransaction:tx-4\n\n\0NACK\nid:T_x@@s@@1\ntransaction:tx-4\n\n\0")
            try await peer.expect("UNSUBSCRIBE\nid:x\n\n\0COMMIT\ntransaction:tx-4\n\n\0")
            for number in 5...6 {
                try await peer.expect("BEGIN\ntransaction:tx-\(number)\n\n\0COMMIT\ntransaction:tx-\(number)\nreceipt:")
                try await peer.confirm(peer.receiveRestOfReceipt())
            }
            try await peer.expect("SUBSCRIBE\nid:x\ndestination:q\nack:auto\nreceipt:")
            try await peer.confirm(peer.receiveRestOfReceipt())
            try await peer.expect("UNSUBSCRIBE\nid:x\nreceipt:")
            try await peer.confirm(peer.receiveRestOfReceipt())
        } client: { connection in
            _ = try await connection.subscribe(to: "q", id: "x")
            try await connection.withSubscription(to: "q", ack: .auto, id: "x") { _ in }
        }
    }

    @Test("what comes too late the next time goes back the time after that")
    func again() async throws {
        try await Self.rabbitMQ.run { peer in
            try await self.leave(peer)
            try await peer.notice()
            try await peer.confirmRoundTrips(transactions: [2, 3], receipts: [4, 5])
            var (transaction, receipt) = (4, 6)
            for number in 2...4 {
                try await peer.expect("SUBSCRIBE\nid:1\n")
                try await peer.expect(
                    "destination:q\nack:client-individual\nprefetch-count:1\nx-a:b\nreceipt:\(receipt)\n\n\0"
                )
                try await peer.confirm(receipt)
                try await peer.confirmRoundTrips(transactions: [transaction], receipts: [receipt + 1])
                try await peer.expect("BEGIN\ntransaction:tx-\(transaction + 1)\n\n\0")
                try await peer.expect(self.nack(number, transaction + 1))
                try await peer.expect("UNSUBSCRIBE\nid:1\nx-c:d\n\n\0COMMIT\ntransaction:tx-\(transaction + 1)\n\n\0")
                if number < 4 { try await peer.notice() }
                try await peer.confirmRoundTrips(
                    transactions: [transaction + 2, transaction + 3],
                    receipts: [receipt + 2, receipt + 3]
                )
                (transaction, receipt) = (transaction + 4, receipt + 4)
            }
        } client: { connection in
            try await self.unsubscribe(connection)
        }
    }

    @Test("numbers that do not follow one another are not guessed")
    func unreliable() async throws {
        try await Self.rabbitMQ.run { peer in
            try await peer.expect(
                "SUBSCRIBE\nid:1\ndestination:q\nack:client-individual\nprefetch-count:100\nx-a:b\nreceipt:1\n\n\0"
            )
            try await peer.confirm(1)
            try await peer.deliver(1)
            try await peer.deliver(3)
            try await peer.expect(self.ack(1))
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0COMMIT\ntransaction:tx-1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0")
            try await peer.expect(self.nack(3, 2))
            try await peer.expect("UNSUBSCRIBE\nid:1\nx-c:d\n\n\0COMMIT\ntransaction:tx-2\n\n\0")
            try await peer.notice()
            try await peer.confirmRoundTrips(transactions: [3, 4], receipts: [4, 5])
        } client: { connection in
            try await self.unsubscribe(connection)
        }
    }

    @Test("each answer of the broker has its time, however many there are to wait for")
    func slow() async throws {
        let clock = ManualClock()
        var session = Self.rabbitMQ
        session.clock = clock
        try await session.run { peer in
            try await self.leave(peer)
            try await peer.notice()
            try await self.giveBackLateOne(peer) { receipt in
                clock.advance(by: .seconds(4))
                try await peer.confirm(receipt)
            }
        } client: { connection in
            try await self.unsubscribe(connection)
        }
    }

    @Test("an answer that does not come in its time ends the wait")
    func tooSlow() async throws {
        let clock = ManualClock()
        var session = Self.rabbitMQ
        session.clock = clock
        try await session.run { peer in
            try await self.leave(peer)
            try await peer.notice()
            try await peer.expectRoundTrip(2, 4)
            clock.advance(by: .seconds(4))
            try await peer.confirm(4)
            try await peer.expectRoundTrip(3, 5)
            clock.advance(by: .seconds(5))
        } client: { connection in
            let error = await failure { try await self.unsubscribe(connection) }
            #expect(error?.code == .receiptTimedOut)
        }
    }

    @Test("a broker that cancels the new subscription each time is given up, with an error")
    func cancelledEachTime() async throws {
        try await Self.rabbitMQ.run { peer in
            try await self.leave(peer)
            try await peer.notice()
            try await peer.confirmRoundTrips(transactions: [2, 3], receipts: [4, 5])
            for round in 1...19 {
                let (transaction, receipt) = (1 + 3 * round, 2 + 4 * round)
                try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:client-individual\nprefetch-count:1\n")
                try await peer.expect("x-a:b\nreceipt:\(receipt)\n\n\0")
                try await peer.confirm(receipt)
                try await peer.expectRoundTrip(transaction, receipt + 1)
                try await peer.send("ERROR\nmessage:Server cancelled subscription\nsubscription:1\n\n\0")
                try await peer.confirm(receipt + 1)
                try await peer.confirmRoundTrips(
                    transactions: [transaction + 1, transaction + 2],
                    receipts: [receipt + 2, receipt + 3]
                )
            }
        } client: { connection in
            let error = await failure { try await self.unsubscribe(connection) }
            #expect(error?.code == .rejected)
        }
    }

    @Test("a cancelled wait ends at once, and what was late is given back all the same")
    func cancelled() async throws {
        let (signs, sign) = AsyncStream<Void>.makeStream()
        try await Self.rabbitMQ.run { peer in
            try await self.leave(peer)
            try await peer.notice()
            try await self.giveBackLateOne(peer) { receipt in
                if receipt == 4 { for await _ in signs { break } }
                try await peer.confirm(receipt)
            }
        } client: { connection in
            let subscription = try await connection.subscribe(to: "q", headers: ["x-a": "b"])
            try await subscription.take(1)[0].ack()
            let leaving = Task { try await subscription.unsubscribe(headers: ["x-c": "d"]) }
            // UNSUBSCRIBE is written: the first answer is waited for.
            while connection.outbox.leaverIDs.isEmpty { await Task.yield() }
            leaving.cancel()
            #expect(await failure { try await leaving.value }?.code == .cancelled)
            sign.yield()
            // Who takes the id next waits until all is given back.
            while !connection.outbox.leaverIDs.isEmpty { await Task.yield() }
        }
    }

    @Test("a header that cannot be sent ends nothing: the subscription goes on, and can be left")
    func unsayable() async throws {
        try await Self.rabbitMQ.run { peer in
            try await self.leave(peer)
            try await peer.confirmRoundTrips(transactions: [2, 3], receipts: [4, 5])
        } client: { connection in
            let subscription = try await connection.subscribe(to: "q", headers: ["x-a": "b"])
            let message = try await subscription.take(1)[0]
            let error = await failure { try await subscription.unsubscribe(headers: ["x": "\0"]) }
            #expect(error?.code == .invalidArgument)
            try await message.ack()
            try await subscription.unsubscribe(headers: ["x-c": "d"])
        }
    }

    @Test("the end of the connection ends the wait")
    func connectionLost() async throws {
        var session = Self.rabbitMQ
        session.ending = .loss
        try await session.run { peer in
            try await self.leave(peer)
            try await peer.notice()
            try await peer.confirmRoundTrips(transactions: [2], receipts: [4])
            peer.hangUp()
        } client: { connection in
            let error = await failure { try await self.unsubscribe(connection) }
            #expect(error?.code == .connectionLost)
        }
    }
}

extension ScriptedPeer {
    /// A MESSAGE with this delivery tag.
    fileprivate func deliver(_ number: Int) async throws {
        let id = "T_1@@s@@\(number)"
        try await self.send("MESSAGE\nsubscription:1\nmessage-id:\(id)\nack:\(id)\ndestination:/queue/q\n\n\(number)\0")
    }

    /// What RabbitMQ sends in place of a MESSAGE of a subscription that has ended.
    fileprivate func notice(_ id: String = "1") async throws {
        let text = "There is no current subscription with tag 'T_\(id)'."
        try await self.send(
            "ERROR\nmessage:Subscription not found\ncontent-type:text/plain\nversion:1.0,1.1,1.2\n"
                + "content-length:\(text.utf8.count)\n\n\(text)\0"
        )
    }

    /// Empty transactions: by their answers the client knows what is behind it.
    func confirmRoundTrips(transactions: [Int], receipts: [Int]) async throws {
        for (transaction, receipt) in zip(transactions, receipts) {
            try await self.expectRoundTrip(transaction, receipt)
            try await self.confirm(receipt)
        }
    }

    fileprivate func expectRoundTrip(_ transaction: Int, _ receipt: Int) async throws {
        try await self.expect(
            "BEGIN\ntransaction:tx-\(transaction)\n\n\0COMMIT\ntransaction:tx-\(transaction)\nreceipt:\(receipt)\n\n\0"
        )
    }
}
