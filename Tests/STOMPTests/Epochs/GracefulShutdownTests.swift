// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("A graceful shutdown", .timeLimit(.minutes(5)))
struct GracefulShutdownTests {
    /// A client whose one subscription has three messages, of which a handler holds the first.
    private struct Held {
        let run: EpochRun
        let peer: EpochRun.Peer
        let handler: Task<[String], any Error>
        let finish: Completion
        let storage: SubscriptionStorage

        var client: STOMPClient { self.run.client }

        /// Begins a shutdown, and waits until that waits for the handler.
        func beginShutdown() async {
            self.client.beginGracefulShutdown()
            await eventually { self.storage.delivery.withLock { $0.handler != nil } }
        }
    }

    private func withHandler(_ body: (Held) async throws -> Void) async throws {
        try await EpochRun.with { (run) async throws in
            let peer = try await run.session()
            let subscription = try await run.subscribe(at: peer)
            let (hasBegun, finish) = (Completion(), Completion())
            let handler = Task {
                var bodies: [String] = []
                for try await message in subscription {
                    bodies.append(try message.text)
                    hasBegun.resolve(.success(()))
                    try await finish.value()
                    try await message.ack()
                }
                return bodies
            }
            try await peer.send((0..<3).map { ConnectedPair.message("\($0)", number: $0, to: "1") }.joined())
            try await hasBegun.value()
            let storage = subscription.handle.storage
            try await body(Held(run: run, peer: peer, handler: handler, finish: finish, storage: storage))
        }
    }

    @Test("B-17 The handler finishes; then ACK, UNSUBSCRIBE, DISCONNECT; the next message is not handed out")
    func order() async throws {
        try await self.withHandler { (held) async throws in
            let (run, peer, finish) = (held.run, held.peer, held.finish)
            await held.beginShutdown()
            #expect(peer.hasReceivedNothing)
            finish.resolve(.success(()))
            #expect(try await peer.receiveFrame() == "ACK\nid:0\n\n\0")
            #expect(try await peer.receiveFrame() == "UNSUBSCRIBE\nid:1\nreceipt:2\n\n\0")
            for _ in 0..<50 { await Task.yield() }
            #expect(peer.hasReceivedNothing)
            try await peer.confirm("2")
            #expect(try await peer.confirmFrame().hasPrefix("DISCONNECT"))
            try await peer.expectHangUp()
            #expect(try await held.handler.value == ["0"])
            #expect(try await run.end.value() == nil)
            let report = try #require(run.client.inner.withLock { $0.report })
            #expect(report.isComplete)
            #expect(report.unansweredMessageCount == 2)
        }
    }

    @Test("B-17 A handler that does not finish is waited for until handlerTimeout, and reported")
    func busy() async throws {
        try await self.withHandler { (held) async throws in
            let (run, peer, finish) = (held.run, held.peer, held.finish)
            await held.beginShutdown()
            run.clock.advance(by: .seconds(30))
            #expect(try await peer.confirmFrame().hasPrefix("UNSUBSCRIBE\nid:1\n"))
            #expect(try await peer.confirmFrame().hasPrefix("DISCONNECT"))
            #expect(try await run.end.value() == nil)
            let report = try #require(run.client.inner.withLock { $0.report })
            #expect(report.busySubscriptions == ["1"])
            #expect(report.unansweredMessageCount == 3)
            finish.resolve(.success(()))
            let code = await failure { _ = try await held.handler.value }?.code
            #expect(code == .staleAcknowledgement || code == .subscriptionEnded)
        }
    }

    @Test("B-17 B-29 A broker that answers nothing holds it up no longer than shutdownTimeout; all of it is reported")
    func silentBroker() async throws {
        try await self.withHandler { (held) async throws in
            let (run, peer, finish) = (held.run, held.peer, held.finish)
            let send = Task {
                try await run.client.send("x", to: "/queue/q", receipt: .required(within: .seconds(600)))
            }
            _ = try await peer.receiveFrame()
            await held.beginShutdown()
            finish.resolve(.success(()))
            #expect(try await peer.receiveFrame().hasPrefix("ACK"))
            #expect(try await peer.receiveFrame().hasPrefix("UNSUBSCRIBE"))
            await run.pass(.seconds(5))
            #expect(try await peer.receiveFrame().hasPrefix("DISCONNECT"))
            #expect(try await run.end.value() == nil)
            let report = try #require(run.client.inner.withLock { $0.report })
            #expect(report.unconfirmedSubscriptions == ["1"])
            #expect(report.outstandingReceiptCount == 1)
            #expect(!report.isComplete)
            #expect(await failure { try await send.value }?.code == .connectionLost)
        }
    }

    @Test("B-17 The end of a scope waits for no handler")
    func scope() async throws {
        try await self.withHandler { (held) async throws in
            let (run, peer, finish) = (held.run, held.peer, held.finish)
            run.client.beginShutdownOfScope()
            #expect(try await peer.confirmFrame().hasPrefix("UNSUBSCRIBE\nid:1\n"))
            #expect(try await peer.confirmFrame().hasPrefix("DISCONNECT"))
            #expect(try await run.end.value() == nil)
            finish.resolve(.success(()))
            _ = await held.handler.result
        }
    }

