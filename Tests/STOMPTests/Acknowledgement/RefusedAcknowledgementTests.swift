// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

/// Each of these ends with the frame that ends the subscription or the connection, so that a refused ack shows that it
/// has left no byte.
@Suite("Acknowledgements that are refused", .timeLimit(.minutes(5)))
struct RefusedAcknowledgementTests {
    /// The codes of an ack and a nack, each with and without a receipt.
    private func codes(_ message: STOMPMessage) async -> Set<STOMPError.Code?> {
        [
            await failure { try await message.ack() }?.code,
            await failure { try await message.ack(receipt: .required) }?.code,
            await failure { try await message.nack() }?.code,
            await failure { try await message.nack(receipt: .required) }?.code,
        ]
    }

    @Test("a second one", arguments: [STOMPAckMode.client, .clientIndividual])
    func second(mode: STOMPAckMode) async throws {
        try await ScriptedSession().runSubscribed(ack: mode) { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.sendMessage("m2", ack: "a2")
            try await peer.expect("ACK\nid:a1\n\n\0NACK\nid:a2\n\n\0")
        } client: { _, subscription in
            let messages = try await subscription.take(2)
            try await messages[0].ack()
            try await messages[1].nack()
            #expect(await self.codes(messages[0]) == [.alreadyAcknowledged])
            #expect(await self.codes(messages[1]) == [.alreadyAcknowledged])
        }
    }

