// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Our heart-beats", .timeLimit(.minutes(5)))
struct HeartBeatTests {
    private static let promised = "version:1.2\nheart-beat:0,10000\n"

    /// The only sleeper is the heart-beat.
    private func beat(_ pair: ConnectedPair, after duration: Duration = .seconds(5)) async throws {
        try await pair.clock.waitForSleepers(1)
        pair.clock.advance(by: duration)
        try await pair.clock.waitForSleepers(1)
    }

    @Test("S12-HB-8 an idle connection sends one EOL after half of the promised interval, and again")
    func idle() async throws {
        try await ConnectedPair.with(connected: Self.promised) { pair in
            for _ in 0..<4 {
                try await self.beat(pair, after: .milliseconds(4_999))
                #expect(pair.peer.hasReceivedNothing)
                try await self.beat(pair, after: .milliseconds(1))
                #expect(try await pair.peer.receiveBytes(count: 1) == [10])
                #expect(pair.peer.hasReceivedNothing)
            }
        }
    }

    @Test("S11-HB-7 an idle connection of 1.1 sends one LF")
    func idleIn11() async throws {
        try await ConnectedPair.with(connected: "version:1.1\nheart-beat:0,20000\n") { pair in
            try await self.beat(pair, after: .seconds(10))
            #expect(try await pair.peer.receiveBytes(count: 1) == [10])
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    @Test("S12-HB-6 a frame is as good as a beat")
    func framesCount() async throws {
        try await ConnectedPair.with(connected: Self.promised) { pair in
            try await self.beat(pair, after: .seconds(4))
            try await pair.connection.send("a", to: "/q")
            _ = try await pair.peer.receiveFrame()
            await eventually { pair.outbox.lastWrite.load(ordering: .relaxed) == 4_000_000_000 }
            try await self.beat(pair, after: .seconds(1))
            #expect(pair.peer.hasReceivedNothing)
            #expect(pair.clock.nextDeadline?.offset == .seconds(9))
            try await self.beat(pair, after: .seconds(4))
            #expect(try await pair.peer.receiveBytes(count: 1) == [10])
        }
    }

    @Test("S12-HB-13 no beat inside a frame, and none while a frame waits")
    func neverInsideAFrame() async throws {
        try await ConnectedPair.with(connected: Self.promised, capacity: 64) { pair in
            let body = String(repeating: "x", count: 1_000)
            try await pair.connection.send(body, to: "/q")
            for _ in 0..<5 { try await self.beat(pair) }
            try await pair.connection.send("second", to: "/q")
            for _ in 0..<5 { try await self.beat(pair) }
            #expect(try await pair.peer.receiveFrame().frameBody == body)
            try await pair.peer.expect("SEND\ndestination:/q\ncontent-type:text/plain\ncontent-length:6\n\nsecond\0")
            await eventually { pair.outbox.state.withLock { $0.byteCount == 0 && !$0.isFlushing } }
            #expect(pair.peer.hasReceivedNothing)
            try await self.beat(pair)
            #expect(try await pair.peer.receiveBytes(count: 1) == [10])
        }
    }

    @Test("Beats do not pile up in front of a peer that does not read")
    func doNotPileUp() async throws {
        let frame = "SEND\ndestination:/q\n\nbody\0"
        try await ConnectedPair.with(connected: Self.promised, capacity: 80) { pair in
            let padding = String(repeating: "x", count: 80 - frame.utf8.count)
            try await pair.connection.send("body" + padding, to: "/q", contentType: nil, contentLength: .omitted)
            await eventually { pair.outbox.state.withLock { $0.byteCount == 0 && !$0.isFlushing } }
            for _ in 0..<10 { try await self.beat(pair) }
            #expect(pair.outbox.state.withLock { $0.byteCount } == 1)
            #expect(try await pair.peer.receiveFrame().utf8.count == 80)
            try await pair.peer.expect("\n")
            await eventually { pair.outbox.state.withLock { $0.byteCount == 0 && !$0.isFlushing } }
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    @Test("None in 1.0, whatever the headers say")
    func noneIn10() async throws {
        try await ConnectedPair.with(connected: "version:1.0\nheart-beat:10000,10000\n") { pair in
            #expect(!pair.connection.liveness.sendsBeats)
            #expect(!pair.connection.liveness.expectsBeats)
            try await self.expectSilence(pair)
        }
    }

    @Test("None in 1.0 if the keep-alive interval is zero, and no busy loop")
    func zeroKeepAlive() async throws {
        try await ConnectedPair.with(connected: "", configuration: .with(\.heartBeat.legacyKeepAlive, .zero)) { pair in
            #expect(!pair.connection.liveness.sendsBeats)
            try await self.expectSilence(pair)
        }
    }

    @Test("In 1.0 when told so, for brokers that expect it")
    func legacyKeepAlive() async throws {
        try await ConnectedPair.with(connected: "", configuration: .with(\.heartBeat.legacyKeepAlive, .seconds(4))) {
            pair in
            #expect(pair.connection.session.version == .v10)
            try await self.beat(pair, after: .seconds(2))
            #expect(try await pair.peer.receiveBytes(count: 1) == [10])
        }
    }

    @Test(
        "None if either side says zero; nobody sleeps, nobody spins",
        arguments: ["heart-beat:0,0\n", "", "heart-beat:0,0\nheart-beat:5,5\n"]
    )
    func none(header: String) async throws {
        try await ConnectedPair.with(connected: "version:1.2\n" + header) { pair in
            #expect(!pair.connection.liveness.sendsBeats)
            #expect(!pair.connection.liveness.expectsBeats)
            try await self.expectSilence(pair)
        }
    }

    @Test("None if we offer none")
    func noneOffered() async throws {
        try await ConnectedPair.with(
            connected: "version:1.2\nheart-beat:10000,10000\n",
            configuration: .with(\.heartBeat, .none)
        ) { pair in
            try await self.expectSilence(pair)
        }
    }

    private func expectSilence(_ pair: ConnectedPair) async throws {
        // The round trip shows that the connection's tasks run.
        async let confirmed: Void = pair.connection.send("a", to: "/q", receipt: .required)
        try await pair.confirmFrame()
        try await confirmed
        pair.clock.advance(by: .seconds(1_000))
        async let again: Void = pair.connection.send("a", to: "/q", receipt: .required)
        try await pair.peer.expect("SEND\n")
        try await pair.confirmFrame()
        try await again
        #expect(pair.peer.hasReceivedNothing)
    }

    @Test("None after DISCONNECT")
    func noneAfterDisconnect() async throws {
        try await ConnectedPair.with(
            connected: Self.promised,
            configuration: .with(\.shutdownTimeout, .seconds(600))
        ) { pair in
            try await pair.clock.waitForSleepers(1)
            async let disconnected: Void = pair.connection.disconnect()
            let frame = try await pair.peer.receiveFrame()
            #expect(frame.hasPrefix("DISCONNECT\n"))
            // The heart-beat's, not one of those of the goodbye.
            for step in 1...5 {
                await eventually { pair.clock.nextDeadline?.offset == .seconds(5 * step) }
                pair.clock.advance(by: .seconds(5))
            }
            await eventually { pair.clock.nextDeadline?.offset == .seconds(30) }
            #expect(pair.peer.hasReceivedNothing)
            try await pair.peer.send("RECEIPT\nreceipt-id:\(frame.header("receipt") ?? "")\n\n\0")
            await disconnected
            #expect(try await pair.end.value()?.code == nil)
        }
    }
}
