// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTesting

@Suite struct BrokerAcknowledgementTests {
    /// A session with these messages delivered, `a-1`, `a-2` and so on.
    private func makeSession(
        on broker: STOMPBroker,
        _ version: String = "1.2",
        ack: String,
        _ texts: [String] = ["a", "b", "c"]
    ) async throws -> RawClient {
        let client = try await broker.session(version)
        try await client.subscribe("q", ack: ack)
        for text in texts {
            try await broker.publish(text, to: "q")
            #expect(try await client.receive().body == text)
        }
        return client
    }

    @Test func `client mode is cumulative`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client")
            try await client.request("ACK\nid:a-2")
            #expect(await broker.settled(in: "q") == [.acknowledged("a"), .acknowledged("b")])
            #expect(await broker.unacknowledged(in: "q").map(\.text) == ["c"])
            try await client.send("ACK\nid:a-1\nreceipt:x\n\n\0")
            let error = try await client.receive()
            #expect(error["message"] == "Unknown delivery")
            #expect(error["receipt-id"] == "x")
        }
    }

    @Test func `client individual mode is not`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client-individual")
            try await client.request("ACK\nid:a-2")
            #expect(await broker.settled(in: "q") == [.acknowledged("b")])
            #expect(await broker.unacknowledged(in: "q").map(\.text) == ["a", "c"])
        }
    }

    @Test func `a NACK brings the message again`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client-individual", ["a"])
            try await client.request("NACK\nid:a-1")
            let again = try await client.receive()
            #expect(again.body == "a")
            #expect(again["redelivered"] == "true")
            #expect(again["ack"] == "a-2")
            try await client.request("ACK\nid:a-2")
            #expect(await broker.settled(in: "q") == [.negativelyAcknowledged("a"), .acknowledged("a")])
        }
    }

    @Test func `a NACK in client mode covers all before`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client")
            try await client.request("NACK\nid:a-2")
            #expect(try await client.receive().body == "a")
            #expect(try await client.receive().body == "b")
            #expect(await broker.unacknowledged(in: "q").map(\.text) == ["c", "a", "b"])
        }
    }

    @Test func `a NACK gives the message to somebody else`() async throws {
        try await withSTOMPBroker { broker in
            let one = try await self.makeSession(on: broker, ack: "client-individual", ["a"])
            let two = try await broker.session()
            try await two.subscribe("q", ack: "client-individual")
            try await one.request("NACK\nid:a-1")
            #expect(try await two.receive().body == "a")
            #expect(one.hasReceivedNothing)
        }
    }

    @Test func `STOMP 1_1 acknowledges by message id and subscription`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, "1.1", ack: "client-individual")
            try await client.request("ACK\nmessage-id:m-2\nsubscription:0")
            #expect(await broker.settled(in: "q") == [.acknowledged("b")])
            try await client.send("ACK\nmessage-id:m-1\nsubscription:1\n\n\0")
            #expect(try await client.receive()["message"] == "Unknown delivery")
        }
    }

    @Test(arguments: ["m-1", "1", "a-01", "a-99999999999999999999", "a-"])
    func `an ACK with another name is refused`(name: String) async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client", ["a"])
            try await client.send("ACK\nid:\(name)\n\n\0")
            #expect(try await client.receive()["message"] == "Unknown delivery")
            try await client.expectHangUp()
        }
    }

    @Test func `auto messages and those of others cannot be acknowledged`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "auto", ["a"])
            try await client.send("ACK\nid:a-1\n\n\0")
            #expect(try await client.receive()["message"] == "Unknown delivery")
            let one = try await self.makeSession(on: broker, ack: "client", ["b"])
            let two = try await broker.session()
            try await two.send("ACK\nid:a-2\n\n\0")
            #expect(try await two.receive()["message"] == "Unknown delivery")
            try await one.request("ACK\nid:a-2")
            #expect(await broker.settled(in: "q") == [.acknowledged("b")])
        }
    }

    @Test func `what UNSUBSCRIBE gave back cannot be acknowledged`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client", ["a"])
            try await client.request("UNSUBSCRIBE\nid:0")
            try await client.send("ACK\nid:a-1\n\n\0")
            #expect(try await client.receive()["message"] == "Unknown delivery")
            #expect(await broker.messages(in: "q").map(\.text) == ["a"])
        }
    }

    @Test func `a message that is refused too often goes to the dead letters`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.redeliveryLimit = 1
        configuration.deadLetterQueue = "/queue/dead"
        try await withSTOMPBroker(configuration) { broker in
            let client = try await self.makeSession(on: broker, ack: "client-individual", ["a"])
            try await client.request("NACK\nid:a-1")
            #expect(try await client.receive()["ack"] == "a-2")
            try await client.request("NACK\nid:a-2")
            #expect(await broker.unacknowledged(in: "q").isEmpty)
            #expect(await broker.messages(in: "q").isEmpty)
            let dead = await broker.messages(in: "/queue/dead")
            #expect(dead.map(\.text) == ["a"])
            #expect(dead.first?.headers["original-destination"] == "q")
            #expect(await broker.settled(in: "q") == [.negativelyAcknowledged("a"), .negativelyAcknowledged("a")])
        }
    }

    @Test func `without a dead letter queue it is gone`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.redeliveryLimit = 0
        try await withSTOMPBroker(configuration) { broker in
            let client = try await self.makeSession(on: broker, ack: "client", ["a"])
            try await client.request("NACK\nid:a-1")
            try await client.request("SEND\ndestination:other")
            #expect(client.hasReceivedNothing)
            #expect(await broker.messages(in: "q").isEmpty)
        }
    }

    // MARK: - Transactions

    @Test func `a transaction's sends appear at COMMIT`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.request("BEGIN\ntransaction:t")
            try await client.request("SEND\ndestination:q\ntransaction:t", body: "a")
            try await client.request("SEND\ndestination:q", body: "b")
            #expect(await broker.messages(in: "q").map(\.text) == ["b"])
            try await client.request("COMMIT\ntransaction:t")
            #expect(await broker.messages(in: "q").map(\.text) == ["b", "a"])
            #expect(await broker.messages(in: "q").last?.headers[.transaction] == nil)
            try await client.request("BEGIN\ntransaction:t")
            try await client.request("SEND\ndestination:q\ntransaction:t", body: "c")
            try await client.request("ABORT\ntransaction:t")
            #expect(await broker.messages(in: "q").map(\.text) == ["b", "a"])
        }
    }

    @Test func `acks of an aborted transaction can be given again`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client")
            try await client.request("BEGIN\ntransaction:t")
            try await client.request("ACK\nid:a-2\ntransaction:t")
            #expect(await broker.settled(in: "q").isEmpty)
            try await client.request("ABORT\ntransaction:t")
            #expect(await broker.unacknowledged(in: "q").map(\.text) == ["a", "b", "c"])
            #expect(client.hasReceivedNothing)
            try await client.request("ACK\nid:a-2")
            #expect(await broker.settled(in: "q") == [.acknowledged("a"), .acknowledged("b")])
        }
    }

    @Test func `acks and nacks take effect at COMMIT`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client-individual")
            try await client.request("BEGIN\ntransaction:t")
            try await client.request("NACK\nid:a-3\ntransaction:t")
            try await client.request("ACK\nid:a-1\ntransaction:t")
            #expect(client.hasReceivedNothing)
            try await client.send("COMMIT\ntransaction:t\n\n\0")
            #expect(try await client.receive().body == "c")
            #expect(await broker.settled(in: "q") == [.negativelyAcknowledged("c"), .acknowledged("a")])
        }
    }

    @Test func `a second ack in a transaction is refused`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client-individual", ["a"])
            try await client.request("BEGIN\ntransaction:t")
            try await client.request("ACK\nid:a-1\ntransaction:t")
            try await client.send("ACK\nid:a-1\n\n\0")
            #expect(try await client.receive()["message"] == "Unknown delivery")
            try await broker.waitForDisconnection()
            #expect(await broker.messages(in: "q").map(\.text) == ["a"])
        }
    }

    @Test func `a transaction begins once`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.request("BEGIN\ntransaction:t")
            try await client.send("BEGIN\ntransaction:t\n\n\0")
            #expect(try await client.receive()["message"] == "Duplicate transaction")
        }
    }

    @Test func `a lost connection aborts`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await self.makeSession(on: broker, ack: "client", ["a"])
            try await client.request("BEGIN\ntransaction:t")
            try await client.request("ACK\nid:a-1\ntransaction:t")
            try await client.request("SEND\ndestination:q\ntransaction:t", body: "b")
            client.hangUp()
            try await broker.waitForDisconnection()
            #expect(await broker.messages(in: "q").map(\.text) == ["a"])
            #expect(await broker.settled(in: "q").isEmpty)
        }
    }
}
