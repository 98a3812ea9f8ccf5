// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("ACK and NACK on the wire", .timeLimit(.minutes(5)))
struct AcknowledgementFrameTests {
    private func answer(
        _ version: STOMPVersion,
        ack: String?,
        expected: String,
        _ answer: @escaping @Sendable (STOMPMessage) async throws -> Void
    ) async throws {
        try await ScriptedSession(version: version).runSubscribed(ack: .client) { peer in
            try await peer.sendMessage("m\\c1", ack: ack)
            try await peer.expect(expected)
        } client: { _, subscription in
            try await answer(try await subscription.take(1)[0])
        }
    }

    @Test("S10-ACK-1 ACK in 1.0 names the message")
    func ackIn10() async throws {
        // Nothing is escaped there, so these are a backslash and a c.
        try await self.answer(.v10, ack: nil, expected: "ACK\nmessage-id:m\\c1\n\n\0") { message in
            #expect(message.messageID == "m\\c1")
            #expect(message.acknowledgementID == "m\\c1")
            try await message.ack()
        }
    }

    @Test("ActiveMQ: an ACK in 1.0 names the subscription too, or it may count for one that has ended")
    func ackIn10ForActiveMQ() async throws {
        try await ScriptedSession(version: .v10, server: "ActiveMQ/5.17.2").run { peer in
            try await peer.expect(
                "SUBSCRIBE\nid:1\ndestination:q\nack:client\nactivemq.prefetchSize:100\nreceipt:1\n\n\0"
            )
            try await peer.confirm(1)
            try await peer.sendMessage("m")
            try await peer.expect("ACK\nsubscription:1\nmessage-id:m\n\n\0")
            try await peer.expect("UNSUBSCRIBE\nid:1\ndestination:q\nreceipt:2\n\n\0")
            try await peer.confirm(2)
        } client: { connection in
            try await connection.withSubscription(to: "q", ack: .client) { try await $0.take(1)[0].ack() }
        }
    }

    @Test("S11-ACK-2 ACK in 1.1 names the subscription and the message, whatever the ack header says")
    func ackIn11() async throws {
        let expected = "ACK\nsubscription:1\nmessage-id:m\\c1\n\n\0"
        for ack in [nil, "planted"] as [String?] {
            try await self.answer(.v11, ack: ack, expected: expected) { message in
                #expect(message.messageID == "m:1")
                #expect(message.acknowledgementID == "m:1")
                try await message.ack()
            }
        }
    }

    @Test("S12-ACK-3 ACK in 1.2 names what the ack header says")
    func ackIn12() async throws {
        try await self.answer(.v12, ack: "a\\c1", expected: "ACK\nid:a\\c1\n\n\0") { message in
            #expect(message.acknowledgementID == "a:1")
            try await message.ack()
        }
    }

    @Test("S12-ACK-5 NACK has the headers of ACK, and does not exist in 1.0")
    func nack() async throws {
        try await self.answer(.v11, ack: nil, expected: "NACK\nsubscription:1\nmessage-id:m\\c1\n\n\0") {
            try await $0.nack()
        }
        try await self.answer(.v12, ack: "a", expected: "NACK\nid:a\nrequeue:false\nx:\\c\n\n\0") {
            try await $0.nack(headers: ["requeue": "false", "x": ":"])
        }
        try await self.answer(.v10, ack: nil, expected: "ACK\nmessage-id:m\\c1\n\n\0") { message in
            #expect(await failure { try await message.nack() }?.code == .notSupported)
            #expect(await failure { try await message.nack(receipt: .required) }?.code == .notSupported)
            try await message.ack()
        }
    }

    @Test("where the broker has no NACK, it is refused")
    func noNack() async throws {
        var session = ScriptedSession()
        session.configuration.dialect = .stompserver
        try await session.runSubscribed { peer in
            try await peer.sendMessage("m", ack: "a")
        } client: { _, subscription in
            let message = try await subscription.take(1)[0]
            #expect(await failure { try await message.nack() }?.code == .notSupported)
        }
    }

    @Test(
        "ids go back byte by byte as they came",
        arguments: ["a\\cb\\\\\\n\\r", "a:b", "T_1@@session-x@@1", " a ", "\\t\\", "\u{fc}", "1"]
    )
    func rawIDs(id: String) async throws {
        try await self.answer(.v12, ack: id, expected: "ACK\nid:\(id)\n\n\0") { try await $0.ack() }
        try await ScriptedSession(version: .v11).runSubscribed { peer in
            try await peer.sendMessage(id)
            try await peer.expect("NACK\nsubscription:1\nmessage-id:\(id)\n\n\0")
        } client: { _, subscription in
            try await subscription.take(1)[0].nack()
        }
    }

    @Test("of a repeated ack header the first one counts")
    func repeatedHeader() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.send("MESSAGE\nack:first\nsubscription:1\nmessage-id:m\nack:second\ndestination:q\n\n\0")
            try await peer.expect("ACK\nid:first\n\n\0")
        } client: { _, subscription in
            try await subscription.take(1)[0].ack()
        }
    }

    @Test("brokers that send no ack header in 1.2 get the message-id, if their dialect says so")
    func dialectWithoutAckHeader() async throws {
        var session = ScriptedSession()
        var dialect = STOMPDialect(name: "old")
        dialect.acknowledgementHeader = .messageID
        session.configuration.dialect = dialect
        try await session.runSubscribed { peer in
            try await peer.sendMessage("m\\c1", ack: "ignored")
            try await peer.expect("ACK\nid:m\\c1\n\n\0")
        } client: { _, subscription in
            try await subscription.take(1)[0].ack()
        }
    }

    @Test("acks with a receipt wait for it")
    func receipts() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.expect("ACK\nid:a1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            try await peer.sendMessage("m2", ack: "a2")
            try await peer.expect("NACK\nid:a2\nreceipt:3\nrequeue:false\n\n\0")
            try await peer.send("ERROR\nreceipt-id:3\nmessage:no\n\n\0")
        } client: { _, subscription in
            try await subscription.take(1)[0].ack(receipt: .required)
            let message = try await subscription.take(1)[0]
            let error = await failure { try await message.nack(headers: ["requeue": "false"], receipt: .required) }
            #expect(error?.code == .rejected)
            #expect(await failure { try await message.ack() }?.code == .alreadyAcknowledged)
        }
    }

    @Test("by id", arguments: [STOMPVersion.v11, .v12])
    func byID(version: STOMPVersion) async throws {
        let prefix = version == .v12 ? "id:" : "subscription:1\nmessage-id:"
        try await ScriptedSession(version: version).runSubscribed { peer in
            for id in ["a\\c1", "a2", "a3"] { try await peer.sendMessage(id, ack: id) }
            try await peer.expect("ACK\n\(prefix)a2\n\n\0")
            try await peer.expect("NACK\n\(prefix)a\\c1\nreceipt:2\nx:y\n\n\0")
            try await peer.confirm(2)
        } client: { connection, subscription in
            let messages = try await subscription.take(3)
            try await connection.ack(id: "a2", subscription: "1")
            try await connection.nack(id: "a:1", subscription: "1", headers: ["x": "y"], receipt: .required)
            let codes = [
                await failure { try await connection.ack(id: "a2", subscription: "1") }?.code,
                await failure { try await messages[1].ack() }?.code,
                await failure { try await connection.ack(id: "a9", subscription: "1") }?.code,
                await failure { try await connection.ack(id: "a3", subscription: "2") }?.code,
            ]
            #expect(
                codes == [.alreadyAcknowledged, .alreadyAcknowledged, .alreadyAcknowledged, .notAcknowledgeable]
            )
        }
    }
}
