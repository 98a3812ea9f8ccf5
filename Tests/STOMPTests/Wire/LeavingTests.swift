// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("Leaving a subscription early", .timeLimit(.minutes(5)))
struct LeavingTests {
    private struct Oops: Error {}

    /// When this is confirmed, all is here that the broker had sent before.
    private static let emptyTransaction = "BEGIN\ntransaction:tx-1\n\n\0COMMIT\ntransaction:tx-1\nreceipt:2\n\n\0"

    /// How a subscription with four messages is left, of which the first was acknowledged and the second taken.
    enum Way: CaseIterable {
        case unsubscribing, throwing, cancelling
    }

    private func leave(_ way: Way, _ connection: STOMPConnection) async throws {
        let body: @Sendable (STOMPSubscription) async throws -> Void = { subscription in
            let messages = try await subscription.take(2)
            try await messages[0].ack()
            switch way {
            case .unsubscribing: break
            case .throwing: throw Oops()
            case .cancelling: withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        // A task of its own, which may be cancelled.
        let leaving = Task { try await connection.withSubscription(to: "q", body) }
        do {
            try await leaving.value
            #expect(way != .throwing)
        } catch is Oops {
            #expect(way == .throwing)
        }
    }

    private func subscribe(_ peer: ScriptedPeer, prefetch: String) async throws {
        try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:client-individual\n\(prefetch)receipt:1\n\n\0")
        try await peer.confirm(1)
        var messages = ""
        for index in 1...4 {
            messages += "MESSAGE\nsubscription:1\nmessage-id:m\(index)\nack:a\\c\(index)\ndestination:q\n\n\0"
        }
        try await peer.send(messages)
        try await peer.expect("ACK\nid:a\\c1\n\n\0")
    }

    @Test(
        "S12-SUB-8 RabbitMQ: what was not answered is refused in a transaction around UNSUBSCRIBE",
        arguments: Way.allCases
    )
    func byTransaction(way: Way) async throws {
        try await ScriptedSession(server: "RabbitMQ/3.10.8").run { peer in
            try await self.subscribe(peer, prefetch: "prefetch-count:100\n")
            try await peer.expect(Self.emptyTransaction)
            // It had gone out before that came in: it must not be stranded.
            try await peer.sendMessage("m5", ack: "a5")
            try await peer.confirm(2)
            try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0")
            for id in ["a\\c2", "a\\c3", "a\\c4", "a5"] {
                try await peer.expect("NACK\nid:\(id)\ntransaction:tx-2\n\n\0")
            }
            try await peer.expect("UNSUBSCRIBE\nid:1\n\n\0")
            try await peer.expect("COMMIT\ntransaction:tx-2\n\n\0")
            try await peer.confirmRoundTrips(transactions: [3, 4], receipts: [4, 5])
        } client: { connection in
            try await self.leave(way, connection)
        }
    }

    @Test(
        "other brokers take it back at UNSUBSCRIBE",
        arguments: Way.allCases,
        [
            ("ActiveMQ/5.17.2", "activemq.prefetchSize:100\n"), ("something", ""),
            ("swift-stomp-broker/1", "prefetch-count:100\n"),
        ]
    )
    func onUnsubscribe(way: Way, broker: (server: String, prefetch: String)) async throws {
        try await ScriptedSession(server: broker.server).run { peer in
            try await self.subscribe(peer, prefetch: broker.prefetch)
            try await peer.expect("UNSUBSCRIBE\nid:1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
        } client: { connection in
            try await self.leave(way, connection)
        }
    }

    @Test("with nothing unanswered, UNSUBSCRIBE needs no transaction")
    func nothingUnanswered() async throws {
        try await ScriptedSession(server: "RabbitMQ/3.10.8").run { peer in
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:client\nprefetch-count:100\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expect(Self.emptyTransaction)
            try await peer.confirm(2)
            try await peer.expect("UNSUBSCRIBE\nid:1\n\n\0")
            try await peer.confirmRoundTrips(transactions: [2, 3], receipts: [4, 5])
            try await peer.expect("SUBSCRIBE\nid:2\ndestination:q\nack:auto\nreceipt:6\n\n\0")
            try await peer.confirm(6)
            try await peer.expect("UNSUBSCRIBE\nid:2\nreceipt:7\n\n\0")
            try await peer.confirm(7)
        } client: { connection in
            try await connection.withSubscription(to: "q", ack: .client) { _ in }
            // Nothing is to be given back in mode auto.
            try await connection.withSubscription(to: "q", ack: .auto) { _ in }
        }
    }

    @Test("RabbitMQ in 1.1: NACK names the subscription too; in 1.0 there is none")
    func olderVersions() async throws {
        for version in [STOMPVersion.v10, .v11] {
            try await ScriptedSession(version: version, server: "RabbitMQ/3.10.8").run { peer in
                try await peer.expect(
                    "SUBSCRIBE\nid:1\ndestination:q\nack:client\nprefetch-count:100\nreceipt:1\n\n\0"
                )
                try await peer.confirm(1)
                try await peer.send("MESSAGE\nsubscription:1\nmessage-id:T_1@@s@@1\ndestination:q\n\n\0")
                if version == .v10 {
                    try await peer.expect("UNSUBSCRIBE\nid:1\ndestination:q\nreceipt:2\n\n\0")
                    return try await peer.confirm(2)
                }
                try await peer.expect(Self.emptyTransaction)
                try await peer.confirm(2)
                try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0")
                try await peer.expect("NACK\nsubscription:1\nmessage-id:T_1@@s@@1\ntransaction:tx-2\n\n\0")
                try await peer.expect("UNSUBSCRIBE\nid:1\n\n\0COMMIT\ntransaction:tx-2\n\n\0")
                try await peer.confirmRoundTrips(transactions: [3, 4], receipts: [4, 5])
            } client: { connection in
                try await connection.withSubscription(to: "q", ack: .client) { _ = try await $0.take(1) }
            }
        }
    }

    @Test("dropping the last reference gives back as well, without a task that waits")
    func dropped() async throws {
        try await ScriptedSession(server: "RabbitMQ/3.10.8").run { peer in
            try await self.subscribe(peer, prefetch: "prefetch-count:100\n")
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            for index in 2...4 { try await peer.expect("NACK\nid:a\\c\(index)\ntransaction:tx-1\n\n\0") }
            try await peer.expect("UNSUBSCRIBE\nid:1\n\n\0COMMIT\ntransaction:tx-1\n\n\0")
            try await peer.sendMessage("late", ack: "late")
            try await peer.confirmRoundTrips(transactions: [2, 3], receipts: [2, 3])
            try await peer.expectSend("after")
        } client: { connection in
            var events = connection.events.listen().makeAsyncIterator()
            let message = try await self.takeAndDrop(connection)
            #expect(await failure { try await message.ack() }?.code == .notAcknowledgeable)
            guard case .unexpectedMessage("1") = await events.next() else {
                Issue.record("There is no event.")
                return
            }
            while !connection.outbox.leaverIDs.isEmpty { await Task.yield() }
            try await connection.send("after", to: "/queue/q")
        }
    }

    @Test("dropping the last reference elsewhere")
    func droppedElsewhere() async throws {
        try await ScriptedSession().run { peer in
            try await self.subscribe(peer, prefetch: "")
            try await peer.expect("UNSUBSCRIBE\nid:1\n\n\0")
        } client: { connection in
            _ = try await self.takeAndDrop(connection)
        }
    }

    private func takeAndDrop(_ connection: STOMPConnection) async throws -> STOMPMessage {
        let subscription = try await connection.subscribe(to: "q")
        let messages = try await subscription.take(2)
        try await messages[0].ack()
        return messages[1]
    }

    @Test("a broker that does not answer does not keep the subscription alive")
    func silentBroker() async throws {
        let session = ScriptedSession(server: "RabbitMQ/3.10.8")
        try await session.run { peer in
            try await self.subscribe(peer, prefetch: "prefetch-count:100\n")
            try await peer.expect(Self.emptyTransaction)
            session.clock.advance(by: .seconds(5))
            try await peer.expect("BEGIN\ntransaction:tx-2\n\n\0")
            for index in 2...4 { try await peer.expect("NACK\nid:a\\c\(index)\ntransaction:tx-2\n\n\0") }
            try await peer.expect("UNSUBSCRIBE\nid:1\n\n\0COMMIT\ntransaction:tx-2\n\n\0")
            try await peer.expect("BEGIN\ntransaction:tx-3\n\n\0COMMIT\ntransaction:tx-3\nreceipt:4\n\n\0")
            session.clock.advance(by: .seconds(5))
        } client: { connection in
            let error = await failure { try await self.leave(.unsubscribing, connection) }
            #expect(error?.code == .receiptTimedOut)
        }
    }
}
