// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("The watchdog", .timeLimit(.minutes(5)))
struct WatchdogTests {
    private static let promised = "version:1.2\nheart-beat:10000,0\n"

    /// The only sleeper is the watchdog.
    private func nextVerdict(_ pair: ConnectedPair) async throws -> Duration? {
        try await pair.clock.waitForSleepers(1)
        return pair.clock.nextDeadline?.offset
    }

    @Test("S12-HB-10 a peer that is silent for tolerance times its interval counts as dead", arguments: [3.0, 1.5])
    func silence(tolerance: Double) async throws {
        try await ConnectedPair.with(
            connected: Self.promised,
            configuration: .with(\.heartBeat.tolerance, tolerance)
        ) { pair in
            #expect(try await self.nextVerdict(pair) == .seconds(10) * tolerance)
            pair.clock.advance(by: .seconds(10) * tolerance)
            let error = try await pair.end.value()
            #expect(error?.code == .heartBeatLost)
            #expect(error?.isRetriable == true)
            try await pair.peer.expectHangUp()
        }
    }

    @Test("The verdict reaches who waits: the receipt, the loop and later calls")
    func everybodyIsTold() async throws {
        try await ConnectedPair.with(
            connected: Self.promised,
            configuration: .with(\.receiptTimeout, .seconds(600))
        ) { pair in
            let subscription = try await pair.subscribe()
            let loop = Task { for try await _ in subscription {} }
            let sent = Task { try await pair.connection.send("a", to: "/q", receipt: .required) }
            _ = try await pair.peer.receiveFrame()
            await eventually { pair.clock.nextDeadline?.offset == .seconds(30) }
            pair.clock.advance(by: .seconds(30))
            #expect(try await pair.end.value()?.code == .heartBeatLost)
            for task in [loop, sent] {
                let error = await #expect(throws: STOMPError.self) { try await task.value }
                #expect(error?.code == .connectionLost)
                #expect((error?.cause as? STOMPError)?.code == .heartBeatLost)
            }
            let later = await #expect(throws: STOMPError.self) { try await pair.connection.send("b", to: "/q") }
            #expect(later?.code == .notConnected)
        }
    }

    @Test("S12-HB-9 any byte shows life: an EOL, and also a part of a frame", arguments: ["\n", "MESS", "\r\n"])
    func anyByte(bytes: String) async throws {
        try await ConnectedPair.with(connected: Self.promised) { pair in
            #expect(try await self.nextVerdict(pair) == .seconds(30))
            pair.clock.advance(by: .seconds(20))
            try await pair.deliver(bytes)
            pair.clock.advance(by: .seconds(10))
            #expect(try await self.nextVerdict(pair) == .seconds(50))
            pair.clock.advance(by: .seconds(20))
            #expect(try await pair.end.value()?.code == .heartBeatLost)
        }
    }

    @Test("Who wakes late has not listened: the peer gets a fresh window")
    func lateWake() async throws {
        try await ConnectedPair.with(connected: Self.promised) { (pair) async throws in
            #expect(try await self.nextVerdict(pair) == .seconds(30))
            pair.clock.advance(by: .seconds(41))
            #expect(try await self.nextVerdict(pair) == .seconds(71))
            pair.clock.advance(by: .seconds(30))
            #expect(try await pair.end.value()?.code == .heartBeatLost)
        }
    }

    /// A watchdog without a connection around it, so that nobody reads.
    private func withWatchdog(
        _ body: (Outbox, any ByteTransport, ManualClock, Task<STOMPError?, Never>) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        let (ours, theirs) = InMemoryPipe.makePair()
        let outbox = Outbox(transport: ours, time: TimeSource(clock), limit: 1_000)
        let liveness = Liveness(
            schedule: HeartBeatSchedule(outgoing: nil, incoming: .seconds(10)),
            tolerance: 3,
            outbox: outbox
        )
        let task = Task { await liveness.watch() }
        try await clock.waitForSleepers(1)
        try await body(outbox, theirs, clock, task)
        task.cancel()
        _ = await task.value
    }

    @Test("Unread bytes in the pipe give a fresh window: we were late, not the peer")
    func unreadBytes() async throws {
        try await self.withWatchdog { outbox, theirs, clock, task in
            _ = try [UInt8(10)].withUnsafeBytes { bytes throws(TransportError) in try theirs.write(bytes) }
            clock.advance(by: .seconds(30))
            try await clock.waitForSleepers(1)
            #expect(clock.nextDeadline?.offset == .seconds(60))
            var buffer = [UInt8](repeating: 0, count: 8)
            let outcome = try buffer.withUnsafeMutableBytes { bytes throws(TransportError) in
                try outbox.transport.read(into: bytes)
            }
            #expect(outcome == .bytes(1))
            clock.advance(by: .seconds(30))
            #expect(await task.value?.code == .heartBeatLost)
        }
    }

    @Test("So does a pause of reading")
    func paused() async throws {
        try await self.withWatchdog { outbox, _, clock, task in
            outbox.pause.isPaused.store(true, ordering: .sequentiallyConsistent)
            for step in 1...3 {
                clock.advance(by: .seconds(30))
                try await clock.waitForSleepers(1)
                #expect(clock.nextDeadline?.offset == .seconds(30 * (step + 1)))
            }
            outbox.pause.isPaused.store(false, ordering: .sequentiallyConsistent)
            clock.advance(by: .seconds(30))
            #expect(await task.value?.code == .heartBeatLost)
        }
    }

    @Test("Cancelled, it has no verdict")
    func cancelled() async throws {
        try await self.withWatchdog { _, _, _, task in
            task.cancel()
            #expect(await task.value?.code == nil)
        }
    }
}
