// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("What subscribe, unsubscribe and withSubscription promise", .timeLimit(.minutes(5)))
struct SubscriptionPromiseTests {
    private func next(_ subscription: STOMPSubscription) async throws -> STOMPMessage? {
        var iterator = subscription.makeAsyncIterator()
        return try await iterator.next()
    }

    // MARK: - subscribe

    @Test("subscribe returns: when it is confirmed; what came before the RECEIPT is buffered")
    func subscribeReturns() async throws {
        try await ConnectedPair.with { pair in
            let hasReturned = Shared(false)
            let subscribing = Task {
                defer { hasReturned.withLock { $0 = true } }
                return try await pair.connection.subscribe(to: "/q", ack: .auto, id: "s")
            }
            let id = try #require(try await pair.peer.receiveFrame().header("receipt"))
            try await pair.deliver(ConnectedPair.message("early", number: 1))
            #expect(!hasReturned.withLock { $0 })
            try await pair.peer.send("RECEIPT\nreceipt-id:\(id)\n\n\0")
            let subscription = try await subscribing.value
            #expect(try await self.next(subscription)?.text == "early")
        }
    }

    @Test("subscribe throws: nothing was written for what cannot be said")
    func subscribeInvalid() async throws {
        try await ConnectedPair.with(connected: "version:1.0\n") { pair in
            let connection = pair.connection
            let codes = [
                await failure { _ = try await connection.subscribe(to: "") }?.code,
                await failure { _ = try await connection.subscribe(to: "/q") }?.code,
                await failure { _ = try await connection.subscribe(to: "/q", ack: .auto, headers: ["id": "1"]) }?.code,
            ]
            #expect(codes == [.invalidArgument, .notSupported, .invalidArgument])
            let subscription = try await pair.subscribe()
            let again = await failure { _ = try await connection.subscribe(to: "/q", ack: .auto, id: "s") }
            #expect(again?.code == .invalidArgument)
            #expect(pair.peer.hasReceivedNothing)
            _ = subscription
        }
    }

    @Test("subscribe throws: .receiptTimedOut, and UNSUBSCRIBE has been written, in case it exists")
    func subscribeTimesOut() async throws {
        try await ConnectedPair.with { pair in
            let subscribing = Task { _ = try await pair.connection.subscribe(to: "/q", id: "s") }
            _ = try await pair.peer.receiveFrame()
            pair.clock.advance(by: .seconds(30))
            #expect(await failure { try await subscribing.value }?.code == .receiptTimedOut)
            #expect(try await pair.peer.receiveFrame() == "UNSUBSCRIBE\nid:s\n\n\0")
            // There is no subscription, and the id is free.
            let other = try await pair.subscribe("s")
            try await pair.deliver(ConnectedPair.message("for the second"))
            #expect(try await self.next(other)?.text == "for the second")
        }
    }

    @Test("subscribe throws: .serverError or .connectionLost when the connection ends before the RECEIPT")
    func subscribeLost() async throws {
        for (answer, code) in [("ERROR\nmessage:no\n\n\0", STOMPError.Code.serverError), ("", .connectionLost)] {
            try await ConnectedPair.with { pair in
                let subscribing = Task { _ = try await pair.connection.subscribe(to: "/q") }
                _ = try await pair.peer.receiveFrame()
                try await pair.peer.send(answer)
                if answer.isEmpty { pair.peer.hangUp() }
                #expect(await failure { try await subscribing.value }?.code == code)
                #expect(await failure { _ = try await pair.connection.subscribe(to: "/q") }?.code == .notConnected)
            }
        }
    }

