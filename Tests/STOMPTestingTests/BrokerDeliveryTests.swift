// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTesting

@Suite struct BrokerDeliveryTests {
    @Test func `a message byte for byte`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.subscribe("/queue/q", id: "s\\c1", ack: "client-individual")
            try await client.request(
                "SEND\ndestination:/queue/q\nack:mine\ncontent-type:text/plain\nx:C\\c\\\\new\nx:again\nmessage-id:mine\n"
                    + "redelivered:mine\nsubscription:mine\ntransaction-like:1",
                body: "hello"
            )
            try await client.expect(
                "MESSAGE\nsubscription:s\\c1\nmessage-id:m-1\ndestination:/queue/q\nack:a-1\nredelivered:false\n"
                    + "content-length:5\ncontent-type:text/plain\nx:C\\c\\\\new\ntransaction-like:1\n\nhello\0"
            )
        }
    }

    @Test func `auto messages and older versions have no ack header`() async throws {
        try await withSTOMPBroker { broker in
            let old = try await broker.session("1.1")
            try await old.subscribe("/topic/t", ack: "client")
            let new = try await broker.session()
            try await new.subscribe("/topic/t")
            try await broker.publish("", to: "/topic/t")
            for client in [old, new] {
                let frame = try await client.receiveFrame()
                #expect(frame.hasSuffix("\ndestination:/topic/t\nredelivered:false\n\n\0"))
            }
        }
    }

    @Test func `escaping follows the version of each side`() async throws {
        try await withSTOMPBroker { broker in
            let oldest = try await broker.session("1.0")
            try await oldest.request("SUBSCRIBE\ndestination:/topic/t")
            let old = try await broker.session("1.1")
            try await old.subscribe("/topic/t")
            let new = try await broker.session()
            try await new.subscribe("/topic/t")
            try await new.request("SEND\ndestination:/topic/t\na:x\\cy\\\\\nb:cr\\rlf")
            #expect(try await new.receiveFrame().hasSuffix("\na:x\\cy\\\\\nb:cr\\rlf\n\n\0"))
            #expect(try await old.receiveFrame().hasSuffix("\na:x\\cy\\\\\nb:cr\rlf\n\n\0"))
            // 1.0 cannot say the second header at all.
            let frame = try await oldest.receiveFrame()
            #expect(frame.hasSuffix("\na:x:y\\\n\n\0"))
            #expect(!frame.contains("subscription:"))
        }
    }

    @Test func `a body may hold NULs`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.subscribe("q")
            try await client.send("SEND\ndestination:q\ncontent-length:3\n\na\0b\0")
            let frame = try await client.receiveFrame()
            #expect(frame.contains("content-length:3\n"))
            #expect(frame.hasSuffix("\n\na\0b\0"))
        }
    }

    @Test func `a queue serves its subscribers in turn`() async throws {
        try await withSTOMPBroker { broker in
            let clients = [try await broker.session(), try await broker.session()]
            for client in clients { try await client.subscribe("/queue/q") }
            for text in ["a", "b", "c", "d"] { try await broker.publish(text, to: "q") }
            for (client, texts) in zip(clients, [["a", "c"], ["b", "d"]]) {
                for text in texts { #expect(try await client.receive().body == text) }
            }
        }
    }

    @Test func `a queue keeps what nobody reads`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.request("SEND\ndestination:/queue/q", body: "a")
            try await client.request("SEND\ndestination:/queue/q", body: "b")
            #expect(await broker.messages(in: "/queue/q").map(\.text) == ["a", "b"])
            try await client.subscribe("/queue/q")
            #expect(try await client.receive().body == "a")
            #expect(try await client.receive().body == "b")
        }
    }

    @Test func `a topic copies to every subscriber and keeps nothing`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await broker.publish("early", to: "/topic/a.b")
            try await client.subscribe("/topic/a.b", id: "exact")
            try await client.subscribe("/topic/a.*", id: "one")
            try await client.subscribe("/topic/#", id: "any")
            try await client.subscribe("/topic/b", id: "other")
            try await broker.publish("late", to: "/topic/a.b")
            var ids: Set<String> = []
            for _ in 0..<3 {
                let message = try await client.receive()
                #expect(message.body == "late")
                ids.insert(message["subscription"] ?? "")
            }
            #expect(ids == ["exact", "one", "any"])
            try await client.request("SEND\ndestination:/queue/other")
            #expect(client.hasReceivedNothing)
        }
    }

    @Test func `prefetch limits what is unacknowledged`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.subscribe("q", id: "1", ack: "client-individual", headers: "prefetch-count:2")
            try await client.subscribe("p", id: "2", ack: "client", headers: "activemq.prefetchSize:1")
            for text in ["a", "b", "c"] {
                try await broker.publish(text, to: "q")
                try await broker.publish(text, to: "p")
            }
            #expect(await broker.unacknowledged(in: "q").map(\.text) == ["a", "b"])
            #expect(await broker.unacknowledged(in: "p").map(\.text) == ["a"])
            for _ in 0..<3 { _ = try await client.receiveFrame() }
            try await client.send("ACK\nid:a-1\n\n\0")
            #expect(try await client.receive().body == "c")
        }
    }

    @Test func `a default prefetch can be configured and zero lifts it`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.defaultPrefetch = 1
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.session()
            try await client.subscribe("q", id: "1", ack: "client")
            try await client.subscribe("p", id: "2", ack: "client", headers: "prefetch-count:0")
            for text in ["a", "b", "c"] {
                try await broker.publish(text, to: "q")
                try await broker.publish(text, to: "p")
            }
            #expect(await broker.unacknowledged(in: "q").count == 1)
            #expect(await broker.unacknowledged(in: "p").count == 3)
        }
    }

    @Test func `a full queue refuses`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.maximumQueueByteCount = 1_000
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.session()
            let body = String(repeating: "x", count: 600)
            try await client.request("SEND\ndestination:q", body: body)
            let error = await #expect(throws: STOMPError.self) { try await broker.publish(body, to: "q") }
            #expect(error?.code == .rejected)
            try await client.send("SEND\ndestination:q\nreceipt:2\n\n\(body)\0")
            let refusal = try await client.receive()
            #expect(refusal["message"] == "Queue is full")
            #expect(refusal["receipt-id"] == "2")
            try await client.expectHangUp()
        }
    }

    @Test func `UNSUBSCRIBE gives back what is unsettled at once`() async throws {
        try await withSTOMPBroker { broker in
            let one = try await broker.session()
            try await one.subscribe("q", ack: "client")
            for text in ["a", "b"] {
                try await broker.publish(text, to: "q")
                _ = try await one.receiveFrame()
            }
            let two = try await broker.session()
            try await two.subscribe("q", ack: "client")
            try await one.request("UNSUBSCRIBE\nid:0")
            for text in ["a", "b"] {
                let message = try await two.receive()
                #expect(message.body == text)
                #expect(message["redelivered"] == "true")
            }
        }
    }

    @Test func `a lost connection gives back what is unsettled in order`() async throws {
        try await withSTOMPBroker { broker in
            let one = try await broker.session()
            try await one.subscribe("q", ack: "client-individual")
            for text in ["a", "b", "c"] {
                try await broker.publish(text, to: "q")
                _ = try await one.receiveFrame()
            }
            try await one.request("ACK\nid:a-2")
            one.hangUp()
            try await broker.waitForDisconnection()
            try await broker.publish("d", to: "q")
            let messages = await broker.messages(in: "q")
            #expect(messages.map(\.text) == ["a", "c", "d"])
            #expect(messages.map(\.isRedelivered) == [true, true, false])
        }
    }

    @Test func `a STOMP 1_0 client subscribes without an id`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session("1.0")
            try await client.request("SUBSCRIBE\ndestination:q\nack:client")
            try await broker.publish("a", to: "q")
            try await client.expect(
                "MESSAGE\nmessage-id:m-1\ndestination:q\nredelivered:false\ncontent-length:1\n\na\0"
            )
            try await client.request("ACK\nmessage-id:m-1")
            #expect(await broker.settled(in: "q") == [.acknowledged("a")])
            try await client.request("UNSUBSCRIBE\ndestination:q")
            #expect(await broker.subscriptionCount(for: "q") == 0)
            try await client.send("SUBSCRIBE\ndestination:q\nack:client-individual\n\n\0")
            #expect(try await client.receive()["message"] == "Unknown ack mode")
        }
    }
}
