// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

/// Calls that find a connection which has ended, though the client has not been told yet.
@Suite("Between a loss and its notice", .timeLimit(.minutes(5)))
struct NoticeTests {
    /// Loses a connection, which all calls still find.
    private func withGap(
        _ policy: STOMPDisconnectedSend = .wait,
        _ body: (EpochRun) async throws -> Void
    ) async throws {
        try await EpochRun.with { configuration in
            configuration.sendWhileDisconnected = policy
        } _: { (run) async throws in
            let peer = try await run.session()
            await run.untilConnected()
            let lost = run.client.current
            peer.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            // As a call does that has looked a moment earlier.
            run.client.inner.withLock { $0.connection = lost }
            try await body(run)
        }
    }

    private func next(_ run: EpochRun) async throws -> EpochRun.Peer {
        await run.pass(.seconds(1))
        return try await run.session()
    }

    @Test("B-28 begin() waits for the next connection, on which the transaction then is")
    func begins() async throws {
        try await self.withGap { (run) async throws in
            let work = Task {
                let transaction = try await run.client.begin(id: "t")
                try await transaction.send("a", to: "/queue/q")
                try await transaction.commit()
            }
            await eventually { run.client.inner.withLock { $0.waiters.count } == 1 }
            let second = try await self.next(run)
            #expect(try await second.receiveFrame() == "BEGIN\ntransaction:t\n\n\0")
            #expect(try await second.receiveFrame().hasPrefix("SEND"))
            #expect(try await second.confirmFrame().hasPrefix("COMMIT"))
            try await work.value
        }
    }

    @Test("B-11 With .wait sends and subscribe() wait for the next connection, too")
    func waits() async throws {
        try await self.withGap { (run) async throws in
            let calls = [
                Task { try await run.client.send("plain", to: "/queue/q") },
                Task { try await run.client.send([1], to: "/queue/q", receipt: .required) },
                Task { try await run.client.send("again", to: "/queue/q", receipt: .required(onLoss: .resend)) },
                Task { _ = try await run.client.subscribe(to: "/queue/q") },
            ]
            await eventually { run.client.inner.withLock { $0.waiters.count + $0.resends.count } == calls.count }
            let second = try await self.next(run)
            // One is the UNSUBSCRIBE of the subscription that nobody keeps.
            for _ in 0...calls.count { try await second.confirmFrame() }
            for call in calls { try await call.value }
        }
    }

    @Test("B-11 With .fail each kind of send throws at once that nothing was sent")
    func fails() async throws {
        try await self.withGap(.fail) { (run) async throws in
            let codes = [
                await failure { try await run.client.send("x", to: "/queue/q") }?.code,
                await failure { try await run.client.send([1], to: "/queue/q") }?.code,
                await failure { try await run.client.send("x", to: "/queue/q", receipt: .required) }?.code,
                await failure {
                    try await run.client.send("x", to: "/queue/q", receipt: .required(onLoss: .resend))
                }?.code,
            ]
            #expect(codes == Array(repeating: .notConnected, count: 4))
            #expect(run.clock.sleeperCount == 1)
        }
    }

    @Test("B-11 With .enqueue a send returns, and goes out with the next connection")
    func enqueues() async throws {
        try await self.withGap(.enqueue(STOMPSendQueueLimits())) { (run) async throws in
            try await run.client.send("x", to: "/queue/q")
            try await run.client.send("y", to: "/queue/q")
            let second = try await self.next(run)
            #expect(try await second.receiveFrame().frameBody == "x")
            #expect(try await second.receiveFrame().frameBody == "y")
        }
    }

    @Test("B-9 A connection that is lost while it is published is not the client's any more")
    func publishedTooLate() async throws {
        try await EpochRun.with { configuration in
            configuration.reconnect = STOMPReconnectPolicy(.fixed(.seconds(1)))
        } _: { (run) async throws in
            for _ in 0..<200 {
                try await run.session().hangUp()
                await eventually { run.state == "waiting 1.0 connectionLost" }
                #expect(run.client.session == nil)
                await run.pass(.seconds(1))
            }
        }
    }
}
