// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("What a long life leaves behind", .timeLimit(.minutes(5)))
struct LongLifeTests {
    @Test("B-8 B-33 After many connections nothing is left of them: no waiter, no ticket, no sleeper, no connection")
    func nothingIsLeft() async throws {
        try await EpochRun.with { configuration in
            configuration.reconnect = STOMPReconnectPolicy(.fixed(.seconds(1)))
        } _: { (run) async throws in
            var outboxes: [Remains] = []
            var peer = try await run.session()
            let subscription = try await run.subscribe(at: peer)
            for round in 0..<50 {
                await run.untilConnected()
                outboxes.append(Remains(connection: run.client.current, outbox: run.client.current?.outbox))
                let calls = [
                    Task { try await run.client.send("x", to: "/queue/q", receipt: .required) },
                    Task { try await run.client.send("y", to: "/queue/q", receipt: .required(onLoss: .resend)) },
                    Task { _ = try await run.client.subscribe(to: "/queue/dropped", id: "d") },
                ]
                for _ in calls { _ = try await peer.receiveFrame() }
                if round.isMultiple(of: 2) { calls[1].cancel() }
                peer.hangUp()
                calls[2].cancel()
                await eventually { run.state.hasPrefix("waiting") }
                await run.pass(.seconds(1))
                peer = try await run.session()
                for _ in 0..<(round.isMultiple(of: 2) ? 1 : 2) { try await peer.confirmFrame() }
                for call in calls { _ = await call.result }
            }
            await run.untilConnected()
            #expect(run.client.inner.withLock { $0.waiters.isEmpty && $0.resends.isEmpty && $0.queue.isEmpty })
            #expect(run.client.current?.outbox.outstandingReceiptCount == 0)
            await eventually { outboxes.allSatisfy { $0.connection == nil } }
            // Of the subscription's last message's connection the outbox is kept; there was no message.
            await eventually { outboxes.allSatisfy { $0.outbox == nil } }
            // The task that watches the present connection's receipts.
            await eventually { run.clock.sleeperCount <= 1 }
            withExtendedLifetime(subscription) {}
        }
    }

    private struct Remains {
        weak var connection: STOMPConnection?
        weak var outbox: Outbox?
    }
}
