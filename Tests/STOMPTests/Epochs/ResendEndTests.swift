// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("How a send that is repeated ends without a receipt", .timeLimit(.minutes(5)))
struct ResendEndTests {
    private static let receipt = STOMPReceipt.required(onLoss: .resend)

    private func send(_ text: String, _ run: EpochRun) -> Task<Void, any Error> {
        Task { try await run.client.send(text, to: "/queue/q", receipt: Self.receipt) }
    }

    /// It may be the very one that the broker does not stand: repeated, it would end one connection after the other.
    @Test("B-32 An ERROR that names nobody ends it, with an unknown outcome; it is not repeated, and others go on")
    func namelessError() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(at: first)
            let send = self.send("x", run)
            _ = try await first.receiveFrame()
            try await first.refuse()
            let error = await failure { try await send.value }
            #expect(error?.code == .serverError)
            #expect(error?.frame?.headers[.message] == "no")
            await run.pass(.seconds(1))
            let second = try await run.session()
            #expect(try await second.confirmFrame().hasPrefix("SUBSCRIBE"))
            await run.untilConnected()
            let later = self.send("later", run)
            #expect(try await second.confirmFrame().frameBody == "later")
            try await later.value
            withExtendedLifetime(subscription) {}
        }
    }

    @Test("B-28 When run() is cancelled, receipts are waited for within its limits; then the outcome is unknown")
    func runCancelled() async throws {
        try await EpochRun.with { (run) async throws in
            let peer = try await run.session()
            let sends = [self.send("a", run), self.send("b", run)]
            var receipts: [String: String] = [:]
            for _ in sends {
                let frame = try await peer.receiveFrame()
                receipts[frame.frameBody] = frame.header("receipt")
            }
            run.cancel()
            await eventually { run.client.current?.outbox.isDraining ?? true }
            try await peer.confirm(try #require(receipts["a"]))
            try await sends[0].value
            #expect(peer.hasReceivedNothing)
            await run.pass(.seconds(5))
            #expect(try await peer.confirmFrame().hasPrefix("DISCONNECT"))
            let error = await failure { try await sends[1].value }
            #expect(error?.code == .connectionLost)
            #expect(error?.message.contains("unknown") == true)
            #expect(try await run.end.value()?.code == .cancelled)
            #expect(run.client.inner.withLock { $0.resends.isEmpty })
        }
    }

    @Test("B-28 If there is no room for it on the next connection, the outcome is unknown, not: nothing was sent")
    func noRoomLater() async throws {
        try await EpochRun.with(capacity: 64) { configuration in
            configuration.outboxLimit = 200
        } _: { (run) async throws in
            let first = try await run.session()
            var sends: [Task<Void, any Error>] = []
            for number in 0..<2 {
                sends.append(self.send("\(number)" + String(repeating: "x", count: 500), run))
                #expect(try await first.receiveFrame().frameBody.hasPrefix("\(number)"))
            }
            let second = try await run.next(after: first)
            await eventually { run.client.inner.withLock { $0.opening?.outbox.state.withLock { $0.room.count } } == 1 }
            await run.pass(.seconds(30))
            #expect(await failure { try await sends[0].value }?.code == .receiptTimedOut)
            let error = await failure { try await sends[1].value }
            #expect(error?.code == .connectionLost)
            #expect(error?.message.contains("unknown") == true)
            await run.untilConnected()
            withExtendedLifetime(second) {}
        }
    }

    @Test("B-11 With .fail it throws at once while there is no connection; one under way at a loss goes on")
    func failPolicy() async throws {
        try await EpochRun.with { configuration in
            configuration.sendWhileDisconnected = .fail
        } _: { (run) async throws in
            let first = try await run.session()
            await run.untilConnected()
            let send = self.send("x", run)
            _ = try await first.receiveFrame()
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            #expect(await failure { try await self.send("y", run).value }?.code == .notConnected)
            await run.pass(.seconds(1))
            #expect(try await run.session().confirmFrame().frameBody == "x")
            try await send.value
        }
    }
}

extension Outbox {
    fileprivate var isDraining: Bool {
        self.state.withLock { !$0.phase.admits(.beginning) }
    }
}
