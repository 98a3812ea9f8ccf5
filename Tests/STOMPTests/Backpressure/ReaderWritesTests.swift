// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("The reader writes while there is much to read", .timeLimit(.minutes(5)))
struct ReaderWritesTests {
    /// Notes the size of each write, and takes what it is told to take.
    private final class NotingTransport: WriteOnlyTransport {
        private let state = Locked((writes: [Int](), room: Int.max))

        var writes: [Int] { self.state.withLock { $0.writes } }

        func take(atMost room: Int) {
            self.state.withLock { $0.room = room }
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
            let count = bytes.count
            return self.state.withLock { state in
                state.writes.append(count)
                return min(count, state.room)
            }
        }
    }

    private let transport = NotingTransport()
    private let outbox: Outbox

    init() {
        self.outbox = Outbox(transport: self.transport, time: TimeSource(ManualClock()), limit: 1_024 * 1_024)
    }

    private func send(_ byteCount: Int) throws {
        let body = [UInt8](repeating: 0x61, count: byteCount)
        let isSent = try body.withUnsafeBytes { bytes in
            try self.outbox.send(
                bytes,
                to: "/q",
                contentType: nil,
                headers: [:],
                isCounted: true,
                serializer: FrameSerializer(version: .v12)
            )
        }
        #expect(isSent)
    }

    private var pendingCount: Int { self.outbox.state.withLock { $0.pending.count } }

    @Test("What others append waits for the end of the turn, and goes out in one write")
    func turn() throws {
        self.outbox.beginReading()
        for _ in 0..<200 { try self.send(1_000) }
        self.outbox.flushUnlessReading()
        #expect(self.transport.writes.isEmpty)
        let waiting = self.pendingCount
        self.outbox.endTurn()
        #expect(self.transport.writes == [waiting])
        // A turn in which nobody has appended anything makes no system call.
        self.outbox.endTurn()
        #expect(self.transport.writes == [waiting])
    }

    @Test("No more than four times the usual amount waits for the reader")
    func threshold() throws {
        self.outbox.beginReading()
        while self.transport.writes.isEmpty { try self.send(10_000) }
        #expect(try #require(self.transport.writes.first) >= 4 * 64 * 1_024)
        #expect(try #require(self.transport.writes.first) < 4 * 64 * 1_024 + 11_000)
        #expect(self.pendingCount == 0)
    }

    @Test("A reader that goes to wait leaves nothing behind, and the writer is woken again")
    func end() async throws {
        self.outbox.beginReading()
        try self.send(10)
        self.outbox.endReading()
        #expect(self.transport.writes.count == 1)
        #expect(self.pendingCount == 0)
        try self.send(10)
        #expect(self.transport.writes.count == 1)
        // It has been told, else this would wait for ever.
        await self.outbox.ownerSignal.wait()
        self.outbox.flushUnlessReading()
        #expect(self.transport.writes.count == 2)
    }

    @Test("What a full socket has not taken is left to the writer, who waits for it")
    func fullSocket() async throws {
        self.transport.take(atMost: 1)
        try self.send(70_000)
        #expect(self.transport.writes.count == 1)
        await self.outbox.ownerSignal.wait()
        for _ in 0..<10 { try self.send(70_000) }
        self.outbox.beginReading()
        self.outbox.endTurn()
        self.outbox.endReading()
        #expect(self.transport.writes.count == 1)
        self.transport.take(atMost: .max)
        self.outbox.flush()
        #expect(self.transport.writes.count == 3)
        #expect(self.pendingCount == 0)
    }

    @Test("Acks that are made while the reader is busy all reach the broker")
    func acks() async throws {
        try await ConnectedPair.with(capacity: 4 * 1_024 * 1_024) { pair in
            let subscription = try await pair.subscribe(ack: .clientIndividual)
            let body = String(repeating: "x", count: 1_000)
            let count = 3_000
            async let acknowledged: Void = {
                var iterator = subscription.makeAsyncIterator()
                for _ in 0..<count { try await iterator.next()?.ack() }
            }()
            let messages = (0..<count).map { ConnectedPair.message(body, number: $0) }.joined()
            try await pair.peer.send(messages)
            for number in 0..<count {
                let frame = try await pair.peer.receiveFrame()
                #expect(frame == "ACK\nid:\(number)\n\n\0")
            }
            try await acknowledged
        }
    }
}
