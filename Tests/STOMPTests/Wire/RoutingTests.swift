// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("Routing of messages", .timeLimit(.minutes(5)))
struct RoutingTests {
    @Test("messages go to the subscription that they name, in their order")
    func bySubscription() async throws {
        try await ScriptedSession().runSubscribed(ack: .auto) { peer in
            try await peer.expect("SUBSCRIBE\nid:2\ndestination:/queue/q\nack:auto\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            for (id, subscription) in [("a", "1"), ("b", "2"), ("c", "2"), ("d", "1")] {
                try await peer.sendMessage(id, subscription: subscription)
            }
            try await peer.expect("UNSUBSCRIBE\nid:2\nreceipt:3\n\n\0")
            try await peer.confirm(3)
        } client: { connection, first in
            try await connection.withSubscription(to: "/queue/q", ack: .auto) { second in
                #expect(try await first.take(2).map(\.messageID) == ["a", "d"])
                let messages = try await second.take(2)
                #expect(messages.map(\.messageID) == ["b", "c"])
                #expect(messages.map(\.subscriptionID) == ["2", "2"])
            }
        }
    }

    @Test("ids with escapes are compared decoded; ids are octets", arguments: [STOMPVersion.v11, .v12])
    func escapedID(version: STOMPVersion) async throws {
        // The same character composed in two ways, and a number in two ways.
        let ids = ["a:b\\c\nd", "\u{e9}", "e\u{301}", "01", "1"]
        let raw = ["a\\cb\\\\c\\nd", "\u{e9}", "e\u{301}", "01", "1"]
        try await ScriptedSession(version: version).run { peer in
            for (index, id) in raw.enumerated() {
                try await peer.expect("SUBSCRIBE\nid:\(id)\ndestination:q\nack:auto\nreceipt:\(index + 1)\n\n\0")
                try await peer.confirm(index + 1)
            }
            for (index, id) in raw.enumerated().reversed() {
                try await peer.sendMessage("m\(index)", subscription: id)
            }
            for (index, id) in raw.enumerated() {
                try await peer.expect("UNSUBSCRIBE\nid:\(id)\nreceipt:\(index + 6)\n\n\0")
                try await peer.confirm(index + 6)
            }
        } client: { connection in
            var subscriptions: [STOMPSubscription] = []
            for id in ids { subscriptions.append(try await connection.subscribe(to: "q", ack: .auto, id: id)) }
            for (index, subscription) in subscriptions.enumerated() {
                let message = try await subscription.take(1)[0]
                #expect(message.messageID == "m\(index)")
                #expect(message.subscriptionID.utf8.elementsEqual(ids[index].utf8))
            }
            for subscription in subscriptions { try await subscription.unsubscribe() }
        }
    }

    @Test("S10-SUB-3 in 1.0 a message without a subscription goes where its destination was subscribed to")
    func byDestination() async throws {
        try await ScriptedSession(version: .v10).runSubscribed(ack: .client) { peer in
            try await peer.expect("SUBSCRIBE\nid:2\ndestination:/queue/other\nack:client\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            try await peer.send(
                "MESSAGE\nmessage-id:a\ndestination:/queue/other\n\n1\0MESSAGE\nmessage-id:b\ndestination:/queue/q\n\n2\0"
            )
            try await peer.expect("ACK\nmessage-id:b\n\n\0ACK\nmessage-id:a\n\n\0")
            try await peer.expect("UNSUBSCRIBE\nid:2\ndestination:/queue/other\nreceipt:3\n\n\0")
            try await peer.confirm(3)
        } client: { connection, first in
            try await connection.withSubscription(to: "/queue/other", ack: .client) { second in
                try await first.take(1)[0].ack()
                try await second.take(1)[0].ack()
            }
        }
    }

    @Test(
        "a message for no subscription of ours is an event, and nothing else",
        arguments: [
            ("subscription:a\\cb\ndestination:/queue/q\n", "a:b"), ("subscription:2\ndestination:/queue/q\n", "2"),
            ("destination:/queue/other\n", nil), ("", nil),
        ] as [(String, String?)]
    )
    func unknown(headers: String, id: String?) async throws {
        try await ScriptedSession().runSubscribed(ack: .auto) { peer in
            // The client listens by now.
            try await peer.expectSend("go on")
            try await peer.send("MESSAGE\n\(headers)message-id:x\nack:x\n\n\0")
            try await peer.sendMessage("ours")
        } client: { connection, subscription in
            var events = connection.events.listen().makeAsyncIterator()
            try await connection.send("go on", to: "/queue/q")
            #expect(try await subscription.take(1)[0].messageID == "ours")
            guard case .unexpectedMessage(let subscription) = await events.next() else {
                Issue.record("There is no event.")
                return
            }
            #expect(subscription == id)
        }
    }

    @Test("an ack header that a user has planted is not taken for the broker's in mode auto")
    func plantedAck() async throws {
        try await ScriptedSession().runSubscribed(ack: .auto) { peer in
            try await peer.sendMessage("m", ack: "planted")
        } client: { connection, subscription in
            let message = try await subscription.take(1)[0]
            #expect(message[.ack] == "planted")
            #expect(await failure { try await message.ack() }?.code == .notAcknowledgeable)
            #expect(await failure { try await message.nack() }?.code == .notAcknowledgeable)
            let byID = await failure { try await connection.ack(id: "planted", subscription: "1") }
            #expect(byID?.code == .notAcknowledgeable)
        }
    }

    @Test("S12-MSG-5 a message that lacks headers is delivered by what it has, and is an error in the strict profile")
    func missingHeaders() async throws {
        try await ScriptedSession().runSubscribed(ack: .auto) { peer in
            try await peer.send("MESSAGE\nsubscription:1\n\nx\0MESSAGE\ndestination:/queue/q\n\ny\0")
        } client: { _, subscription in
            let messages = try await subscription.take(2)
            #expect(messages[0].messageID == "")
            #expect(messages[0].destination == "")
            #expect(try messages.map { try $0.text } == ["x", "y"])
        }
        var strict = ScriptedSession(ending: .loss)
        strict.configuration.leniency = .strict
        let error = try await strict.runSubscribed(ack: .auto) { peer in
            try await peer.send("MESSAGE\nsubscription:1\ndestination:/queue/q\n\nx\0")
            try await peer.expectHangUp()
        } client: { _, subscription in
            let end = await failure { _ = try await subscription.take(1) }
            #expect(end?.code == .connectionLost)
        }
        #expect(error?.code == .protocolViolation)
        #expect(error?.message.contains("message-id") == true)
    }
}