    @Test("B-17 The connection is lost while a handler is waited for: there is no other one, and run() returns")
    func lostMeanwhile() async throws {
        try await self.withHandler { (held) async throws in
            let (run, peer, finish) = (held.run, held.peer, held.finish)
            await held.beginShutdown()
            peer.hangUp()
            #expect(try await run.end.value() == nil)
            #expect(run.clock.sleeperCount == 0)
            finish.resolve(.success(()))
            #expect(await failure { _ = try await held.handler.value }?.code == .staleAcknowledgement)
        }
    }

    @Test("B-17 Cancelling run() waits for no handler, and says goodbye")
    func cancelled() async throws {
        try await self.withHandler { (held) async throws in
            held.run.cancel()
            #expect(try await held.peer.confirmFrame().hasPrefix("DISCONNECT"))
            try await held.peer.expectHangUp()
            #expect(try await held.run.end.value()?.code == .cancelled)
            held.finish.resolve(.success(()))
            #expect(await failure { _ = try await held.handler.value }?.code == .staleAcknowledgement)
        }
    }

    enum Step: CaseIterable {
        case connecting, waiting, reconnecting
    }

    @Test(
        "B-17 B-28 While there is no connection it returns at once, and every call has an answer",
        arguments: Step.allCases
    )
    func disconnected(step: Step) async throws {
        try await EpochRun.with { (run) async throws in
            var subscription: STOMPSubscription?
            if step != .connecting {
                let peer = try await run.session()
                subscription = try await run.subscribe(at: peer)
                peer.hangUp()
                await eventually { run.state == "waiting 1.0 connectionLost" }
                if step == .reconnecting { await run.pass(.seconds(1)) }
            }
            if step != .waiting { _ = try await run.accept().receiveFrame() }
            let calls = [
                Task { try await run.client.send("x", to: "/queue/q") },
                Task { try await run.client.send("x", to: "/queue/q", receipt: .required) },
                Task { try await run.client.send("x", to: "/queue/q", receipt: .required(onLoss: .resend)) },
                Task { _ = try await run.client.subscribe(to: "/queue/q") },
                Task { _ = try await run.client.begin() },
            ]
            await eventually { run.client.inner.withLock { $0.waiters.count + $0.resends.count } == calls.count }
            run.client.beginGracefulShutdown()
            #expect(try await run.end.value() == nil)
            for call in calls { #expect(await failure { try await call.value }?.code == .closed) }
            if let subscription { for try await _ in subscription {} }
            #expect(run.client.inner.withLock { $0.waiters.isEmpty && $0.resends.isEmpty })
        }
    }

    @Test("B-17 While subscriptions are resumed it ends them, within its limits")
    func resuming() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(at: first)
            let second = try await run.next(after: first)
            _ = try await second.receiveFrame()
            run.client.beginGracefulShutdown()
            #expect(try await second.confirmFrame().hasPrefix("UNSUBSCRIBE\nid:1\n"))
            // The receipt of SUBSCRIBE.
            await run.pass(.seconds(5))
            #expect(try await second.confirmFrame().hasPrefix("DISCONNECT"))
            #expect(try await run.end.value() == nil)
            for try await _ in subscription {}
        }
    }

    @Test(
        "B-17 One that is subscribed to while handlers are waited for ends with the connection",
        arguments: [STOMPAckMode.auto, .client]
    )
    func subscribedMeanwhile(mode: STOMPAckMode) async throws {
        try await self.withHandler { (held) async throws in
            let (run, peer) = (held.run, held.peer)
            await held.beginShutdown()
            let late = try await run.subscribe("late", ack: mode, at: peer)
            let loop = Task { for try await _ in late {} }
            held.finish.resolve(.success(()))
            for _ in ["ACK", "UNSUBSCRIBE"] { try await peer.confirmFrame() }
            #expect(try await peer.confirmFrame().hasPrefix("DISCONNECT"))
            try await loop.value
            #expect(try await run.end.value() == nil)
        }
    }

    @Test("B-17 B-28 One that has the id of another one that ended meanwhile ends with the connection, too")
    func reusedID() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            var gone: STOMPSubscription? = try await run.subscribe(at: first)
            let held = try await run.subscribe(at: first)
            let second = try await run.next(after: first)
            for _ in 0..<2 { try await second.confirmFrame() }
            await run.untilConnected()
            try await second.deliver("a", to: held.id)
            // Kept, since whoever has given up the iterator has no message any more, and is not waited for.
            var iterator = held.makeAsyncIterator()
            #expect(try await iterator.next()?.text == "a")
            run.client.beginGracefulShutdown()
            await eventually { held.handle.storage.delivery.withLock { $0.handler != nil } }
            withExtendedLifetime(gone) {}
            gone = nil
            #expect(try await second.confirmFrame().hasPrefix("UNSUBSCRIBE\nid:1\n"))
            // Ids that are made begin anew on each connection, too.
            let late = try await run.subscribe("1", ack: .auto, at: second)
            let loop = Task { for try await _ in late {} }
            #expect(try await iterator.next() == nil)
            #expect(try await second.confirmFrame().hasPrefix("UNSUBSCRIBE\nid:2\n"))
            #expect(try await second.confirmFrame().hasPrefix("DISCONNECT"))
            try await loop.value
        }
    }
}
