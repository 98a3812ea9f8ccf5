// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Transactions across connections", .timeLimit(.minutes(5)))
struct EpochTransactionTests {
    @Test("One whose connection is lost before COMMIT is lost: nothing of it goes to the next connection")
    func lost() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let transaction = try await run.client.begin()
            try await transaction.send("a", to: "/queue/q")
            for _ in 0..<2 { _ = try await first.receiveFrame() }
            let second = try await run.next(after: first)
            await run.untilConnected()
            #expect(await failure { try await transaction.send("b", to: "/queue/q") }?.code == .transactionLost)
            #expect(await failure { try await transaction.commit() }?.code == .transactionLost)
            try await transaction.abort()
            #expect(second.hasReceivedNothing)
        }
    }

    @Test("One whose connection is lost during COMMIT is in doubt, and never replayed")
    func inDoubt() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let calls = Locked(0)
            let work = Task {
                try await run.client.withTransaction { transaction in
                    calls.withLock { $0 += 1 }
                    try await transaction.send("a", to: "/queue/q")
                }
            }
            for command in ["BEGIN", "SEND", "COMMIT"] {
                #expect(try await first.receiveFrame().hasPrefix(command))
            }
            first.hangUp()
            #expect(await failure { try await work.value }?.code == .transactionInDoubt)
            await run.pass(.seconds(1))
            let second = try await run.session()
            await run.untilConnected()
            #expect(second.hasReceivedNothing)
            #expect(calls.withLock { $0 } == 1)
        }
    }

    @Test("A message of an earlier connection cannot be acknowledged in a later one's transaction")
    func staleMessage() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(at: first)
            try await first.deliver("a")
            let message = try await subscription.take(1)[0]
            let second = try await run.next(after: first)
            try await second.confirmFrame()
            let transaction = try await run.client.begin()
            #expect(await failure { try await transaction.ack(message) }?.code == .staleAcknowledgement)
            #expect(try await second.receiveFrame().hasPrefix("BEGIN"))
            async let aborted: Void = transaction.abort()
            #expect(try await second.confirmFrame().hasPrefix("ABORT"))
            try await aborted
        }
    }

    @Test("begin() waits for a connection")
    func begins() async throws {
        try await EpochRun.with { (run) async throws in
            try await run.session().hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            let begun = Task { try await run.client.begin(id: "t") }
            await eventually { run.client.inner.withLock { $0.waiters.count } == 1 }
            await run.pass(.seconds(1))
            let second = try await run.session()
            #expect(try await begun.value.id == "t")
            #expect(try await second.receiveFrame() == "BEGIN\ntransaction:t\n\n\0")
        }
    }
}
