// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Who an ERROR that names nobody was about", .timeLimit(.minutes(5)))
struct SuspectTests {
    /// Subscribes to `/queue/a`, `/queue/b` and `/queue/c`, and loses the connection.
    private func withThree(
        _ body: (EpochRun, [STOMPSubscription]) async throws -> Void
    ) async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            var subscriptions: [STOMPSubscription] = []
            for name in ["a", "b", "c"] {
                let destination = STOMPDestination("/queue/\(name)")
                subscriptions.append(try await run.subscribe(name, to: destination, at: first))
            }
            first.hangUp()
            await run.pass(.seconds(1))
            try await body(run, subscriptions)
        }
    }

    /// Answers the SUBSCRIBEs with an ERROR that names nobody; the connection that follows.
    private func refuseAll(_ run: EpochRun, _ subscriptions: [STOMPSubscription]) async throws -> EpochRun.Peer {
        let second = try await run.session()
        for _ in subscriptions { _ = try await second.receiveFrame() }
        try await second.refuse()
        await run.pass(.seconds(2))
        return try await run.session()
    }

    /// The subscriptions that are asked for, one at a time, up to the one that is refused.
    private func confirmUntil(_ guilty: String, _ peer: EpochRun.Peer) async throws -> [String] {
        var ids: [String] = []
        while true {
            let frame = try await peer.receiveFrame()
            ids.append(try #require(frame.header("id")))
            #expect(frame.hasPrefix("SUBSCRIBE"))
            for _ in 0..<50 { await Task.yield() }
            #expect(peer.hasReceivedNothing)
            if ids.last == guilty { break }
            try await peer.confirm(try #require(frame.header("receipt")))
        }
        try await peer.refuse()
        return ids
    }

    @Test("B-1 It is found by asking for one after the other, and ends as rejected; the others go on")
    func found() async throws {
        try await self.withThree { (run, subscriptions) async throws in
            let third = try await self.refuseAll(run, subscriptions)
            #expect(try await self.confirmUntil("b", third) == ["a", "b"])
            let end = await failure { for try await _ in subscriptions[1] {} }
            #expect(end?.code == .rejected)
            #expect(end?.frame?.headers[.message] == "no")
            await run.pass(.seconds(4))
            let fourth = try await run.session()
            // Another one may be guilty as well, so one at a time.
            #expect(try await fourth.confirmFrame().header("id") == "a")
            #expect(try await fourth.confirmFrame().header("id") == "c")
            await run.untilConnected()
            for id in ["a", "c"] { try await fourth.deliver(id, to: id) }
            #expect(try await subscriptions[0].take(1)[0].text == "a")
            #expect(try await subscriptions[2].take(1)[0].text == "c")
            let events = await run.events(until: "resumed 2")
            #expect(events.filter { $0.hasPrefix("failed") } == ["failed b rejected"])
        }
    }

    @Test("A search that is cut short by another loss goes on, instead of beginning anew")
    func cutShort() async throws {
        try await self.withThree { (run, subscriptions) async throws in
            let third = try await self.refuseAll(run, subscriptions)
            try await third.confirmFrame()
            _ = try await third.receiveFrame()
            third.hangUp()
            await run.pass(.seconds(4))
            #expect(try await self.confirmUntil("c", try await run.session()) == ["a", "b", "c"])
            #expect(await failure { for try await _ in subscriptions[2] {} }?.code == .rejected)
        }
    }

    @Test("After a whole resumption the next one goes out together again")
    func togetherAgain() async throws {
        try await self.withThree { (run, subscriptions) async throws in
            let third = try await self.refuseAll(run, subscriptions)
            for _ in subscriptions { try await third.confirmFrame() }
            await run.untilConnected()
            let fourth = try await run.next(after: third, .seconds(4))
            for _ in subscriptions { _ = try await fourth.receiveFrame() }
        }
    }

    @Test("One that was the only one needs no search")
    func alone() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(at: first)
            let second = try await run.next(after: first)
            _ = try await second.receiveFrame()
            try await second.refuse()
            #expect(await failure { for try await _ in subscription {} }?.code == .rejected)
            await run.pass(.seconds(2))
            let third = try await run.session()
            await run.untilConnected()
            #expect(third.hasReceivedNothing)
        }
    }

    @Test("An ERROR after all are confirmed ends none of them, and starts no search")
    func afterwards() async throws {
        try await self.withThree { (run, subscriptions) async throws in
            let second = try await run.session()
            for _ in subscriptions { try await second.confirmFrame() }
            await run.untilConnected()
            try await second.refuse()
            await run.pass(.seconds(2))
            let third = try await run.session()
            for _ in subscriptions { _ = try await third.receiveFrame() }
        }
    }

    @Test("A first subscribe() during which such an ERROR comes fails with it, and is not sent again")
    func firstTime() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(at: first)
            let new = Task { try await run.client.subscribe(to: "/queue/new") }
            #expect(try await first.receiveFrame().header("id") == "2")
            try await first.refuse()
            #expect(await failure { _ = try await new.value }?.code == .serverError)
            await run.pass(.seconds(1))
            let second = try await run.session()
            #expect(try await second.confirmFrame().header("id") == "1")
            await run.untilConnected()
            try await run.client.send("x", to: "/queue/q")
            #expect(try await second.receiveFrame().hasPrefix("SEND"))
            withExtendedLifetime(subscription) {}
        }
    }

    @Test("A first subscribe() whose connection is merely lost is tried again by the next one")
    func firstTimeLost() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let new = Task { try await run.client.subscribe(to: "/queue/new", id: "n") }
            let frame = try await first.receiveFrame()
            let second = try await run.next(after: first)
            #expect(try await second.confirmFrame() == frame)
            #expect(try await new.value.id == "n")
        }
    }
}
