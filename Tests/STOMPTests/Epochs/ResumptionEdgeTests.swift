// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Subscribing again, at the edges", .timeLimit(.minutes(5)))
struct ResumptionEdgeTests {
    /// Whatever comes first: the next connection is subscribed and unsubscribed, or neither.
    @Test("B-1 One that is ended at the moment of the resumption leaves nothing behind", arguments: 0..<60)
    func endedAtOnce(round: Int) async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            var gone: STOMPSubscription? = try await run.subscribe(at: first)
            let kept = try await run.subscribe(at: first)
            first.hangUp()
            await run.pass(.seconds(1))
            let second = try await run.accept()
            _ = try await second.receiveFrame()
            let leaving = round.isMultiple(of: 2) ? Task { [gone] in try await gone?.unsubscribe() } : nil
            try await second.send("CONNECTED\nversion:1.2\n\n\0")
            for _ in 0..<(round / 2) { await Task.yield() }
            gone = nil
            var frames: [String] = []
            let mark = Task { try await run.client.send("mark", to: "/queue/mark", receipt: .required) }
            while frames.last?.frameBody != "mark" { frames.append(try await second.confirmFrame()) }
            try await mark.value
            _ = await leaving?.result
            // The farewell of a dropped one may come behind the mark.
            let count = { (command: String) in frames.count { $0.hasPrefix("\(command)\nid:1\n") } }
            if count("SUBSCRIBE") > count("UNSUBSCRIBE") { frames.append(try await second.confirmFrame()) }
            #expect(count("SUBSCRIBE") <= 1)
            #expect(count("UNSUBSCRIBE") == count("SUBSCRIBE"))
            #expect(frames.count { $0.hasPrefix("SUBSCRIBE\nid:2\n") } == 1)
            #expect(second.hasReceivedNothing)
            withExtendedLifetime(kept) {}
        }
    }

    private func withoutReceipts(_ body: (EpochRun, [STOMPSubscription]) async throws -> Void) async throws {
        var dialect = STOMPDialect.generic
        dialect.hasReceipts = false
        let chosen = dialect
        try await EpochRun.with { configuration in
            configuration.dialect = chosen
            configuration.sendWhileDisconnected = .enqueue(STOMPSendQueueLimits())
        } _: { (run) async throws in
            let first = try await run.session()
            let subscriptions = [
                try await run.client.subscribe(to: "/queue/a"), try await run.client.subscribe(to: "/queue/b"),
            ]
            for _ in subscriptions { #expect(try await first.receiveFrame().header("receipt") == nil) }
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            try await body(run, subscriptions)
        }
    }

    @Test("B-31 Where the broker gives no receipts none is asked for, and nothing waits for one")
    func noReceipts() async throws {
        try await self.withoutReceipts { (run, subscriptions) async throws in
            try await run.client.send("queued", to: "/queue/q")
            await run.pass(.seconds(1))
            let second = try await run.session()
            await run.untilConnected()
            for id in ["1", "2"] {
                let frame = try await second.receiveFrame()
                #expect(frame.hasPrefix("SUBSCRIBE\nid:\(id)\n"))
                #expect(frame.header("receipt") == nil)
            }
            #expect(try await second.receiveFrame().frameBody == "queued")
            for id in ["1", "2"] { try await second.deliver(id, to: id) }
            #expect(try await subscriptions[0].take(1)[0].text == "1")
            #expect(try await subscriptions[1].take(1)[0].text == "2")
            let send = { (receipt: STOMPReceipt) in
                await failure { try await run.client.send("x", to: "/queue/q", receipt: receipt) }?.code
            }
            #expect(await send(.required) == .notSupported)
            #expect(await send(.required(onLoss: .resend)) == .notSupported)
        }
    }

    /// Nothing tells then whether a subscription was taken, and so neither who is guilty.
    @Test("B-1 Without receipts an ERROR that names nobody is a loss: all are subscribed to again")
    func noSearch() async throws {
        try await self.withoutReceipts { (run, subscriptions) async throws in
            for delay in [1, 2, 4] {
                await run.pass(.seconds(delay))
                let peer = try await run.session()
                for _ in subscriptions { #expect(try await peer.receiveFrame().hasPrefix("SUBSCRIBE")) }
                try await peer.refuse()
            }
        }
    }

    @Test("B-2 A write fails while reading goes on: what comes in time still counts, then there is the next connection")
    func writeError() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(ack: .auto, at: first)
            try #require(run.client.current).outbox.fail(STOMPError(.connectionLost, "Writing failed."))
            try await first.deliver("a")
            #expect(try await subscription.take(1)[0].text == "a")
            await run.pass(.seconds(1))
            try await first.expectHangUp()
            #expect(await run.events(until: "disconnected connectionLost").last == "disconnected connectionLost")
            await run.pass(.seconds(1))
            let second = try await run.session()
            #expect(try await second.confirmFrame().hasPrefix("SUBSCRIBE\nid:1\n"))
            await run.untilConnected()
        }
    }

    @Test("B-32 An ERROR that comes after a failed write is the reason that is told")
    func writeErrorExplained() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            await run.untilConnected()
            try #require(run.client.current).outbox.fail(STOMPError(.connectionLost, "Writing failed."))
            try await first.refuse()
            await eventually { run.state == "waiting 1.0 serverError" }
        }
    }
}
