// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("How transactions end", .timeLimit(.minutes(5)))
struct TransactionEndTests {
    private static let begin = "BEGIN\ntransaction:tx-1\n\n\0"

    @Test("S12-TRX-4 the connection ends before COMMIT: .transactionLost, and nothing is written on another one")
    func lost() async throws {
        let kept = Locked<STOMPTransaction?>(nil)
        let error = try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect(Self.begin)
            try await peer.expectSend("end", receipt: 1)
            peer.hangUp()
        } client: { connection in
            let error = await failure {
                try await connection.withTransaction { transaction in
                    kept.withLock { $0 = transaction }
                    // The connection's end shows in its receipts.
                    _ = await failure { try await connection.send("end", to: "/queue/q", receipt: .required) }
                }
            }
            #expect(error?.code == .transactionLost)
            #expect(error?.isRetriable == true)
        }
        #expect(error?.code == .connectionLost)
        try await ScriptedSession().run { _ in
        } client: { _ in
            let transaction = try #require(kept.withLock { $0 })
            #expect(await failure { try await transaction.send("a", to: "q") }?.code == .transactionLost)
            #expect(await failure { try await transaction.commit() }?.code == .transactionLost)
            // It is aborted already.
            try await transaction.abort()
        }
    }

    @Test("the connection ends inside the body: its send says .transactionLost")
    func lostInside() async throws {
        try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect(Self.begin)
            try await peer.expectSend("end", receipt: 1)
            peer.hangUp()
        } client: { connection in
            let error = await failure {
                try await connection.withTransaction { transaction in
                    _ = await failure { try await connection.send("end", to: "/queue/q", receipt: .required) }
                    try await transaction.send("a", to: "q")
                }
            }
            #expect(error?.code == .transactionLost)
        }
    }

    @Test("the connection ends during COMMIT: .transactionInDoubt")
    func inDoubt() async throws {
        try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect(Self.begin)
            try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:1\n\n\0")
            peer.hangUp()
        } client: { connection in
            let error = await failure { try await connection.withTransaction { _ in } }
            #expect(error?.code == .transactionInDoubt)
            #expect(error?.isRetriable == false)
            #expect((error?.cause as? STOMPError)?.code == .connectionLost)
        }
    }

    @Test("a fatal ERROR during COMMIT: .transactionInDoubt, with the frame")
    func fatalError() async throws {
        try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect(Self.begin)
            try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:1\n\n\0")
            try await peer.send("ERROR\nmessage:out of memory\n\n\0")
            try await peer.expectHangUp()
        } client: { connection in
            let error = await failure { try await connection.withTransaction { _ in } }
            #expect(error?.code == .transactionInDoubt)
            #expect(error?.frame?.headers[.message] == "out of memory")
        }
    }

    @Test("no RECEIPT for COMMIT, or a cancelled wait for it: .transactionInDoubt, and no ABORT")
    func noReceipt() async throws {
        let session = ScriptedSession()
        let isSeen = Signal()
        try await session.run { peer in
            try await peer.expect(Self.begin)
            try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:1\n\n\0")
            try await session.clock.waitForSleepers(1)
            session.clock.advance(by: .seconds(30))
            try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0")
            try await peer.expect("COMMIT\ntransaction:tx-2\nreceipt:")
            _ = try await peer.receiveRestOfReceipt()
            isSeen.raise()
        } client: { connection in
            let late = await failure { try await connection.withTransaction { _ in } }
            #expect(late?.code == .transactionInDoubt)
            #expect((late?.cause as? STOMPError)?.code == .receiptTimedOut)
            let committing = Task { try await connection.withTransaction { _ in } }
            await isSeen.wait()
            committing.cancel()
            let cancelled = await failure { try await committing.value }
            #expect(cancelled?.code == .transactionInDoubt)
            #expect((cancelled?.cause as? STOMPError)?.code == .cancelled)
        }
    }

    @Test("an ERROR that names COMMIT: .rejected, the connection lives, and no ABORT follows")
    func rejected() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect(Self.begin)
            try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:1\n\n\0")
            try await peer.send("ERROR\nreceipt-id:1\nmessage:no\n\n\0")
            try await peer.expectSend("after")
        } client: { connection in
            let error = await failure { try await connection.withTransaction { _ in } }
            #expect(error?.code == .rejected)
            try await connection.send("after", to: "/queue/q")
        }
    }

    @Test("the body throws when the connection is gone: its error, and no further one")
    func bodyThrowsAfterLoss() async throws {
        struct Oops: Error {}
        try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect(Self.begin)
            try await peer.expectSend("end", receipt: 1)
            peer.hangUp()
        } client: { connection in
            await #expect(throws: Oops.self) {
                try await connection.withTransaction { _ in
                    _ = await failure { try await connection.send("end", to: "/queue/q", receipt: .required) }
                    throw Oops()
                }
            }
        }
    }

    @Test("ABORT makes what was answered in it unanswered again, one by one")
    func abortIndividual() async throws {
        try await ScriptedSession().runSubscribed { peer in
            for index in 1...3 { try await peer.sendMessage("m\(index)", ack: "a\(index)") }
            try await peer.expect("ACK\nid:a1\n\n\0" + Self.begin)
            try await peer.expect("ACK\nid:a2\ntransaction:tx-1\n\n\0NACK\nid:a3\ntransaction:tx-1\n\n\0")
            try await peer.expect("ABORT\ntransaction:tx-1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            try await peer.expect("ACK\nid:a3\n\n\0ACK\nid:a2\n\n\0")
        } client: { connection, subscription in
            let messages = try await subscription.take(3)
            try await messages[0].ack()
            let transaction = try await connection.begin()
            try await transaction.ack(messages[1])
            try await transaction.nack(messages[2])
            #expect(await failure { try await messages[1].ack() }?.code == .alreadyAcknowledged)
            #expect(await failure { try await transaction.ack(messages[1]) }?.code == .alreadyAcknowledged)
            try await transaction.abort()
            #expect(await failure { try await messages[0].ack() }?.code == .alreadyAcknowledged)
            try await connection.ack(id: "a3", subscription: "1")
            try await messages[1].ack()
        }
    }

    @Test("ABORT of a cumulative ack gives back what it had covered, and no more")
    func abortCumulative() async throws {
        try await ScriptedSession().runSubscribed(ack: .client) { peer in
            for index in 1...4 { try await peer.sendMessage("m\(index)", ack: "a\(index)") }
            try await peer.expect("ACK\nid:a1\n\n\0" + Self.begin)
            try await peer.expect("ACK\nid:a3\ntransaction:tx-1\n\n\0")
            try await peer.expect("ABORT\ntransaction:tx-1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            try await peer.expect("ACK\nid:a2\n\n\0ACK\nid:a4\n\n\0")
        } client: { connection, subscription in
            let messages = try await subscription.take(4)
            try await messages[0].ack()
            let transaction = try await connection.begin()
            try await transaction.ack(messages[2])
            #expect(await failure { try await messages[1].ack() }?.code == .alreadyAcknowledged)
            try await transaction.abort()
            #expect(await failure { try await messages[0].ack() }?.code == .alreadyAcknowledged)
            try await messages[1].ack()
            try await messages[3].ack()
            #expect(await failure { try await messages[2].ack() }?.code == .alreadyAcknowledged)
        }
    }

    @Test("what ABORT made unanswered is given back when the subscription is left")
    func abortThenLeave() async throws {
        try await ScriptedSession(server: "RabbitMQ/3.10.8").run { peer in
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:client\nprefetch-count:100\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.expect(Self.begin + "ACK\nid:a1\ntransaction:tx-1\n\n\0")
            try await peer.expect("ABORT\ntransaction:tx-1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0COMMIT\ntransaction:tx-2\nreceipt:3\n\n\0")
            try await peer.confirm(3)
            try await peer.expect("BEGIN\ntransaction:tx-3\n\n\0NACK\nid:a1\ntransaction:tx-3\n\n\0")
            try await peer.expect("UNSUBSCRIBE\nid:1\n\n\0COMMIT\ntransaction:tx-3\n\n\0")
            try await peer.confirmRoundTrips(transactions: [4, 5], receipts: [5, 6])
        } client: { connection in
            try await connection.withSubscription(to: "q", ack: .client) { subscription in
                let message = try await subscription.take(1)[0]
                let transaction = try await connection.begin()
                try await transaction.ack(message)
                try await transaction.abort()
            }
        }
    }

    @Test("an ack refused in a transaction is not the transaction's")
    func refusedAck() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.expect("ACK\nid:a1\n\n\0" + Self.begin)
            try await peer.expect("ABORT\ntransaction:tx-1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
        } client: { connection, subscription in
            let message = try await subscription.take(1)[0]
            try await message.ack()
            let transaction = try await connection.begin()
            #expect(await failure { try await transaction.ack(message) }?.code == .alreadyAcknowledged)
            try await transaction.abort()
            #expect(await failure { try await message.ack() }?.code == .alreadyAcknowledged)
        }
    }
}
