// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Moving back to the priority server", .timeLimit(.minutes(5)))
struct PriorityTests {
    /// Connected to the second server, since the first one, which is preferred, was lost.
    private func withSecond(
        _ configure: (inout STOMPConfiguration) -> Void = { _ in },
        _ body: (EpochRun, EpochRun.Peer, STOMPSubscription) async throws -> Void
    ) async throws {
        try await EpochRun.with(servers: 2) { configuration in
            configuration.reconnect = STOMPReconnectPolicy(.fixed(.seconds(2)))
            configure(&configuration)
        } list: { list in
            list.priorityEndpoints = [list.servers[0].endpoint]
        } _: { (run) async throws in
            let first = try await run.session(0)
            let subscription = try await run.subscribe(at: first)
            first.hangUp()
            await run.pass(.seconds(2))
            try await run.accept(0).hangUp()
            let second = try await run.session(1)
            try await second.confirmFrame()
            await run.untilConnected()
            try await body(run, second, subscription)
        }
    }

    @Test(
        "The old connection is left politely and closed, then subscriptions go on by the new one; calls wait meanwhile"
    )
    func movesBack() async throws {
        try await self.withSecond { (run, second, subscription) async throws in
            await run.pass(.seconds(2))
            // Answers CONNECT, so it is no mere port.
            let probe = try await run.session(0)
            try await probe.expectHangUp()
            let farewell = try await second.receiveFrame()
            #expect(farewell.hasPrefix("DISCONNECT"))
            let send = Task { try await run.client.send("x", to: "/queue/q", receipt: .required) }
            await eventually { run.client.inner.withLock { $0.waiters.count } == 1 }
            try await second.confirm(try #require(farewell.header("receipt")))
            try await second.expectHangUp()
            let third = try await run.session(0)
            #expect(try await third.confirmFrame().hasPrefix("SUBSCRIBE\nid:1\n"))
            #expect(try await third.confirmFrame().hasPrefix("SEND"))
            try await send.value
            try await third.deliver("a")
            #expect(try await subscription.take(1)[0].text == "a")
        }
    }

    @Test("A provider of credentials that does not heed its cancellation holds up no goodbye")
    func stubbornProvider() async throws {
        let calls = Locked(0)
        let (isAsked, answer) = (Completion(), Completion())
        try await self.withSecond { configuration in
            configuration.credentials = { _ in
                let call = calls.withLock { calls in
                    calls += 1
                    return calls
                }
                // After three connections or attempts the first look for the preferred server.
                guard call == 4 else { return nil }
                isAsked.resolve(.success(()))
                try await answer.value(onCancel: {})
                return nil
            }
        } _: { (run, second, _) async throws in
            await run.pass(.seconds(2))
            try await isAsked.value()
            run.cancel()
            #expect(try await second.confirmFrame().hasPrefix("DISCONNECT"))
            try await second.expectHangUp()
            answer.resolve(.success(()))
            #expect(try await run.end.value()?.code == .cancelled)
        }
    }

    @Test("As long as it does not answer, the client stays where it is")
    func stays() async throws {
        try await self.withSecond { (run, second, subscription) async throws in
            for _ in 0..<3 {
                await run.pass(.seconds(2))
                let probe = try await run.accept(0)
                _ = try await probe.receiveFrame()
                probe.hangUp()
            }
            await eventually { run.clock.sleeperCount >= 1 }
            #expect(run.state == "connected")
            try await second.deliver("a")
            #expect(try await subscription.take(1)[0].text == "a")
        }
    }

    @Test("A call that found the old connection closing goes to the next one")
    func race() async throws {
        try await self.withSecond { (run, second, _) async throws in
            let old = try #require(run.client.current)
            await run.pass(.seconds(2))
            let probe = try await run.session(0)
            try await probe.expectHangUp()
            let farewell = try await second.receiveFrame()
            // As a call does that has looked a moment earlier.
            run.client.inner.withLock { $0.connection = old }
            let sends = [
                Task { try await run.client.send("plain", to: "/queue/q") },
                Task { try await run.client.send("receipt", to: "/queue/q", receipt: .required) },
                Task { try await run.client.send("again", to: "/queue/q", receipt: .required(onLoss: .resend)) },
                Task { _ = try await run.client.subscribe(to: "/queue/new") },
                Task { _ = try await run.client.begin() },
            ]
            await eventually { run.client.inner.withLock { $0.waiters.count + $0.resends.count } == sends.count }
            try await second.confirm(try #require(farewell.header("receipt")))
            let third = try await run.session(0)
            var commands: Set<String> = []
            for _ in 0..<6 {
                let frame = try await third.confirmFrame()
                commands.insert(frame.frameBody.isEmpty ? String(frame.prefix { $0 != "\n" }) : frame.frameBody)
            }
            #expect(commands == ["SUBSCRIBE", "plain", "receipt", "again", "BEGIN"])
            for send in sends { try await send.value }
        }
    }

    @Test("When the connection is lost while it looks, that is a loss like any other")
    func lostMeanwhile() async throws {
        try await self.withSecond { (run, second, _) async throws in
            await run.pass(.seconds(2))
            let probe = try await run.accept(0)
            _ = try await probe.receiveFrame()
            second.hangUp()
            try await probe.expectHangUp()
            await run.pass(.seconds(2))
            let third = try await run.session(0)
            try await third.confirmFrame()
            await run.untilConnected()
        }
    }
}
