// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("The outbox's limit", .timeLimit(.minutes(5)))
struct OutboxTests {
    private static let body = String(repeating: "x", count: 600)

    /// A peer that does not read, and an outbox that two sends have filled.
    private func withFullOutbox(_ body: (ConnectedPair) async throws -> Void) async throws {
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 1_000)) { pair in
            for number in 1...2 { try await pair.connection.send(Self.body, to: STOMPDestination("/\(number)")) }
            try await body(pair)
        }
    }

    private func waitForRoomWaiter(_ pair: ConnectedPair) async {
        await eventually { pair.outbox.state.withLock { $0.room.count } == 1 }
    }

    private func expectFrames(_ count: Int, _ pair: ConnectedPair) async throws {
        for number in 1...count {
            let frame = try await pair.peer.receiveFrame()
            #expect(frame.header("destination") == "/\(number)")
            #expect(frame.frameBody == Self.body)
        }
    }

    @Test("A send waits for room and goes on when the peer reads")
    func waits() async throws {
        try await self.withFullOutbox { pair in
            async let third: Void = pair.connection.send(Self.body, to: "/3")
            await self.waitForRoomWaiter(pair)
            try await self.expectFrames(3, pair)
            try await third
        }
    }

    @Test("At its deadline it throws .outboxFull, and nothing of it is written", arguments: [false, true])
    func deadline(wantsReceipt: Bool) async throws {
        try await self.withFullOutbox { pair in
            let receipt: STOMPReceipt = wantsReceipt ? .required : .none
            async let late: Void = pair.connection.send("late", to: "/late", receipt: receipt)
            await self.waitForRoomWaiter(pair)
            // Who watches the deadlines may look once more before it sleeps for good.
            await eventually { pair.clock.nextDeadline?.offset == .seconds(30) }
            pair.clock.advance(by: .milliseconds(29_999))
            await eventually { pair.clock.nextDeadline?.offset == .seconds(30) }
            #expect(pair.outbox.state.withLock { $0.room.count } == 1)
            pair.clock.advance(by: .milliseconds(1))
            do {
                try await late
                Issue.record("There was no room.")
            } catch let error as STOMPError {
                #expect(error.code == .outboxFull)
                #expect(error.isRetriable)
            }
            try await self.expectFrames(2, pair)
            #expect(pair.peer.hasReceivedNothing)
            // And then there is room again.
            try await pair.connection.send("x", to: "/3")
            #expect(try await pair.peer.receiveFrame().header("destination") == "/3")
        }
    }

    @Test("Cancelled while it waits, it is not sent")
    func cancelled() async throws {
        try await self.withFullOutbox { pair in
            let task = Task { try await pair.connection.send("late", to: "/late") }
            await self.waitForRoomWaiter(pair)
            task.cancel()
            let error = await #expect(throws: STOMPError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(pair.outbox.state.withLock { $0.room.isEmpty })
            try await self.expectFrames(2, pair)
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    @Test("When the connection ends, who waits for room is told that nothing was sent")
    func connectionEnds() async throws {
        try await self.withFullOutbox { pair in
            let task = Task { try await pair.connection.send("late", to: "/late") }
            await self.waitForRoomWaiter(pair)
            pair.peer.hangUp()
            let error = await #expect(throws: STOMPError.self) { try await task.value }
            #expect(error?.code == .notConnected)
            let lost = try await pair.event { event -> Int? in
                if case .framesLost(let count) = event { count } else { nil }
            }
            #expect(lost == 2)
        }
    }

    @Test("A frame larger than the limit is taken when nothing else waits")
    func largerThanTheLimit() async throws {
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 100)) { pair in
            let large = String(repeating: "y", count: 10_000)
            try await pair.connection.send(large, to: "/1")
            async let second: Void = pair.connection.send("small", to: "/2")
            await self.waitForRoomWaiter(pair)
            #expect(try await pair.peer.receiveFrame().frameBody == large)
            #expect(try await pair.peer.receiveFrame().frameBody == "small")
            try await second
        }
    }

    @Test(
        "50 tasks send at once, by short writes: each one's messages keep their order and no frame is torn",
        arguments: [7, 100, 4_096]
    )
    func manySenders(capacity: Int) async throws {
        let (senders, count) = (50, 20)
        try await ConnectedPair.with(capacity: capacity, configuration: .with(\.outboxLimit, 700)) { pair in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<senders {
                    group.addTask {
                        let destination = STOMPDestination("/\(sender)")
                        for number in 0..<count { try await pair.connection.send("\(number)", to: destination) }
                    }
                }
                var next: [String: Int] = [:]
                for _ in 0..<senders * count {
                    let frame = try await pair.peer.receiveFrame()
                    let destination = try #require(frame.header("destination"))
                    let number = next[destination, default: 0]
                    next[destination] = number + 1
                    try #require(
                        frame
                            == "SEND\ndestination:\(destination)\ncontent-type:text/plain\n"
                            + "content-length:\(String(number).count)\n\n\(number)\0"
                    )
                }
                try await group.waitForAll()
                #expect(pair.peer.hasReceivedNothing)
            }
        }
    }

    @Test("However many send, the outbox holds at most its limit and one frame")
    func bounded() async throws {
        let size = 5_000
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 1_000)) { pair in
            let body = String(repeating: "z", count: size)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await pair.connection.send(body, to: "/q") }
                }
                for _ in 0..<20 {
                    #expect(pair.outbox.state.withLock { $0.byteCount } <= 1_000 + size + 100)
                    #expect(try await pair.peer.receiveFrame().frameBody == body)
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A send that is cancelled at any time is sent whole or not at all")
    func cancelledAtAnyTime() async throws {
        try await ConnectedPair.with(capacity: 7, configuration: .with(\.outboxLimit, 100)) { pair in
            let succeeded = Shared(Set<String>())
            let reader = Task {
                var bodies: [String] = []
                while bodies.last != "end" { bodies.append(try await pair.peer.receiveFrame().frameBody) }
                return bodies
            }
            for number in 0..<500 {
                let send = Task {
                    try await pair.connection.send("\(number)", to: "/q")
                    succeeded.withLock { _ = $0.insert("\(number)") }
                }
                for _ in 0..<number % 5 { await Task.yield() }
                send.cancel()
                _ = await send.result
            }
            try await pair.connection.send("end", to: "/q")
            let bodies = try await reader.value.dropLast()
            #expect(Set(bodies) == succeeded.withLock { $0 })
            #expect(bodies.count == Set(bodies).count)
        }
    }

    /// Five seconds pass, in which the peer has beaten.
    private func fiveSeconds(_ pair: ConnectedPair) async throws {
        try await pair.deliver("\n")
        pair.clock.advance(by: .seconds(5))
    }

    @Test("A peer that beats and never reads: each call ends at its own deadline, and the connection with them")
    func neverReads() async throws {
        try await ConnectedPair.with(
            connected: "version:1.2\nheart-beat:10000,0\n",
            capacity: 64,
            configuration: .with(\.outboxLimit, 500)
        ) { pair in
            let subscription = try await pair.subscribe()
            let confirmed = Task { try await pair.connection.send(Self.body, to: "/1", receipt: .required) }
            await eventually { pair.outbox.state.withLock { $0.receipts.count } == 1 }
            let sent = Task { try await pair.connection.send(Self.body, to: "/2") }
            await self.waitForRoomWaiter(pair)
            for _ in 0..<6 { try await self.fiveSeconds(pair) }
            #expect(await #expect(throws: STOMPError.self) { try await confirmed.value }?.code == .receiptTimedOut)
            #expect(await #expect(throws: STOMPError.self) { try await sent.value }?.code == .outboxFull)

            let unsubscribed = Task { try await subscription.unsubscribe() }
            await eventually { pair.outbox.state.withLock { $0.receipts.count } == 1 }
            try await self.fiveSeconds(pair)
            #expect(await #expect(throws: STOMPError.self) { try await unsubscribed.value }?.code == .receiptTimedOut)

            let disconnected = Task { await pair.connection.disconnect() }
            await eventually { pair.outbox.state.withLock { $0.receipts.count } == 1 }
            try await self.fiveSeconds(pair)
            await disconnected.value
            #expect(try await pair.end.value()?.code == nil)
        }
    }
}