    @Test("subscribe cancelled: UNSUBSCRIBE has been written if SUBSCRIBE was")
    func subscribeCancelled() async throws {
        try await ConnectedPair.with { pair in
            let subscribing = Task { _ = try await pair.connection.subscribe(to: "/q", id: "s") }
            _ = try await pair.peer.receiveFrame()
            subscribing.cancel()
            #expect(await failure { try await subscribing.value }?.code == .cancelled)
            #expect(try await pair.peer.receiveFrame() == "UNSUBSCRIBE\nid:s\n\n\0")
        }
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 100)) { pair in
            let body = String(repeating: "x", count: 600)
            try await pair.connection.send(body, to: "/1")
            let subscribing = Task { _ = try await pair.connection.subscribe(to: "/q", id: "s") }
            await eventually { pair.outbox.state.withLock { $0.room.count } == 1 }
            subscribing.cancel()
            #expect(await failure { try await subscribing.value }?.code == .cancelled)
            #expect(try await pair.peer.receiveFrame().header("destination") == "/1")
            await eventually { pair.outbox.state.withLock { $0.byteCount == 0 && !$0.isFlushing } }
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    // MARK: - unsubscribe

    /// A subscription with one message in hand and one that is buffered.
    private func withTwoMessages(
        _ body: (ConnectedPair, STOMPSubscription, STOMPMessage) async throws -> Void
    ) async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe(ack: .clientIndividual)
            try await pair.deliver((1...2).map { ConnectedPair.message("", number: $0) }.joined())
            let message = try #require(try await self.next(subscription))
            try await body(pair, subscription, message)
        }
    }

    private func expectEnd(of subscription: STOMPSubscription) async throws {
        #expect(try await self.next(subscription) == nil)
        // A second call does nothing.
        try await subscription.unsubscribe()
    }

    @Test("unsubscribe throws: .receiptTimedOut after shutdownTimeout; the subscription has ended all the same")
    func unsubscribeTimesOut() async throws {
        try await self.withTwoMessages { pair, subscription, message in
            let leaving = Task { try await subscription.unsubscribe() }
            #expect(try await pair.peer.receiveFrame().hasPrefix("UNSUBSCRIBE"))
            pair.clock.advance(by: .seconds(5))
            #expect(await failure { try await leaving.value }?.code == .receiptTimedOut)
            #expect(await failure { try await message.ack() }?.code == .notAcknowledgeable)
            try await self.expectEnd(of: subscription)
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    @Test("withSubscription throws: .rejected when the broker refuses UNSUBSCRIBE")
    func scopeRejected() async throws {
        var session = ScriptedSession()
        session.server = "ActiveMQ/5.17.2"
        try await session.run { peer in
            _ = try await peer.receiveFrame()
            try await peer.confirm(1)
            try await peer.expect("UNSUBSCRIBE\nid:1\nreceipt:2\n\n\0")
            try await peer.send("ERROR\nmessage:no\nreceipt-id:2\n\n\0")
        } client: { connection in
            let error = await failure { try await connection.withSubscription(to: "/queue/q") { _ in } }
            #expect(error?.code == .rejected)
        }
    }

    @Test("unsubscribe throws: .connectionLost; nothing can be acknowledged any more")
    func unsubscribeLost() async throws {
        try await self.withTwoMessages { pair, subscription, message in
            let leaving = Task { try await subscription.unsubscribe() }
            #expect(try await pair.peer.receiveFrame().hasPrefix("UNSUBSCRIBE"))
            pair.peer.hangUp()
            #expect(await failure { try await leaving.value }?.code == .connectionLost)
            #expect(await failure { try await message.ack() }?.code == .staleAcknowledgement)
            try await self.expectEnd(of: subscription)
        }
    }

    @Test("unsubscribe cancelled: UNSUBSCRIBE has been written, and the subscription has ended")
    func unsubscribeCancelled() async throws {
        try await self.withTwoMessages { pair, subscription, message in
            let leaving = Task { try await subscription.unsubscribe() }
            #expect(try await pair.peer.receiveFrame().hasPrefix("UNSUBSCRIBE\nid:s\nreceipt:"))
            leaving.cancel()
            #expect(await failure { try await leaving.value }?.code == .cancelled)
            #expect(await failure { try await message.ack() }?.code == .notAcknowledgeable)
            try await self.expectEnd(of: subscription)
        }
    }

    // MARK: - withSubscription

    @Test("withSubscription returns: the value of its closure, when UNSUBSCRIBE is confirmed")
    func scopeReturns() async throws {
        try await ConnectedPair.with { pair in
            let hasReturned = Shared(false)
            let scope = Task {
                defer { hasReturned.withLock { $0 = true } }
                return try await pair.connection.withSubscription(to: "/q", id: "s") { subscription in
                    try await subscription.take(1)[0].text
                }
            }
            try await pair.confirmFrame()
            try await pair.deliver(ConnectedPair.message("value"))
            let farewell = try await pair.peer.receiveFrame()
            #expect(farewell.hasPrefix("UNSUBSCRIBE\nid:s\n"))
            #expect(!hasReturned.withLock { $0 })
            try await pair.peer.send("RECEIPT\nreceipt-id:\(farewell.header("receipt") ?? "")\n\n\0")
            #expect(try await scope.value == "value")
        }
    }
}
