// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Sends that are repeated after a loss", .timeLimit(.minutes(5)))
struct ResendTests {
    private static let receipt = STOMPReceipt.required(onLoss: .resend)

    /// Sends so many, one after the other has gone out, and none confirmed.
    private func sendUnconfirmed(
        _ count: Int,
        _ run: EpochRun,
        _ peer: EpochRun.Peer
    ) async throws -> [Task<Void, any Error>] {
        var sends: [Task<Void, any Error>] = []
        for number in 0..<count {
            sends.append(Task { try await run.client.send("\(number)", to: "/queue/q", receipt: Self.receipt) })
            #expect(try await peer.receiveFrame().frameBody == "\(number)")
        }
        return sends
    }

    @Test("B-28 They are repeated in order, over several losses, before later sends")
    func order() async throws {
        try await EpochRun.with { (run) async throws in
            var peer = try await run.session()
            let sends = try await self.sendUnconfirmed(20, run, peer)
            for delay in [1, 2, 4] {
                peer.hangUp()
                await run.pass(.seconds(delay))
                peer = try await run.accept()
                _ = try await peer.receiveFrame()
                let later = Task { try await run.client.send("later", to: "/queue/q") }
                await eventually { run.client.inner.withLock { $0.waiters.count } == 1 }
                try await peer.send("CONNECTED\nversion:1.2\n\n\0")
                for number in 0..<20 {
                    #expect(try await peer.receiveFrame().frameBody == "\(number)")
                }
                try await later.value
                #expect(try await peer.receiveFrame().frameBody == "later")
            }
            for receipt in 1...20 { try await peer.confirm("\(receipt)") }
            for send in sends { try await send.value }
            #expect(run.client.inner.withLock { $0.resends.isEmpty })
        }
    }

    @Test("B-28 What was confirmed before the loss is not sent again")
    func noDuplicates() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let sends = try await self.sendUnconfirmed(3, run, first)
            try await first.confirm("2")
            try await sends[1].value
            let second = try await run.next(after: first)
            #expect(try await second.confirmFrame().frameBody == "0")
            #expect(try await second.confirmFrame().frameBody == "2")
            for send in sends { try await send.value }
            #expect(second.hasReceivedNothing)
        }
    }

    @Test("B-28 One that is cancelled while it waits for a connection is not sent again, and holds nobody up")
    func cancelled() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let sends = try await self.sendUnconfirmed(3, run, first)
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            sends[1].cancel()
            #expect(await failure { try await sends[1].value }?.code == .cancelled)
            await run.pass(.seconds(1))
            let second = try await run.session()
            #expect(try await second.confirmFrame().frameBody == "0")
            #expect(try await second.confirmFrame().frameBody == "2")
            await run.untilConnected()
        }
    }

    @Test("B-28 One that was made while there was no connection goes out with the next, behind the repeated ones")
    func madeBetween() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let sends = try await self.sendUnconfirmed(1, run, first)
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            let new = Task { try await run.client.send("new", to: "/queue/q", receipt: Self.receipt) }
            await eventually { run.clock.sleeperCount == 2 }
            await run.pass(.seconds(1))
            let second = try await run.session()
            #expect(try await second.confirmFrame().frameBody == "0")
            #expect(try await second.confirmFrame().frameBody == "new")
            for send in sends + [new] { try await send.value }
        }
    }

    /// The list of sends to repeat has been gone through when this one comes, but calls do not get the connection yet.
    @Test("B-28 One that is made while queued messages go out is not forgotten until the next loss")
    func madeDuringFlush() async throws {
        try await EpochRun.with(capacity: 64) { configuration in
            configuration.sendWhileDisconnected = .enqueue(STOMPSendQueueLimits())
            configuration.outboxLimit = 200
        } _: { (run) async throws in
            try await run.session().hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            let body = String(repeating: "x", count: 500)
            for _ in 0..<3 { try await run.client.send(body, to: "/queue/q") }
            await run.pass(.seconds(1))
            let peer = try await run.session()
            // The second waits for room.
            await eventually { run.client.inner.withLock { $0.queue.count } == 1 }
            let new = Task { try await run.client.send("new", to: "/queue/q", receipt: Self.receipt) }
            await eventually { run.client.inner.withLock { $0.resends.count } == 1 }
            var bodies: [String] = []
            while bodies.count < 4 { bodies.append(try await peer.confirmFrame().frameBody) }
            try await new.value
            #expect(Set(bodies) == [body, "new"])
            await run.untilConnected()
        }
    }

    @Test("B-28 When the client gives up, the outcome of what may have been sent is unknown", arguments: [true, false])
    func clientGivesUp(isAtOnce: Bool) async throws {
        try await EpochRun.with { configuration in
            configuration.reconnect.maximumAttempts = .limited(isAtOnce ? 0 : 1)
        } _: { (run) async throws in
            let first = try await run.session()
            let sends = try await self.sendUnconfirmed(20, run, first)
            run.listeners[0].close()
            first.hangUp()
            if !isAtOnce { await run.pass(.seconds(1)) }
            for send in sends {
                let error = await failure { try await send.value }
                #expect(error?.code == .connectionLost)
                #expect(error?.message.contains("unknown") == true)
            }
        }
    }

    @Test("B-28 When run() is cancelled, the outcome of what may have been sent is unknown, too")
    func runCancelled() async throws {
        try await EpochRun.with { _ in
        } _: { (run) async throws in
            let first = try await run.session()
            let sends = try await self.sendUnconfirmed(1, run, first)
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            run.client.beginGracefulShutdown()
            #expect(await failure { try await sends[0].value }?.code == .connectionLost)
            let code = await failure { try await run.client.send("x", to: "/queue/q", receipt: Self.receipt) }?.code
            #expect(code == .closed)
        }
    }

    @Test("B-28 A receipt that does not come in time is an error, and a refusal is one: neither is repeated")
    func otherErrors() async throws {
        try await EpochRun.with { (run) async throws in
            let peer = try await run.session()
            let sends = try await self.sendUnconfirmed(2, run, peer)
            try await peer.refuse("receipt-id:1\n")
            #expect(await failure { try await sends[0].value }?.code == .rejected)
            await run.pass(.seconds(30))
            #expect(await failure { try await sends[1].value }?.code == .receiptTimedOut)
            #expect(peer.hasReceivedNothing)
        }
    }
}
