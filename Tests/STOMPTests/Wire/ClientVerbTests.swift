// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import TestSupport
import Testing

@testable import STOMP

@Suite("The client's verbs", .timeLimit(.minutes(5)))
struct ClientVerbTests {
    @Test("they write what those of its connection write")
    func verbs() async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nversion:1.2\n\n\0")
            try await peer.expect("SUBSCRIBE\nid:mine\ndestination:q\nack:client-individual\nx:y\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.sendMessage("m1", ack: "a1", subscription: "mine")
            try await peer.sendMessage("m2", ack: "a2", subscription: "mine")
            try await peer.expect("ACK\nid:a1\n\n\0NACK\nid:a2\nreceipt:2\nrequeue:false\n\n\0")
            try await peer.confirm(2)
            try await peer.expect("BEGIN\ntransaction:t\n\n\0ABORT\ntransaction:t\nreceipt:3\n\n\0")
            try await peer.confirm(3)
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("SEND\ndestination:q\ntransaction:tx-1\ncontent-length:1\n\na\0")
            try await peer.expect("COMMIT\ntransaction:tx-1\nreceipt:4\n\n\0")
            try await peer.confirm(4)
            try await peer.expect("UNSUBSCRIBE\nid:mine\nreceipt:5\n\n\0")
            try await peer.confirm(5)
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:auto\nreceipt:6\n\n\0")
            try await peer.confirm(6)
            try await peer.expect("UNSUBSCRIBE\nid:1\nreceipt:7\n\n\0")
            try await peer.confirm(7)
            try await peer.endSession()
        } client: { peer in
            try await withSTOMPClient(STOMPServer(peer.endpoint), configuration: .patient) { client in
                try await client.withSubscription(to: "q", id: "mine", headers: ["x": "y"]) { subscription in
                    _ = try await subscription.take(2)
                    try await client.ack(id: "a1", subscription: "mine")
                    let headers: STOMPHeaders = ["requeue": "false"]
                    try await client.nack(id: "a2", subscription: "mine", headers: headers, receipt: .required)
                    try await client.begin(id: "t").abort()
                    try await client.withTransaction { try await $0.send("a", to: "q", contentType: nil) }
                }
                try await client.subscribe(to: "q", ack: .auto).unsubscribe()
            }
        }
    }

    @Test("two tasks that unsubscribe say it once")
    func unsubscribingTwice() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:q\nack:client\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expect("UNSUBSCRIBE\nid:1\nreceipt:2\n\n\0")
            try await peer.confirm(2)
        } client: { connection in
            let subscription = try await connection.subscribe(to: "q", ack: .client)
            async let first: Void = subscription.unsubscribe()
            async let second: Void = subscription.unsubscribe()
            _ = try await (first, second)
        }
    }
}
