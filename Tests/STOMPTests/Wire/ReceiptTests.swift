// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("RECEIPT", .timeLimit(.minutes(5)))
struct ReceiptTests {
    @Test("receipts are pipelined, and each RECEIPT answers the call that it names, in whatever order they come")
    func pipelined() async throws {
        let done = [Signal(), Signal(), Signal()]
        try await ScriptedSession().run { peer in
            // Which call gets which number is chance.
            var receipts: [Int: String] = [:]
            for _ in done {
                let frame = try await peer.receiveFrame()
                let lines = frame.split(separator: "\n")
                let receipt = try #require(lines.first { $0.hasPrefix("receipt:") }).dropFirst("receipt:".count)
                receipts[try #require(Int(lines.last?.dropLast() ?? ""))] = String(receipt)
            }
            for index in [2, 0, 1] {
                try await peer.send("RECEIPT\nreceipt-id:\(try #require(receipts[index]))\n\n\0")
                await done[index].wait()
            }
        } client: { connection in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in done.indices {
                    group.addTask {
                        try await connection.send("\(index)", to: "q", receipt: .required)
                        done[index].raise()
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a RECEIPT for nothing that is pending is an event that names it", arguments: ["1", "7", "mine", "01"])
    func unexpected(id: String) async throws {
        try await ScriptedSession().run { peer in
            try await peer.expectSend("a", receipt: 1)
            try await peer.confirm(1)
            try await peer.send("RECEIPT\nreceipt-id:\(id)\n\n\0")
        } client: { connection in
            var events = connection.events.listen().makeAsyncIterator()
            try await connection.send("a", to: "/queue/q", receipt: .required)
            guard case .unexpectedFrame(let frame) = await events.next() else {
                Issue.record("There is no event.")
                return
            }
            #expect(frame.command == .receipt)
            #expect(frame.headers[.receiptID] == id)
        }
    }

    @Test("a RECEIPT without an id breaks the protocol")
    func withoutID() async throws {
        let error = try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expectSend("a", receipt: 1)
            try await peer.send("RECEIPT\n\n\0")
            try await peer.expectHangUp()
        } client: { connection in
            let error = await failure { try await connection.send("a", to: "/queue/q", receipt: .required) }
            #expect(error?.code == .connectionLost)
        }
        #expect(error?.code == .protocolViolation)
    }

    @Test("messages that came before a RECEIPT are there when its call returns")
    func order() async throws {
        var session = ScriptedSession()
        session.configuration.subscription.softLimit = 1
        try await session.runSubscribed(ack: .auto) { peer in
            try await peer.expectSend("a", receipt: 2)
            try await peer.send(
                "MESSAGE\nsubscription:1\nmessage-id:m\ndestination:q\n\nx\0RECEIPT\nreceipt-id:2\n\n\0"
            )
        } client: { connection, subscription in
            #expect(!subscription.handle.storage.isAtSoftLimit)
            try await connection.send("a", to: "/queue/q", receipt: .required)
            #expect(subscription.handle.storage.isAtSoftLimit)
        }
    }

    @Test("a broker without receipts is never asked for one")
    func withoutReceipts() async throws {
        var session = ScriptedSession(version: .v10)
        var dialect = STOMPDialect(name: "silent")
        dialect.hasReceipts = false
        session.configuration.dialect = dialect
        try await session.run { peer in
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:/queue/q\nack:client\n\n\0")
            try await peer.expect("SEND\ndestination:/queue/q\ncontent-type:text/plain\ncontent-length:1\n\na\0")
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("COMMIT\ntransaction:tx-1\n\n\0")
            try await peer.expect("UNSUBSCRIBE\nid:1\ndestination:/queue/q\n\n\0")
        } client: { connection in
            try await connection.withSubscription(to: "/queue/q", ack: .client) { _ in
                let error = await failure { try await connection.send("no", to: "/queue/q", receipt: .required) }
                #expect(error?.code == .notSupported)
                try await connection.send("a", to: "/queue/q")
                try await connection.withTransaction { _ in }
            }
        }
    }
}
