// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Sockets that take a part, and senders that stop", .timeLimit(.minutes(5)))
struct ShortWriteTests {
    /// Takes as much of each write as chance will have it, often nothing.
    private final class StingyTransport: WriteOnlyTransport {
        private struct State {
            var written: [UInt8] = []
            var isInside = false
            var random: SeededChance
        }

        private let state: Locked<State>
        private let most: Int

        init(seed: UInt64, most: Int) {
            self.state = Locked(State(random: SeededChance(seed: seed)))
            self.most = most
        }

        var written: [UInt8] { self.state.withLock { $0.written } }

        func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
            let all = Array(bytes)
            let wasInside = self.state.withLock { state in
                defer { state.isInside = true }
                return state.isInside
            }
            #expect(!wasInside, "Two write at once.")
            #expect(!all.isEmpty)
            return self.state.withLock { state in
                state.isInside = false
                let count = min(all.count, max(0, Int.random(in: -self.most / 2...self.most, using: &state.random)))
                state.written += all[..<count]
                return count
            }
        }
    }

    private func send(_ text: String, by outbox: Outbox) throws -> Bool {
        var text = text
        return try text.withUTF8 { bytes in
            try outbox.send(
                UnsafeRawBufferPointer(bytes),
                to: "/q",
                contentType: nil,
                headers: [:],
                isCounted: true,
                serializer: FrameSerializer(version: .v12)
            )
        }
    }

    private func frame(_ text: String) -> String {
        "SEND\ndestination:/q\ncontent-length:\(text.utf8.count)\n\n\(text)\0"
    }

    @Test("Whatever the socket takes, each byte is written once and in order", arguments: 1...12)
    func parts(seed: UInt64) throws {
        var random = SeededChance(seed: seed)
        let transport = StingyTransport(seed: seed, most: [1, 7, 100, 70_000][Int(seed % 4)])
        let outbox = Outbox(transport: transport, time: TimeSource(ManualClock()), limit: 400_000)
        var expected = ""
        for number in 0..<300 {
            let text =
                "\(number)"
                + String(repeating: "z", count: Int.random(in: 0...(number % 10 == 0 ? 5_000 : 50), using: &random))
            if try self.send(text, by: outbox) { expected += self.frame(text) }
            if Int.random(in: 0..<3, using: &random) == 0 { outbox.flush() }
            let (pending, inFlight) = outbox.state.withLock { ($0.pending.count, $0.inFlightCount) }
            #expect(transport.written.count + pending + inFlight == expected.utf8.count)
        }
        while outbox.state.withLock({ $0.byteCount > 0 }) { outbox.flush() }
        #expect(transport.written == Array(expected.utf8))
        #expect(outbox.state.withLock { $0.pendingSendCount + $0.inFlightSendCount } == 0)
    }

    @Test("Several senders and a writer: one writes at a time, and no frame is torn", arguments: 1...4)
    func severalSenders(seed: UInt64) async throws {
        let transport = StingyTransport(seed: seed, most: [50, 1_000, 70_000, 300_000][Int(seed % 4)])
        let outbox = Outbox(transport: transport, time: TimeSource(ManualClock()), limit: 200_000)
        let (senders, count) = (4, 150)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<senders {
                group.addTask {
                    for number in 0..<count {
                        let text = "\(sender) \(number) " + String(repeating: "z", count: 3_000)
                        while try !self.send(text, by: outbox) {
                            outbox.flush()
                            await Task.yield()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        while outbox.state.withLock({ $0.byteCount > 0 }) { outbox.flush() }
        var next = Array(repeating: 0, count: senders)
        let frames = transport.written.split(separator: 0)
        #expect(frames.count == senders * count)
        for bytes in frames {
            let body = (String(decoding: bytes, as: UTF8.self) + "\0").frameBody
            let words = body.split(separator: " ")
            let (sender, number) = (Int(words[0]) ?? 0, Int(words[1]))
            #expect(number == next[sender] && body.utf8.count > 3_000)
            next[sender] += 1
        }
    }

    // MARK: - Senders that stop

    private func expectFrames(_ range: Range<Int>, size: Int, _ peer: ScriptedPeer.Connection) async throws {
        for number in range {
            let frame = try await peer.receiveFrame()
            try #require(frame.frameBody.hasPrefix("\(number) "))
            try #require(frame.frameBody.utf8.count >= size)
        }
    }

    /// Sends runs of frames, and waits after each until the peer has all of it: with no call of ours that could help.
    private func sendAndStop(_ connection: STOMPConnection, _ peer: ScriptedPeer.Connection) async throws {
        var sent = 0
        for round in 0..<40 {
            let size = [0, 10, 900, 5_000][round % 4]
            let count = [1, 2, 3, 30, 90][round % 5]
            let first = sent
            async let received: Void = self.expectFrames(first..<first + count, size: size, peer)
            let filler = String(repeating: "x", count: size)
            for number in first..<first + count {
                try await connection.send("\(number) \(filler)", to: "/q")
                if round % 7 == 0 { await Task.yield() }
            }
            sent += count
            try await received
        }
        await eventually { connection.outbox.state.withLock { $0.byteCount == 0 } }
    }

    @Test(
        "What a sender leaves behind is written without a further call, in memory",
        arguments: [100, 64 * 1024, 1 << 20]
    )
    func inMemory(capacity: Int) async throws {
        try await ConnectedPair.with(capacity: capacity) { pair in
            try await self.sendAndStop(pair.connection, pair.peer)
        }
    }

    @Test("What a sender leaves behind is written without a further call, over TCP")
    func overTCP() async throws {
        try await self.withTCP { connection, peer in try await self.sendAndStop(connection, peer) }
    }

    @Test("Senders that stop at different times, over TCP: all of them")
    func severalStop() async throws {
        try await self.withTCP { connection, peer in
            for round in 0..<40 {
                let senders = 1 + round % 4
                let counts = (0..<senders).map { 1 + ($0 * 37 + round * 11) % 60 }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for count in counts {
                        group.addTask {
                            for _ in 0..<count {
                                try await connection.send(String(repeating: "x", count: 1_500), to: "/q")
                            }
                        }
                    }
                    for _ in 0..<counts.reduce(0, +) {
                        #expect(try await peer.receiveFrame().frameBody.utf8.count == 1_500)
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    private func withTCP(_ body: (STOMPConnection, ScriptedPeer.Connection) async throws -> Void) async throws {
        let clock = ManualClock()
        let listener = try TCPListener.bind()
        defer { listener.close() }
        async let opened = STOMPConnection.open(
            to: STOMPServer(.tcp("127.0.0.1", port: listener.port)),
            configuration: .with(\.clock, clock),
            time: TimeSource(clock),
            events: EventHub()
        )
        let peer = ScriptedPeer.Connection(try await listener.accept())
        _ = try await peer.receiveFrame()
        try await peer.send("CONNECTED\nversion:1.2\n\n\0")
        let connection = try await opened
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await connection.run() }
            defer { peer.hangUp() }
            try await body(connection, peer)
            peer.hangUp()
            try await group.waitForAll()
        }
    }
}
