// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("ERROR", .timeLimit(.minutes(5)))
struct ErrorFrameTests {
    @Test("S12-ERR-4 an ERROR that names a receipt rejects that call, and the connection lives")
    func namesReceipt() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expectSend("a", receipt: 1)
            try await peer.send("ERROR\nreceipt-id:1\nmessage:access refused\n\nno such queue\nmore\0")
            try await peer.expectSend("b", receipt: 2)
            try await peer.confirm(2)
        } client: { connection in
            let error = await failure { try await connection.send("a", to: "/queue/q", receipt: .required) }
            #expect(error?.code == .rejected)
            #expect(error?.frame?.headers[.message] == "access refused")
            #expect(error?.frame?.body == Array("no such queue\nmore".utf8))
            #expect(error?.message.contains("access refused (no such queue)") == true)
            try await connection.send("b", to: "/queue/q", receipt: .required)
        }
    }

    @Test("a RECEIPT after the ERROR for the same frame confirms nothing")
    func receiptAfterError() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expectSend("a", receipt: 1)
            try await peer.send("ERROR\nreceipt-id:1\nmessage:no\n\n\0RECEIPT\nreceipt-id:1\n\n\0")
            try await peer.expectSend("b", receipt: 2)
            try await peer.confirm(2)
        } client: { connection in
            var events = connection.events.listen().makeAsyncIterator()
            let error = await failure { try await connection.send("a", to: "/queue/q", receipt: .required) }
            #expect(error?.code == .rejected)
            guard case .unexpectedFrame(let frame) = await events.next() else {
                Issue.record("There is no event.")
                return
            }
            #expect(frame.headers[.receiptID] == "1")
            try await connection.send("b", to: "/queue/q", receipt: .required)
        }
    }

    @Test(
        "S12-ERR-5 S12-LIM-2 any other ERROR is fatal: what waits fails with it, nothing later counts, the client closes",
        arguments: [
            "ERROR\nmessage:frame too large\n\nlimit\0", "ERROR\nreceipt-id:99\nmessage:frame too large\n\nlimit\0",
            "ERROR\nsubscription:99\nmessage:frame too large\n\nlimit\0",
        ]
    )
    func fatal(frame: String) async throws {
        let error = try await ScriptedSession(ending: .loss).runSubscribed { peer in
            try await peer.expectSend("a", receipt: 2)
            try await peer.send(frame + "RECEIPT\nreceipt-id:2\n\n\0")
            try await peer.expectHangUp()
        } client: { connection, subscription in
            let error = await failure { try await connection.send("a", to: "/queue/q", receipt: .required) }
            #expect(error?.code == .serverError)
            #expect(error?.frame?.headers[.message] == "frame too large")
            let end = await failure { _ = try await subscription.take(1) }
            #expect(end?.code == .connectionLost)
            #expect(end?.frame?.headers[.message] == "frame too large")
            let later = await failure { try await connection.send("b", to: "/queue/q") }
            #expect(later?.code == .notConnected)
            #expect(later?.frame?.headers[.message] == "frame too large")
            let receipt = await failure { try await connection.send("b", to: "/queue/q", receipt: .required) }
            #expect(receipt?.code == .notConnected)
        }
        #expect(error?.code == .serverError)
        #expect(error?.frame?.body == Array("limit".utf8))
    }

    @Test("an ERROR that names a subscription ends that one only, and no UNSUBSCRIBE follows")
    func namesSubscription() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.expect(
                "SUBSCRIBE\nid:2\ndestination:/queue/other\nack:client-individual\nreceipt:2\n\n\0"
            )
            try await peer.confirm(2)
            try await peer.sendMessage("m", ack: "a", subscription: "2")
            try await peer.expectSend("received")
            try await peer.send("ERROR\nsubscription:2\nmessage:queue deleted\n\n\0")
            try await peer.expectSend("ended")
            try await peer.sendMessage("still here", ack: "b")
            try await peer.expect("ACK\nid:b\n\n\0")
        } client: { connection, subscription in
            var events = connection.events.listen().makeAsyncIterator()
            try await connection.withSubscription(to: "/queue/other") { other in
                let message = try await other.take(1)[0]
                try await connection.send("received", to: "/queue/q")
                let end = await failure { _ = try await other.take(1) }
                #expect(end?.code == .rejected)
                #expect(end?.frame?.headers[.message] == "queue deleted")
                let ack = await failure { try await message.ack() }
                #expect(ack?.code == .notAcknowledgeable)
            }
            guard case .subscriptionFailed("2", let error) = await events.next() else {
                Issue.record("There is no event.")
                return
            }
            #expect(error.code == .rejected)
            try await connection.send("ended", to: "/queue/q")
            try await subscription.take(1)[0].ack()
        }
    }

    @Test("a refused SUBSCRIBE throws, and its id is free again")
    func refusedSubscribe() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("SUBSCRIBE\nid:mine\ndestination:/queue/q\nack:auto\nreceipt:1\n\n\0")
            try await peer.send("ERROR\nreceipt-id:1\nsubscription:mine\nmessage:no\n\n\0")
            try await peer.expect("SUBSCRIBE\nid:mine\ndestination:/queue/q\nack:auto\nreceipt:2\n\n\0")
            try await peer.confirm(2)
            try await peer.expect("UNSUBSCRIBE\nid:mine\nreceipt:3\n\n\0")
            try await peer.confirm(3)
        } client: { connection in
            let error = await failure { _ = try await connection.subscribe(to: "/queue/q", ack: .auto, id: "mine") }
            #expect(error?.code == .rejected)
            try await connection.withSubscription(to: "/queue/q", ack: .auto, id: "mine") { _ in }
        }
    }

    @Test("where the broker closes after every ERROR, one that names a receipt is fatal too")
    func alwaysFatal() async throws {
        var session = ScriptedSession(ending: .loss)
        session.configuration.dialect = .stompserver
        let error = try await session.run { peer in
            try await peer.expectSend("a", receipt: 1)
            try await peer.send("ERROR\nreceipt-id:1\nmessage:no\n\n\0")
            try await peer.expectHangUp()
        } client: { connection in
            let error = await failure { try await connection.send("a", to: "/queue/q", receipt: .required) }
            #expect(error?.code == .rejected)
        }
        #expect(error?.code == .serverError)
    }
}