    @Test("one that a cumulative ack covers")
    func covered() async throws {
        try await ScriptedSession().runSubscribed(ack: .client) { peer in
            for index in 1...4 { try await peer.sendMessage("m\(index)", ack: "a\(index)") }
            try await peer.expect("ACK\nid:a3\n\n\0ACK\nid:a4\n\n\0")
        } client: { _, subscription in
            let messages = try await subscription.take(4)
            try await messages[2].ack()
            for message in messages[...2] { #expect(await self.codes(message) == [.alreadyAcknowledged]) }
            try await messages[3].ack()
        }
    }

    @Test("in client-individual mode an ack covers nothing else")
    func individual() async throws {
        try await ScriptedSession().runSubscribed { peer in
            for index in 1...3 { try await peer.sendMessage("m\(index)", ack: "a\(index)") }
            try await peer.expect("ACK\nid:a3\n\n\0ACK\nid:a1\n\n\0NACK\nid:a2\n\n\0")
        } client: { _, subscription in
            let messages = try await subscription.take(3)
            try await messages[2].ack()
            try await messages[0].ack()
            try await messages[1].nack()
        }
    }

    @Test("in client mode a NACK covers what came before, but on ActiveMQ")
    func cumulativeNack() async throws {
        try await ScriptedSession().runSubscribed(ack: .client) { peer in
            for index in 1...3 { try await peer.sendMessage("m\(index)", ack: "a\(index)") }
            try await peer.expect("NACK\nid:a2\n\n\0ACK\nid:a3\n\n\0")
        } client: { _, subscription in
            let messages = try await subscription.take(3)
            try await messages[1].nack()
            #expect(await self.codes(messages[0]) == [.alreadyAcknowledged])
            try await messages[2].ack()
        }
        var session = ScriptedSession()
        var dialect = STOMPDialect.activeMQ
        dialect.prefetch = nil
        session.configuration.dialect = dialect
        try await session.runSubscribed(ack: .client) { peer in
            for index in 1...3 { try await peer.sendMessage("m\(index)", ack: "a\(index)") }
            try await peer.expect("NACK\nid:a2\n\n\0ACK\nid:a1\n\n\0ACK\nid:a3\n\n\0")
        } client: { _, subscription in
            let messages = try await subscription.take(3)
            try await messages[1].nack()
            try await messages[0].ack()
            #expect(await self.codes(messages[1]) == [.alreadyAcknowledged])
            try await messages[2].ack()
        }
    }

    @Test("in mode auto")
    func auto() async throws {
        try await ScriptedSession().runSubscribed(ack: .auto) { peer in
            try await peer.sendMessage("m1")
        } client: { _, subscription in
            let message = try await subscription.take(1)[0]
            #expect(await self.codes(message) == [.notAcknowledgeable])
        }
    }

    @Test("without the ack header that 1.2 asks for; without a message-id in 1.1")
    func missingHeader() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1")
        } client: { _, subscription in
            let message = try await subscription.take(1)[0]
            #expect(message.acknowledgementID == nil)
            #expect(await self.codes(message) == [.notAcknowledgeable])
        }
        try await ScriptedSession(version: .v11).runSubscribed { peer in
            try await peer.send("MESSAGE\nsubscription:1\nack:a\ndestination:q\n\n\0")
        } client: { _, subscription in
            let message = try await subscription.take(1)[0]
            #expect(await self.codes(message) == [.notAcknowledgeable])
        }
    }

    @Test("after UNSUBSCRIBE")
    func afterUnsubscribe() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
        } client: { connection, subscription in
            let message = try await subscription.take(1)[0]
            try await subscription.unsubscribe()
            #expect(await self.codes(message) == [.notAcknowledgeable])
            // The record of the old subscription may be that of a new one now.
            let byID = await failure { try await connection.ack(id: "a1", subscription: "1") }
            #expect(byID?.code == .notAcknowledgeable)
        }
    }

    @Test("after UNSUBSCRIBE, when another subscription has taken its place")
    func placeTaken() async throws {
        try await ScriptedSession().run { peer in
            for round in [1, 2] {
                try await peer.expect("SUBSCRIBE\nid:mine\ndestination:q\nack:client\nreceipt:\(2 * round - 1)\n\n\0")
                try await peer.confirm(2 * round - 1)
                try await peer.sendMessage("m\(round)", ack: "a\(round)", subscription: "mine")
                if round == 2 { try await peer.expect("ACK\nid:a2\n\n\0") }
                try await peer.expect("UNSUBSCRIBE\nid:mine\nreceipt:")
                try await peer.confirm(peer.receiveRestOfReceipt())
            }
        } client: { connection in
            let first = try await connection.withSubscription(to: "q", ack: .client, id: "mine") {
                try await $0.take(1)[0]
            }
            try await connection.withSubscription(to: "q", ack: .client, id: "mine") { subscription in
                let second = try await subscription.take(1)[0]
                #expect(await self.codes(first) == [.notAcknowledgeable])
                try await second.ack()
            }
        }
    }

    @Test("of a connection that has ended: nothing is written on another one")
    func ofAnotherConnection() async throws {
        let kept = Locked<[STOMPMessage]>([])
        try await ScriptedSession(ending: .loss).runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.sendMessage("m2", ack: "a2")
            try await peer.expect("ACK\nid:a1\n\n\0")
            peer.hangUp()
        } client: { _, subscription in
            let messages = try await subscription.take(2)
            kept.withLock { $0 = messages }
            try await messages[0].ack()
            let end = await failure { _ = try await subscription.take(1) }
            #expect(end?.code == .connectionLost)
            for message in messages { #expect(await self.codes(message) == [.staleAcknowledgement]) }
        }
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.expect("ACK\nid:a1\n\n\0")
        } client: { _, subscription in
            let message = try await subscription.take(1)[0]
            for message in kept.withLock({ $0 }) { #expect(await self.codes(message) == [.staleAcknowledgement]) }
            try await message.ack()
        }
    }

    @Test("a detached copy and its message are answered once")
    func detached() async throws {
        try await ScriptedSession().runSubscribed { peer in
            for index in 1...3 { try await peer.sendMessage("m\(index)", ack: "a\(index)") }
            try await peer.expect("ACK\nid:a2\n\n\0ACK\nid:a1\n\n\0NACK\nid:a3\n\n\0")
        } client: { connection, subscription in
            let messages = try await subscription.take(3)
            let copies = messages.map { $0.detached() }
            #expect(copies.map(\.messageID) == ["m1", "m2", "m3"])
            #expect(try copies.map { try $0.text } == ["m1", "m2", "m3"])
            try await copies[1].ack()
            #expect(await self.codes(messages[1]) == [.alreadyAcknowledged])
            try await messages[0].ack()
            #expect(await self.codes(copies[0]) == [.alreadyAcknowledged])
            try await copies[2].detached().nack()
            #expect(await self.codes(messages[2]) == [.alreadyAcknowledged])
            let byID = await failure { try await connection.ack(id: "a3", subscription: "1") }
            #expect(byID?.code == .alreadyAcknowledged)
        }
    }

    @Test("a header that cannot be written, or is the client's own, leaves the message unanswered")
    func badHeader() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.expect("NACK\nid:a1\n\n\0")
        } client: { _, subscription in
            let message = try await subscription.take(1)[0]
            for name in ["", "id", "message-id", "subscription", "transaction", "receipt", "content-length"] {
                let headers: STOMPHeaders = [STOMPHeaders.Name(name): "x"]
                #expect(await failure { try await message.nack(headers: headers) }?.code == .invalidArgument)
            }
            #expect(await failure { try await message.nack(headers: ["x": "\0"]) }?.code == .invalidArgument)
            try await message.nack()
        }
    }
}
