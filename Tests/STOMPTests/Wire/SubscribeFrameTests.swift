// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("SUBSCRIBE and UNSUBSCRIBE", .timeLimit(.minutes(5)))
struct SubscribeFrameTests {
    @Test(
        "S12-SUB-1 S12-SUB-4 SUBSCRIBE has the destination as it was given, an id and the ack mode",
        arguments: [
            (STOMPVersion.v10, STOMPAckMode.auto), (.v10, .client), (.v11, .clientIndividual), (.v12, .auto),
            (.v12, .client), (.v12, .clientIndividual),
        ]
    )
    func subscribe(version: STOMPVersion, mode: STOMPAckMode) async throws {
        try await ScriptedSession(version: version).runSubscribed(ack: mode) { _ in
        } client: { _, subscription in
            #expect(subscription.id == "1")
            #expect(subscription.destination == "/queue/q")
        }
    }

    @Test("S12-SUB-9 other headers pass, after the client's own")
    func headers() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect(
                "SUBSCRIBE\nid:mine\ndestination:/topic/t\nack:auto\nselector:a \\c b\nactivemq.retroactive:true\n"
                    + "receipt:1\n\n\0"
            )
            try await peer.confirm(1)
            try await peer.expect("UNSUBSCRIBE\nid:mine\ndurable:true\nreceipt:2\n\n\0")
            try await peer.confirm(2)
        } client: { connection in
            let subscription = try await connection.subscribe(
                to: "/topic/t",
                ack: .auto,
                id: "mine",
                headers: ["selector": "a : b", "activemq.retroactive": "true"]
            )
            try await subscription.unsubscribe(headers: ["durable": "true"])
        }
    }

    @Test(
        "the broker's own prefetch header carries the message credit in client modes",
        arguments: [
            ("RabbitMQ/3.10.8", "prefetch-count:7\n"), ("ActiveMQ/5.17.2", "activemq.prefetchSize:7\n"),
            ("ActiveMQ-Artemis/2.28.0 ActiveMQ Artemis Messaging Engine", "consumer-window-size:99\n"),
            ("swift-stomp-broker/1", "prefetch-count:7\n"), ("something/1", ""),
        ]
    )
    func prefetch(server: String, header: String) async throws {
        var session = ScriptedSession(server: server, ending: .loss)
        session.configuration.subscription.messageCredit = 7
        session.configuration.subscription.softLimit = 99
        try await session.run { peer in
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:client-individual\n\(header)receipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expect("SUBSCRIBE\nid:2\ndestination:q\nack:auto\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            guard !header.isEmpty else { return peer.hangUp() }
            let name = try #require(header.split(separator: ":").first)
            try await peer.expect("SUBSCRIBE\nid:3\ndestination:q\nack:client\n\(name):1\nreceipt:3\n\n\0")
            try await peer.confirm(3)
            peer.hangUp()
        } client: { connection in
            let first = try await connection.subscribe(to: "q")
            let second = try await connection.subscribe(to: "q", ack: .auto)
            if let name = header.split(separator: ":").first {
                let headers: STOMPHeaders = [STOMPHeaders.Name(String(name)): "1"]
                let third = try await connection.subscribe(to: "q", ack: .client, headers: headers)
                withExtendedLifetime(third) {}
            }
            withExtendedLifetime((first, second)) {}
        }
    }

    @Test("what cannot be subscribed to leaves no byte")
    func invalid() async throws {
        try await ScriptedSession().runSubscribed { _ in
        } client: { connection, _ in
            for name in ["destination", "id", "ack", "receipt", "content-length"] {
                let headers: STOMPHeaders = [STOMPHeaders.Name(name): "1"]
                let error = await failure { _ = try await connection.subscribe(to: "q", headers: headers) }
                #expect(error?.code == .invalidArgument)
            }
            var dropping = STOMPSubscriptionOptions()
            dropping.overflow = .dropOldest
            let errors = [
                await failure { _ = try await connection.subscribe(to: "") },
                await failure { _ = try await connection.subscribe(to: "a\0b") },
                await failure { _ = try await connection.subscribe(to: "q", id: "1") },
                await failure { _ = try await connection.subscribe(to: "q", headers: ["x": "\0"]) },
                await failure { [dropping] in _ = try await connection.subscribe(to: "q", options: dropping) },
            ]
            #expect(errors.allSatisfy { $0?.code == .invalidArgument })
        }
        try await ScriptedSession(version: .v10).run { _ in
        } client: { connection in
            let error = await failure { _ = try await connection.subscribe(to: "q", ack: .clientIndividual) }
            #expect(error?.code == .notSupported)
        }
    }

    @Test(
        "S12-UNS-1 S10-UNS-2 UNSUBSCRIBE has the id, in 1.0 the destination too, and is said once",
        arguments: STOMPVersion.all
    )
    func unsubscribe(version: STOMPVersion) async throws {
        try await ScriptedSession(version: version).runSubscribed(ack: .client) { _ in
        } client: { _, subscription in
            try await subscription.unsubscribe()
            try await subscription.unsubscribe()
            var messages = subscription.makeAsyncIterator()
            #expect(try await messages.next() == nil)
        }
    }

    @Test("S12-UNS-3 messages that come after UNSUBSCRIBE are dropped with an event")
    func messageAfter() async throws {
        let isLeft = Signal()
        try await ScriptedSession().run { peer in
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:auto\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expect("UNSUBSCRIBE\nid:1\nreceipt:2\n\n\0")
            try await peer.sendMessage("late")
            try await peer.confirm(2)
            await isLeft.wait()
            try await peer.sendMessage("later")
            try await peer.expectSend("still here")
        } client: { connection in
            var events = connection.events.listen().makeAsyncIterator()
            let subscription = try await connection.subscribe(to: "q", ack: .auto)
            try await subscription.unsubscribe()
            isLeft.raise()
            for _ in 1...2 {
                guard case .unexpectedMessage("1") = await events.next() else {
                    Issue.record("There is no event.")
                    return
                }
            }
            var messages = subscription.makeAsyncIterator()
            #expect(try await messages.next() == nil)
            try await connection.send("still here", to: "/queue/q")
        }
    }

    @Test("a receipt header given to unsubscribe() does not replace the client's own")
    func receiptOfUnsubscribe() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:auto\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expect("UNSUBSCRIBE\nid:1\nx:y\nreceipt:2\n\n\0")
            try await peer.confirm(2)
        } client: { connection in
            let subscription = try await connection.subscribe(to: "q", ack: .auto)
            try await subscription.unsubscribe(headers: ["receipt": "mine", "id": "2", "x": "y"])
        }
    }

    @Test("a SUBSCRIBE that a cancelled task did not write is not followed by an UNSUBSCRIBE")
    func cancelledBefore() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expectSend("after")
        } client: { connection in
            let subscribing = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                _ = try await connection.subscribe(to: "q", id: "mine")
            }
            #expect(await failure { try await subscribing.value }?.code == .cancelled)
            try await connection.send("after", to: "/queue/q")
        }
    }

    @Test("a SUBSCRIBE whose wait was cancelled or too long is taken back")
    func cancelledWait() async throws {
        let session = ScriptedSession()
        let isSeen = Signal()
        try await session.run { peer in
            try await peer.expect("SUBSCRIBE\nid:mine\ndestination:q\nack:client\nreceipt:1\n\n\0")
            isSeen.raise()
            try await peer.expect("UNSUBSCRIBE\nid:mine\n\n\0")
            try await peer.expect("SUBSCRIBE\nid:mine\ndestination:q\nack:client\nreceipt:2\n\n\0")
            session.clock.advance(by: .seconds(30))
            try await peer.expect("UNSUBSCRIBE\nid:mine\n\n\0")
        } client: { connection in
            let subscribing = Task { _ = try await connection.subscribe(to: "q", ack: .client, id: "mine") }
            await isSeen.wait()
            subscribing.cancel()
            #expect(await failure { try await subscribing.value }?.code == .cancelled)
            let error = await failure { _ = try await connection.subscribe(to: "q", ack: .client, id: "mine") }
            #expect(error?.code == .receiptTimedOut)
        }
    }

    @Test(
        "an UNSUBSCRIBE is written by a cancelled task too; only its wait is cut short",
        arguments: ["", "RabbitMQ/3.10.8"]
    )
    func cancelledUnsubscribe(server: String) async throws {
        try await ScriptedSession(server: server).run { peer in
            let prefetch = server.isEmpty ? "" : "prefetch-count:100\n"
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:client\n\(prefetch)receipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.sendMessage("m", ack: "a")
            if server.isEmpty {
                try await peer.expect("UNSUBSCRIBE\nid:1\nreceipt:2\n\n\0")
                try await peer.confirm(2)
            } else {
                try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0COMMIT\ntransaction:tx-1\nreceipt:2\n\n\0")
                try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0NACK\nid:a\ntransaction:tx-2\n\n\0")
                try await peer.expect("UNSUBSCRIBE\nid:1\n\n\0COMMIT\ntransaction:tx-2\n\n\0")
                try await peer.confirmRoundTrips(transactions: [3, 4], receipts: [4, 5])
            }
            try await peer.expectSend("after")
        } client: { connection in
            let subscription = try await connection.subscribe(to: "q", ack: .client)
            _ = try await subscription.take(1)
            let unsubscribing = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await subscription.unsubscribe()
            }
            #expect(await failure { try await unsubscribing.value }?.code == .cancelled)
            var messages = subscription.makeAsyncIterator()
            #expect(try await messages.next() == nil)
            while !connection.outbox.leaverIDs.isEmpty { await Task.yield() }
            try await connection.send("after", to: "/queue/q")
        }
    }
}
