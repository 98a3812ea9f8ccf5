// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Flushing", .timeLimit(.minutes(5)))
struct FlushTests {
    /// Takes all, and lets somebody append a frame during each write.
    private final class BusyTransport: WriteOnlyTransport {
        struct State {
            var writes: [String] = []
            var appendsLeft: Int
            var append: @Sendable () -> Void = {}
        }

        let state: Locked<State>

        init(appends: Int) {
            self.state = Locked(State(appendsLeft: appends))
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
            let text = String(decoding: bytes, as: UTF8.self)
            let append = self.state.withLock { state -> (@Sendable () -> Void)? in
                state.writes.append(text)
                guard state.appendsLeft > 0 else { return nil }
                state.appendsLeft -= 1
                return state.append
            }
            append?()
            return bytes.count
        }
    }

    @Test("A flush takes along what comes meanwhile, four times at most; the rest is the writer's")
    func rounds() async throws {
        let transport = BusyTransport(appends: 10)
        let outbox = Outbox(transport: transport, time: TimeSource(ManualClock()), limit: 1_000)
        let frame = STOMPFrame("X")
        let append: @Sendable () -> Void = { [weak outbox] in
            try? outbox?.appendNow(frame, serializer: FrameSerializer(version: .v12))
        }
        transport.state.withLock { $0.append = append }
        append()
        #expect(transport.state.withLock { $0.writes.count } == 4)
        #expect(outbox.state.withLock { $0.byteCount > 0 && !$0.isFlushing })
        // The writer has been told: it does not wait.
        await outbox.ownerSignal.wait()
        outbox.flush()
        #expect(transport.state.withLock { $0.writes.count } == 8)
        await outbox.ownerSignal.wait()
        outbox.flush()
        #expect(transport.state.withLock { $0.writes } == Array(repeating: "X\n\n\0", count: 11))
        #expect(outbox.state.withLock { $0.byteCount == 0 && !$0.isFlushing })
    }

    @Test("A call alone with its receipt writes at once; calls that went on together go out together")
    func receipts() async throws {
        let transport = BusyTransport(appends: 0)
        let outbox = Outbox(transport: transport, time: TimeSource(ManualClock()), limit: 1_000)
        func writes() -> [String] { transport.state.withLock { $0.writes } }
        func ask(_ count: Int) async -> Task<Void, any Error> {
            let task = Task {
                try await outbox.appendAwaitingReceipt(within: .seconds(9), roomWithin: .seconds(9)) { state, id in
                    state.pending.append(decimal: id)
                }
            }
            await eventually { outbox.state.withLock { $0.receipts.count == count && !$0.isFlushing } }
            return task
        }
        var tasks = [await ask(1)]
        await eventually { writes() == ["1"] }
        tasks.append(await ask(2))
        #expect(writes() == ["1"])
        outbox.flush()
        #expect(outbox.confirm([1, 2]).isEmpty)
        tasks.append(await ask(1))
        #expect(writes() == ["1", "2"])
        tasks.append(await ask(2))
        outbox.flush()
        #expect(writes() == ["1", "2", "34"])
        #expect(outbox.confirm([3]).isEmpty)
        #expect(outbox.confirm([4]).isEmpty)
        tasks.append(await ask(1))
        await eventually { writes() == ["1", "2", "34", "5"] }
        #expect(outbox.confirm([5]).isEmpty)
        for task in tasks { try await task.value }
    }

    // MARK: - Lost frames

    private func lost(_ pair: ConnectedPair) async throws -> Int {
        try await pair.event { event -> Int? in
            if case .framesLost(let count) = event { count } else { nil }
        }
    }

    private static let body = String(repeating: "x", count: 600)

    @Test("What was taken by a flush and what has come since count as lost, what was written does not")
    func lostFrames() async throws {
        try await ConnectedPair.with(capacity: 64) { pair in
            try await pair.connection.send(Self.body, to: "/read")
            #expect(try await pair.peer.receiveFrame().header("destination") == "/read")
            await eventually { pair.outbox.state.withLock { $0.byteCount == 0 && !$0.isFlushing } }
            #expect(pair.outbox.state.withLock { $0.pendingSendCount + $0.inFlightSendCount } == 0)
            try await pair.connection.send(Self.body, to: "/1")
            await eventually { pair.outbox.state.withLock { $0.inFlightSendCount } == 1 }
            for number in 2...4 { try await pair.connection.send(Self.body, to: STOMPDestination("/\(number)")) }
            #expect(pair.outbox.state.withLock { ($0.inFlightSendCount, $0.pendingSendCount) == (1, 3) })
            pair.peer.hangUp()
            #expect(try await self.lost(pair) == 4)
        }
    }

    @Test("A frame that waited for room counts once it is in the outbox, and one that still waits does not")
    func lostFramesThatWaited() async throws {
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 1_000)) { pair in
            for number in 1...2 { try await pair.connection.send(Self.body, to: STOMPDestination("/\(number)")) }
            let waiting = Task { try await pair.connection.send(Self.body, to: "/3") }
            await eventually { pair.outbox.state.withLock { $0.room.count } == 1 }
            #expect(try await pair.peer.receiveFrame().header("destination") == "/1")
            #expect(try await pair.peer.receiveFrame().header("destination") == "/2")
            try await waiting.value
            try await pair.connection.send(Self.body, to: "/4")
            let refused = Task { try await pair.connection.send(Self.body, to: "/5") }
            await eventually { pair.outbox.state.withLock { $0.room.count } == 1 }
            pair.peer.hangUp()
            #expect(await failure { try await refused.value }?.code == .notConnected)
            #expect(try await self.lost(pair) == 2)
        }
    }

    @Test("Nothing is lost, and no event says so, when all was written")
    func nothingLost() async throws {
        try await ConnectedPair.with { pair in
            for number in 1...3 {
                try await pair.connection.send(Self.body, to: STOMPDestination("/\(number)"))
                _ = try await pair.peer.receiveFrame()
            }
            await eventually { pair.outbox.state.withLock { $0.byteCount == 0 && !$0.isFlushing } }
            #expect(pair.outbox.close(STOMPError(.connectionLost, "")) == 0)
            // A second end finds nothing.
            #expect(pair.outbox.close(STOMPError(.connectionLost, "")) == 0)
        }
    }
}
