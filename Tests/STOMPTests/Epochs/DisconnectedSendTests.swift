// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Sends while there is no connection", .timeLimit(.minutes(5)))
struct DisconnectedSendTests {
    /// Loses the first connection; the next attempt is a second away.
    private func withLoss(
        _ policy: STOMPDisconnectedSend,
        _ body: (EpochRun) async throws -> Void
    ) async throws {
        try await EpochRun.with { configuration in
            configuration.sendWhileDisconnected = policy
            configuration.connectionWaitTimeout = .milliseconds(500)
        } _: { (run) async throws in
            try await run.session().hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            try await body(run)
        }
    }

    private func limits(_ change: (inout STOMPSendQueueLimits) -> Void = { _ in }) -> STOMPDisconnectedSend {
        var limits = STOMPSendQueueLimits()
        change(&limits)
        return .enqueue(limits)
    }

    /// The bodies that the next connection gets before a call that waited.
    private func flushed(_ run: EpochRun) async throws -> [String] {
        await run.pass(.seconds(1))
        let peer = try await run.accept()
        let waiting = Task { try await run.client.send("last", to: "/queue/q", receipt: .required) }
        await eventually { run.client.inner.withLock { $0.waiters.count } == 1 }
        _ = try await peer.receiveFrame()
        try await peer.send("CONNECTED\nversion:1.2\n\n\0")
        var bodies: [String] = []
        while bodies.last != "last" { bodies.append(try await peer.confirmFrame().frameBody) }
        try await waiting.value
        return bodies.dropLast()
    }

    @Test("B-11 .wait: it waits, and at its deadline throws that nothing was sent")
    func waits() async throws {
        try await self.withLoss(.wait) { (run) async throws in
            let send = Task { try await run.client.send("x", to: "/queue/q") }
            await eventually { run.clock.sleeperCount == 2 }
            await run.pass(.milliseconds(500))
            #expect(await failure { try await send.value }?.code == .notConnected)
            await run.pass(.milliseconds(500))
            let peer = try await run.session()
            try await run.client.send("mark", to: "/queue/q")
            #expect(try await peer.receiveFrame().frameBody == "mark")
        }
    }

    @Test("B-11 .fail: it throws at once, also one that wants a receipt")
    func fails() async throws {
        try await self.withLoss(.fail) { (run) async throws in
            #expect(await failure { try await run.client.send("x", to: "/queue/q") }?.code == .notConnected)
            #expect(await failure { try await run.client.send([1], to: "/queue/q") }?.code == .notConnected)
            let code = await failure { try await run.client.send("x", to: "/queue/q", receipt: .required) }?.code
            #expect(code == .notConnected)
            #expect(run.clock.sleeperCount == 1)
        }
    }

    @Test("B-11 B-18 .enqueue: they return, and go out in order, before calls that waited")
    func order() async throws {
        try await self.withLoss(self.limits()) { (run) async throws in
            for number in 0..<100 { try await run.client.send("\(number)", to: "/queue/q") }
            #expect(try await self.flushed(run) == (0..<100).map(String.init))
        }
    }

    @Test("B-11 .enqueue, full: refused")
    func refuses() async throws {
        try await self.withLoss(self.limits { $0.countLimit = 2 }) { (run) async throws in
            for number in 0..<2 { try await run.client.send("\(number)", to: "/queue/q") }
            let error = await failure { try await run.client.send("2", to: "/queue/q") }
            #expect(error?.code == .outboxFull)
            #expect(try await self.flushed(run) == ["0", "1"])
        }
    }

    @Test(
        "B-11 .enqueue, full: one is dropped, and that is told",
        arguments: zip([STOMPSendQueueLimits.Overflow.dropOldest, .dropNewest], [["2", "3"], ["0", "1"]])
    )
    func drops(overflow: STOMPSendQueueLimits.Overflow, left: [String]) async throws {
        let policy = self.limits {
            $0.countLimit = 2
            $0.overflow = overflow
        }
        try await self.withLoss(policy) { (run) async throws in
            for number in 0..<4 { try await run.client.send("\(number)", to: "/queue/q") }
            #expect(try await self.flushed(run) == left)
            _ = await run.events(until: "reconnecting 1.0 connectionLost")
            #expect(await run.events(until: "resumed 0").filter { $0 == "lost 1" }.count == 2)
        }
    }

    @Test("B-11 .enqueue: bytes count too; one that is larger than the limit costs no other its place")
    func bytes() async throws {
        let policy = self.limits {
            $0.byteLimit = 1_000
            $0.overflow = .dropOldest
        }
        try await self.withLoss(policy) { (run) async throws in
            let body = String(repeating: "x", count: 300)
            for _ in 0..<2 { try await run.client.send(body, to: "/queue/q") }
            try await run.client.send(String(repeating: "y", count: 2_000), to: "/queue/q")
            #expect(run.client.inner.withLock { $0.queue.count } == 2)
            for _ in 0..<10 { try await run.client.send(body, to: "/queue/q") }
            #expect(run.client.inner.withLock { $0.queue.count } <= 3)
            #expect(try await self.flushed(run).allSatisfy { $0 == body })
        }
    }

    @Test("B-11 .enqueue: what is too old is not sent, and that is told")
    func expires() async throws {
        try await self.withLoss(self.limits { $0.timeToLive = .milliseconds(900) }) { (run) async throws in
            try await run.client.send("old", to: "/queue/q")
            run.clock.advance(by: .milliseconds(200))
            try await run.client.send("young", to: "/queue/q")
            await run.pass(.milliseconds(700))
            await run.pass(.milliseconds(100))
            let peer = try await run.session()
            #expect(try await peer.receiveFrame().frameBody == "young")
            await run.untilConnected()
            #expect(await run.events(until: "lost 1").last == "lost 1")
        }
    }

    @Test("B-11 What is queued when the client ends is counted as lost; later sends throw")
    func clientEnds() async throws {
        try await self.withLoss(self.limits()) { (run) async throws in
            for _ in 0..<3 { try await run.client.send("x", to: "/queue/q") }
            run.client.beginGracefulShutdown()
            #expect(try await run.eventsToTheEnd().last == "lost 3")
            #expect(await failure { try await run.client.send("x", to: "/queue/q") }?.code == .closed)
        }
    }

    @Test("B-28 A receipt that was awaited when the connection was lost: the outcome is unknown")
    func receipt() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let send = Task { try await run.client.send("x", to: "/queue/q", receipt: .required) }
            _ = try await first.receiveFrame()
            first.hangUp()
            let error = await failure { try await send.value }
            #expect(error?.code == .connectionLost)
            #expect(error?.message.contains("unknown") == true)
            await run.pass(.seconds(1))
            let second = try await run.session()
            await run.untilConnected()
            #expect(second.hasReceivedNothing)
        }
    }
}
