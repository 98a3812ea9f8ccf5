// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Tasks that an idle connection does without", .timeLimit(.minutes(5)))
struct IdleTests {
    /// Takes nothing, and never says that it would.
    private final class FullTransport: WriteOnlyTransport {
        func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int { 0 }
    }

    private let clock: ManualClock
    private let outbox: Outbox

    init() {
        self.clock = ManualClock()
        self.outbox = Outbox(transport: FullTransport(), time: TimeSource(self.clock), limit: 1_000)
    }

    private func hasWriter(_ outbox: Outbox) -> Bool {
        outbox.hasWriter.load(ordering: .relaxed)
    }

    @Test("Cancelled after a write has failed, a connection ends when its reader has had its second, not later")
    func cancelledAfterFailedWrite() async throws {
        try await EpochRun.with { (run) async throws in
            let peer = try await run.session()
            await run.untilConnected()
            let connection = try #require(run.client.inner.withLock { $0.connection })
            connection.outbox.fail(STOMPError(.connectionLost, "A write has failed."))
            // The reader's second; then that of the connection that says goodbye.
            await eventually { run.clock.nextDeadline?.offset == run.clock.now.offset + .seconds(1) }
            run.cancel()
            await eventually { connection.outbox.state.withLock { !$0.phase.admits(.beginning) } }
            await run.pass(.seconds(1))
            #expect(try await run.end.value()?.code == .cancelled)
            withExtendedLifetime(peer) {}
        }
    }

    @Test("A connection without calls has no writer and nobody for deadlines; they come when they are needed")
    func idle() async throws {
        try await ConnectedPair.with(configuration: .with(\.receiptTimeout, .seconds(5))) { pair in
            let outbox = pair.outbox
            for _ in 0..<3 {
                #expect(!outbox.state.withLock { $0.isWatched })
                async let confirmed: Void = pair.connection.send("a", to: "/q", receipt: .required)
                try await pair.confirmFrame()
                try await confirmed
                // There until the deadline of the last call, since most calls are followed by others.
                try await pair.clock.waitForSleepers(1)
                #expect(outbox.state.withLock { $0.isWatched })
                pair.clock.advance(by: .seconds(5))
                await eventually { outbox.state.withLock { !$0.isWatched } }
                let late = Task { try await pair.connection.send("a", to: "/q", receipt: .required) }
                _ = try await pair.peer.receiveFrame()
                try await pair.clock.waitForSleepers(1)
                pair.clock.advance(by: .seconds(5))
                let error = await #expect(throws: STOMPError.self) { try await late.value }
                #expect(error?.code == .receiptTimedOut)
                await eventually { outbox.state.withLock { !$0.isWatched } }
            }
            // Whoever waits for a receipt writes for himself.
            #expect(!self.hasWriter(outbox))
            try await pair.connection.send("b", to: "/q")
            #expect(try await pair.peer.receiveFrame().frameBody == "b")
            #expect(self.hasWriter(outbox))
        }
    }

    @Test("The writer is wished once by whatever is left for it, and again after its end")
    func writer() async throws {
        #expect(!self.outbox.takeWishes().writer)
        try self.outbox.appendNow(STOMPFrame("X"), serializer: FrameSerializer(version: .v12))
        await self.outbox.ownerSignal.wait()
        #expect(self.outbox.takeWishes().writer)
        #expect(!self.outbox.takeWishes().writer)
        // From now on it is told itself.
        self.outbox.fail(.cancelled)
        await self.outbox.writerSignal.wait()
        #expect(!self.outbox.takeWishes().writer)
        self.outbox.endWriting()
        #expect(self.outbox.takeWishes().writer)
    }

    @Test("A failed write alone is a reason for the writer, who tells of it")
    func failure() async {
        self.outbox.fail(.cancelled)
        await self.outbox.ownerSignal.wait()
        #expect(self.outbox.takeWishes().writer)
    }

    @Test("Deadlines are watched once; an earlier one is told to who watches")
    func receipts() async {
        #expect(!self.outbox.takeWishes().receipts)
        for round in 0..<3 {
            self.outbox.watch(.seconds(9 * round + 9))
            await self.outbox.ownerSignal.wait()
            #expect(self.outbox.takeWishes().receipts)
            #expect(!self.outbox.takeWishes().receipts)
            self.outbox.watch(.seconds(9 * round + 5))
            await self.outbox.deadlineSignal.wait()
            #expect(!self.outbox.takeWishes().receipts)
            self.clock.advance(by: .seconds(9))
            // None is left.
            await self.outbox.runDeadlines()
        }
    }

    @Test("The watcher stays until the deadline that it was told of, so that not each call needs another one")
    func stays() async throws {
        self.outbox.watch(.seconds(9))
        #expect(self.outbox.takeWishes().receipts)
        // The receipt has come before.
        let watching = Task { await self.outbox.runDeadlines() }
        for _ in 0..<3 {
            try await self.clock.waitForSleepers(1)
            #expect(self.clock.nextDeadline?.offset == .seconds(9))
            self.outbox.watch(.seconds(11))
            #expect(!self.outbox.takeWishes().receipts)
        }
        self.clock.advance(by: .seconds(9))
        await watching.value
        self.outbox.watch(.seconds(11))
        #expect(self.outbox.takeWishes().receipts)
    }

    @Test("What a cancelled watcher leaves is watched by the next one")
    func cancelledWatcher() async {
        let waiter = Completion()
        _ = self.outbox.state.withLock { $0.receipts.register(waiter, deadline: .seconds(9)) }
        self.outbox.watch(.seconds(9))
        #expect(self.outbox.takeWishes().receipts)
        let watching = Task { await self.outbox.runDeadlines() }
        watching.cancel()
        await watching.value
        #expect(self.outbox.takeWishes().receipts)
    }

    @Test("A deadline that comes while the watcher ends is not lost, nor is its signal")
    func ending() async {
        for _ in 0..<2_000 {
            let outbox = Outbox(transport: FullTransport(), time: TimeSource(ManualClock()), limit: 1_000)
            outbox.watch(.zero)
            await outbox.ownerSignal.wait()
            #expect(outbox.takeWishes().receipts)
            await withTaskGroup(of: Void.self) { group in
                // Finds the call, or ends.
                group.addTask { await outbox.runDeadlines() }
                group.addTask {
                    _ = outbox.state.withLock { $0.receipts.register(Completion(), deadline: .zero) }
                    outbox.watch(.zero)
                }
            }
            while outbox.state.withLock({ $0.receipts.count }) > 0 {
                await outbox.ownerSignal.wait()
                if outbox.takeWishes().receipts { await outbox.runDeadlines() }
            }
        }
    }

    @Test("A beat leaves no buffer behind")
    func buffers() async throws {
        try await ConnectedPair.with(connected: "version:1.2\nheart-beat:0,10000\n") { pair in
            try await pair.connection.send("a", to: "/q", receipt: .none)
            _ = try await pair.peer.receiveFrame()
            try await pair.clock.waitForSleepers(1)
            pair.clock.advance(by: .seconds(5))
            #expect(try await pair.peer.receiveBytes(count: 1) == [10])
            try await pair.clock.waitForSleepers(1)
            let hasBuffers = pair.outbox.state.withLock { state in
                state.pending.bytes.baseAddress != nil || state.rest.bytes.baseAddress != nil
            }
            #expect(!hasBuffers)
        }
    }
}
