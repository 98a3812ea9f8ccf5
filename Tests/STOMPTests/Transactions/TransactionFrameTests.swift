// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("Transactions on the wire", .timeLimit(.minutes(5)))
struct TransactionFrameTests {
    private struct Oops: Error {}

    @Test(
        "S12-TRX-1 S12-TRX-3 S12-SND-2 S12-ACK-4 BEGIN, SEND, ACK, NACK and COMMIT name it; only COMMIT takes a receipt"
    )
    func commit() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.sendMessage("m2", ack: "a2")
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect(
                "SEND\ndestination:q\ncontent-type:text/plain\ntransaction:tx-1\nx:y\ncontent-length:4\n\npaid\0"
            )
            try await peer.expect("SEND\ndestination:q\ntransaction:tx-1\ncontent-length:1\n\n\0\0")
            try await peer.expect("ACK\nid:a1\ntransaction:tx-1\n\n\0")
            try await peer.expect("NACK\nid:a2\ntransaction:tx-1\nrequeue:false\n\n\0")
            try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
        } client: { connection, subscription in
            let messages = try await subscription.take(2)
            let value = try await connection.withTransaction { transaction in
                #expect(transaction.id == "tx-1")
                try await transaction.send("paid", to: "q", headers: ["x": "y"])
                try await transaction.send([0], to: "q", contentType: nil)
                try await transaction.ack(messages[0])
                try await transaction.nack(messages[1], headers: ["requeue": "false"])
                return 7
            }
            #expect(value == 7)
            for message in messages {
                #expect(await failure { try await message.ack() }?.code == .alreadyAcknowledged)
            }
        }
    }

    @Test(
        "the older versions",
        arguments: [(STOMPVersion.v10, ""), (.v11, "subscription:1\n")]
    )
    func olderVersions(version: STOMPVersion, subscriptionHeader: String) async throws {
        try await ScriptedSession(version: version).runSubscribed(ack: .client) { peer in
            try await peer.sendMessage("m1")
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("ACK\n\(subscriptionHeader)message-id:m1\ntransaction:tx-1\n\n\0")
            try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
        } client: { connection, subscription in
            let message = try await subscription.take(1)[0]
            try await connection.withTransaction { try await $0.ack(message) }
        }
    }

    @Test("an id of one's own, escaped; one that is in use is refused")
    func ownID() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("BEGIN\ntransaction:a\\cb\n\n\0BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("SEND\ndestination:q\ntransaction:a\\cb\ncontent-length:0\n\n\0")
            try await peer.expect("COMMIT\ntransaction:a\\cb\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expect("BEGIN\ntransaction:a\\cb\n\n\0")
            try await peer.expect("ABORT\ntransaction:a\\cb\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            try await peer.expect("ABORT\ntransaction:tx-1\nreceipt:3\n\n\0")
            try await peer.confirm(3)
        } client: { connection in
            let first = try await connection.begin(id: "a:b")
            let second = try await connection.begin()
            let inUse = await failure { _ = try await connection.begin(id: "a:b") }
            let unsayable = await failure { _ = try await connection.begin(id: "a\0b") }
            #expect([inUse?.code, unsayable?.code] == [.invalidArgument, .invalidArgument])
            try await first.send("", to: "q", contentType: nil)
            try await first.commit()
            try await connection.begin(id: "a:b").abort()
            try await second.abort()
        }
    }

    @Test("the body throws: ABORT, and its error")
    func bodyThrows() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("SEND\ndestination:q\ntransaction:tx-1\ncontent-length:0\n\n\0")
            try await peer.expect("ABORT\ntransaction:tx-1\nreceipt:1\n\n\0")
            try await peer.confirm(1)
        } client: { connection in
            await #expect(throws: Oops.self) {
                try await connection.withTransaction { transaction in
                    try await transaction.send("", to: "q", contentType: nil)
                    throw Oops()
                }
            }
        }
    }

    @Test("cancelled: ABORT", arguments: ["in the body", "waiting in the body"])
    func cancelled(place: String) async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("ABORT\ntransaction:tx-1\nreceipt:1\n\n\0")
            try await peer.confirm(1)
        } client: { connection in
            let working = Task {
                try await connection.withTransaction { _ in
                    withUnsafeCurrentTask { $0?.cancel() }
                    if place == "waiting in the body" { try await Completion().value() }
                }
            }
            do {
                try await working.value
                Issue.record("It was cancelled.")
            } catch {
                #expect(error is CancellationError || (error as? STOMPError)?.code == .cancelled)
            }
        }
    }

    @Test("by hand: a cancelled task does not COMMIT, and can ABORT")
    func cancelledByHand() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("ABORT\ntransaction:tx-1\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expectSend("after")
        } client: { connection in
            let transaction = try await connection.begin()
            let ending = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                #expect(await failure { try await transaction.commit() }?.code == .cancelled)
                #expect(await failure { try await transaction.abort() }?.code == .cancelled)
                #expect(await failure { try await transaction.abort() }?.code == .transactionEnded)
            }
            await ending.value
            try await connection.send("after", to: "/queue/q")
        }
    }

    @Test("use after the end, or twice ended: .transactionEnded and no byte")
    func afterEnd() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            for (round, command) in ["COMMIT", "ABORT"].enumerated() {
                try await peer.expect("BEGIN\ntransaction:tx-\(round + 1)\n\n\0")
                try await peer.expect("\(command)\ntransaction:tx-\(round + 1)\nreceipt:\(round + 2)\n\n\0")
                try await peer.confirm(round + 2)
            }
            try await peer.expect("ACK\nid:a1\n\n\0")
        } client: { connection, subscription in
            let message = try await subscription.take(1)[0]
            let first = try await connection.begin()
            try await first.commit()
            let second = try await connection.begin()
            try await second.abort()
            for transaction in [first, second] {
                let codes: Set<STOMPError.Code?> = [
                    await failure { try await transaction.send("", to: "q") }?.code,
                    await failure { try await transaction.send([], to: "q") }?.code,
                    await failure { try await transaction.ack(message) }?.code,
                    await failure { try await transaction.nack(message) }?.code,
                    await failure { try await transaction.commit() }?.code,
                    await failure { try await transaction.abort() }?.code,
                ]
                #expect(codes == [.transactionEnded])
            }
            try await message.ack()
        }
    }

    @Test("what cannot be sent in it leaves no byte, and the transaction goes on")
    func invalid() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:1\n\n\0")
            try await peer.confirm(1)
        } client: { connection in
            try await connection.withTransaction { transaction in
                let codes = [
                    await failure { try await transaction.send("a", to: "") }?.code,
                    await failure { try await transaction.send("a", to: "q", headers: ["receipt": "1"]) }?.code,
                    await failure { try await transaction.send("\0", to: "q", contentLength: .omitted) }?.code,
                ]
                #expect(codes.allSatisfy { $0 == .invalidArgument })
            }
        }
    }

    @Test("a message of another connection: .staleAcknowledgement and no byte")
    func otherConnection() async throws {
        let kept = Locked<STOMPMessage?>(nil)
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
        } client: { _, subscription in
            let message = try await subscription.take(1)[0]
            kept.withLock { $0 = message }
            try await ScriptedSession().run { peer in
                try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
                try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:1\n\n\0")
                try await peer.confirm(1)
            } client: { connection in
                try await connection.withTransaction { transaction in
                    let foreign = try #require(kept.withLock { $0 })
                    let codes = [
                        await failure { try await transaction.ack(foreign) }?.code,
                        await failure { try await transaction.nack(foreign) }?.code,
                    ]
                    #expect(codes == [.staleAcknowledgement, .staleAcknowledgement])
                }
            }
        }
    }
}
