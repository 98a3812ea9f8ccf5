// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import TestSupport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("What acks, transactions and scopes promise", .timeLimit(.minutes(5)))
struct CallPromiseTests {
    private func messages(
        _ count: Int,
        of subscription: STOMPSubscription,
        _ pair: ConnectedPair
    ) async throws -> [STOMPMessage] {
        try await pair.deliver((1...count).map { ConnectedPair.message("", number: $0) }.joined())
        return try await subscription.take(count)
    }

    /// Fills the pipe, so that nothing leaves the outbox, and returns how many frames that took.
    private func stopReading(_ pair: ConnectedPair) async throws {
        try await pair.connection.send(String(repeating: "x", count: 1_000), to: "/full")
    }

    // MARK: - Acknowledging

    @Test("ack and nack return: queued, and lost with the connection, with which the message was delivered")
    func ackReturns() async throws {
        try await ConnectedPair.with(capacity: 512) { pair in
            let subscription = try await pair.subscribe(ack: .clientIndividual)
            let messages = try await self.messages(2, of: subscription, pair)
            try await self.stopReading(pair)
            try await messages[0].ack()
            try await messages[1].nack()
            // Answered, as far as this connection knows.
            #expect(await failure { try await messages[0].ack() }?.code == .alreadyAcknowledged)
            pair.peer.hangUp()
            let lost = try await pair.event { event -> Int? in
                if case .framesLost(let count) = event { count } else { nil }
            }
            // The SEND: messages whose acks are lost come again.
            #expect(lost == 1)
            #expect(await failure { try await messages[0].ack() }?.code == .staleAcknowledgement)
        }
    }

    @Test("ack(id:subscription:) throws: nothing was written")
    func ackByIDThrows() async throws {
        try await ConnectedPair.with { pair in
            let connection = pair.connection
            let subscription = try await pair.subscribe("s", ack: .clientIndividual)
            let auto = try await pair.subscribe("a")
            let messages = try await self.messages(2, of: subscription, pair)
            try await messages[0].ack()
            #expect(try await pair.peer.receiveFrame().hasPrefix("ACK\nid:1\n"))
            let codes = [
                await failure { try await connection.ack(id: "1", subscription: "s") }?.code,
                await failure { try await connection.nack(id: "1", subscription: "s") }?.code,
                await failure { try await connection.ack(id: "never seen", subscription: "s") }?.code,
                await failure { try await connection.ack(id: "2", subscription: "nobody's") }?.code,
                await failure { try await connection.ack(id: "2", subscription: "a", receipt: .required) }?.code,
            ]
            #expect(
                codes == [
                    .alreadyAcknowledged, .alreadyAcknowledged, .alreadyAcknowledged, .notAcknowledgeable,
                    .notAcknowledgeable,
                ]
            )
            #expect(pair.peer.hasReceivedNothing)
            async let left: Void = subscription.unsubscribe()
            try await pair.confirmFrame()
            try await left
            let code = await failure { try await connection.ack(id: "2", subscription: "s") }?.code
            #expect(code == .notAcknowledgeable)
            #expect(pair.peer.hasReceivedNothing)
            _ = auto
        }
    }

    // MARK: - Transactions

    @Test("begin returns: BEGIN is in the outbox, whether or not anybody reads it")
    func beginReturns() async throws {
        try await ConnectedPair.with(capacity: 64) { pair in
            try await self.stopReading(pair)
            let before = pair.outbox.state.withLock { $0.byteCount }
            let transaction = try await pair.connection.begin()
            #expect(pair.outbox.state.withLock { $0.byteCount } > before)
            #expect(pair.outbox.state.withLock { $0.transactions.isOpen(transaction.id) })
            #expect(try await pair.peer.receiveFrame().header("destination") == "/full")
            #expect(try await pair.peer.receiveFrame() == "BEGIN\ntransaction:\(transaction.id)\n\n\0")
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    @Test("send, ack and nack of a transaction return: in the outbox, without a receipt, before anybody answers")
    func transactionVerbsReturn() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe(ack: .clientIndividual)
            let messages = try await self.messages(2, of: subscription, pair)
            let transaction = try await pair.connection.begin(id: "t")
            try await transaction.send("a", to: "/q")
            try await transaction.send([1, 2], to: "/q")
            try await transaction.ack(messages[0])
            try await transaction.nack(messages[1])
            for command in ["BEGIN", "SEND", "SEND", "ACK", "NACK"] {
                let frame = try await pair.peer.receiveFrame()
                #expect(frame.hasPrefix("\(command)\n"))
                #expect(frame.header("transaction") == "t")
                #expect(frame.header("receipt") == nil)
            }
            // They happen at COMMIT, of which nothing has been said.
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    @Test("abort throws: .transactionEnded; .rejected; .receiptTimedOut after shutdownTimeout")
    func abortThrows() async throws {
        try await ConnectedPair.with { pair in
            for ending in ["committed", "refused", "unanswered"] {
                let transaction = try await pair.connection.begin(id: ending)
                #expect(try await pair.peer.receiveFrame().hasPrefix("BEGIN"))
                if ending == "committed" {
                    async let committed: Void = transaction.commit()
                    #expect(try await pair.confirmFrame().hasPrefix("COMMIT"))
                    try await committed
                    #expect(await failure { try await transaction.abort() }?.code == .transactionEnded)
                    continue
                }
                let aborting = Task { try await transaction.abort() }
                let frame = try await pair.peer.receiveFrame()
                #expect(frame.hasPrefix("ABORT"))
                if ending == "refused" {
                    try await pair.peer.send("ERROR\nreceipt-id:\(frame.header("receipt") ?? "")\nmessage:no\n\n\0")
                    #expect(await failure { try await aborting.value }?.code == .rejected)
                } else {
                    pair.clock.advance(by: .seconds(5))
                    #expect(await failure { try await aborting.value }?.code == .receiptTimedOut)
                }
                // However it ended.
                #expect(await failure { try await transaction.abort() }?.code == .transactionEnded)
            }
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    // MARK: - Scopes

    @Test("withSTOMPClient and withConnection return: the closure's value, when all is confirmed and closed")
    func scopesReturn() async throws {
        for isClient in [true, false] {
            let hasReturned = Shared(false)
            try await withScriptedPeer { peer in
                try await peer.acceptSession()
                let sent = try await peer.receiveFrame()
                #expect(peer.hasReceivedNothing)
                try await peer.send("RECEIPT\nreceipt-id:\(sent.header("receipt") ?? "")\n\n\0")
                let farewell = try await peer.receiveFrame()
                #expect(farewell.hasPrefix("DISCONNECT\n"))
                #expect(!hasReturned.withLock { $0 })
                try await peer.send("RECEIPT\nreceipt-id:\(farewell.header("receipt") ?? "")\n\n\0")
                try await peer.expectHangUp()
            } client: { peer in
                let value: Int
                if isClient {
                    let (result, client) = try await withSTOMPClient(
                        STOMPServer(peer.endpoint),
                        configuration: .patient
                    ) { client in
                        try await client.send("a", to: "/q", receipt: .required)
                        return (1, client)
                    }
                    // It has ended, and says so.
                    #expect(await failure { try await client.run() }?.code == .alreadyRunning)
                    #expect(await failure { try await client.send("a", to: "/q") }?.code == .closed)
                    value = result
                } else {
                    value = try await STOMPConnection.withConnection(to: peer.endpoint, configuration: .patient) {
                        connection in
                        try await connection.send("a", to: "/q", receipt: .required)
                        return 1
                    }
                }
                hasReturned.withLock { $0 = true }
                #expect(value == 1)
            }
        }
    }
}
