// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("The queue of sends that wait for a connection", .timeLimit(.minutes(5)))
struct SendQueueTests {
    private static let body = String(repeating: "x", count: 500)

    private func with(
        capacity: Int = 256 * 1024,
        timeToLive: Duration = .seconds(30),
        outboxLimit: Int = 200,
        _ body: (EpochRun, EpochRun.Peer) async throws -> Void
    ) async throws {
        try await EpochRun.with(capacity: capacity) { configuration in
            var limits = STOMPSendQueueLimits()
            limits.timeToLive = timeToLive
            configuration.sendWhileDisconnected = .enqueue(limits)
            configuration.outboxLimit = outboxLimit
        } _: { (run) async throws in
            let peer = try await run.session()
            await run.untilConnected()
            try await body(run, peer)
        }
    }

    private func lose(_ run: EpochRun, _ peer: EpochRun.Peer) async {
        peer.hangUp()
        await eventually { run.state == "waiting 1.0 connectionLost" }
    }

    private func count(_ run: EpochRun) -> Int {
        run.client.inner.withLock { $0.queue.count }
    }

    @Test("B-11 Each is dropped when its own time is over, though nobody sends and there is no connection")
    func onTime() async throws {
        try await self.with(timeToLive: .milliseconds(300)) { (run, first) async throws in
            await self.lose(run, first)
            try await run.client.send("a", to: "/queue/q")
            run.clock.advance(by: .milliseconds(100))
            try await run.client.send("b", to: "/queue/q")
            try await run.client.send("c", to: "/queue/q")
            await run.pass(.milliseconds(200))
            #expect(await run.events(until: "lost 1").last == "lost 1")
            #expect(self.count(run) == 2)
            await run.pass(.milliseconds(100))
            #expect(await run.events(until: "lost 2").last == "lost 2")
            // What comes later is watched again.
            try await run.client.send("d", to: "/queue/q")
            await run.pass(.milliseconds(300))
            #expect(await run.events(until: "lost 1").last == "lost 1")
            #expect(self.count(run) == 0)
            await run.pass(.milliseconds(300))
            let second = try await run.session()
            try await run.client.send("e", to: "/queue/q")
            #expect(try await second.receiveFrame().frameBody == "e")
        }
    }

    @Test("B-11 If there is no room for long while the queue goes out, nothing is lost, and the order is kept")
    func noRoom() async throws {
        try await self.with(capacity: 64, timeToLive: .seconds(300)) { (run, first) async throws in
            await self.lose(run, first)
            for number in 0..<5 { try await run.client.send("\(number) \(Self.body)", to: "/queue/q") }
            await run.pass(.seconds(1))
            let second = try await run.session()
            for _ in 0..<2 {
                // The first is in the outbox; the second waits for room, and is put back when that takes too long.
                await eventually { self.count(run) == 3 }
                await run.pass(.seconds(30))
            }
            #expect(run.state == "resuming")
            for number in 0..<5 { #expect(try await second.receiveFrame().frameBody.hasPrefix("\(number) ")) }
            await run.untilConnected()
        }
    }

    @Test("B-11 One whose time is over while it waits for room is dropped, and the next has its turn")
    func tooOldInTheRoomQueue() async throws {
        try await self.with(capacity: 64, timeToLive: .seconds(5)) { (run, first) async throws in
            await self.lose(run, first)
            for number in 0..<2 { try await run.client.send("\(number) \(Self.body)", to: "/queue/q") }
            await run.pass(.seconds(1))
            let second = try await run.session()
            await eventually { self.count(run) == 0 }
            await run.pass(.seconds(4))
            #expect(await run.events(until: "lost 1").last == "lost 1")
            await run.untilConnected()
            #expect(try await second.receiveFrame().frameBody.hasPrefix("0 "))
            let later = Task { try await run.client.send("later", to: "/queue/q") }
            #expect(try await second.receiveFrame().frameBody == "later")
            try await later.value
        }
    }

    @Test("B-11 A send that waited for room when the connection was lost is queued, and returns")
    func waitedForRoom() async throws {
        try await self.with(capacity: 64) { (run, first) async throws in
            try await run.client.send(Self.body, to: "/queue/q")
            let send = Task { try await run.client.send("waited", to: "/queue/q") }
            await eventually { run.client.current?.outbox.state.withLock { $0.room.count } == 1 }
            await self.lose(run, first)
            try await send.value
            await run.pass(.seconds(1))
            #expect(try await run.session().receiveFrame().frameBody == "waited")
        }
    }

    @Test("B-21 Lost is what send had taken; not what a call tells of, what is sent again, and what is no message")
    func lostCount() async throws {
        try await self.with(capacity: 64, outboxLimit: 100_000) { (run, first) async throws in
            let connection = try #require(run.client.current)
            let outbox = connection.outbox
            let calls = [
                Task { try await run.client.send("a", to: "/queue/q", receipt: .required(onLoss: .resend)) },
                Task { try await run.client.send("b", to: "/queue/q", receipt: .required) },
                Task { _ = try await run.client.subscribe(to: "/queue/q") },
            ]
            await eventually { outbox.outstandingReceiptCount == 3 }
            let transaction = try await connection.begin()
            try await transaction.send("c", to: "/queue/q")
            try await run.client.send("d", to: "/queue/q")
            #expect(outbox.state.withLock { $0.byteCount } > 0)
            first.hangUp()
            let events = await run.events(until: "disconnected connectionLost")
            #expect(events.filter { $0.hasPrefix("lost") } == ["lost 1"])
            #expect(await failure { try await calls[1].value }?.code == .connectionLost)
            await run.pass(.seconds(1))
            let second = try await run.session()
            #expect(try await second.confirmFrame().frameBody == "a")
            try await calls[0].value
            calls[2].cancel()
        }
    }
}
