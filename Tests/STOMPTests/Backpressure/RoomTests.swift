// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Waiting for room in the outbox is fair", .timeLimit(.minutes(5)))
struct RoomTests {
    private static let body = String(repeating: "x", count: 600)

    /// A peer that does not read, and an outbox that two sends have filled beyond its 1,000 bytes.
    private func withFullOutbox(_ body: (ConnectedPair) async throws -> Void) async throws {
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 1_000)) { pair in
            for number in 1...2 { try await pair.connection.send(Self.body, to: STOMPDestination("/\(number)")) }
            try await body(pair)
        }
    }

    /// Starts a call and returns when it waits for room, behind those that wait already.
    private func queued(
        _ pair: ConnectedPair,
        _ call: @escaping @Sendable (STOMPConnection) async throws -> Void
    ) async -> Task<Void, any Error> {
        let count = pair.outbox.state.withLock { $0.room.count }
        let connection = pair.connection
        let task = Task { try await call(connection) }
        await eventually { pair.outbox.state.withLock { $0.room.count } == count + 1 }
        return task
    }

    private func queuedSend(_ pair: ConnectedPair, _ number: Int) async -> Task<Void, any Error> {
        await self.queued(pair) { try await $0.send(Self.body, to: STOMPDestination("/\(number)")) }
    }

    private func expectFrames(_ numbers: [Int], _ pair: ConnectedPair) async throws {
        for number in numbers {
            #expect(try await pair.peer.receiveFrame().header("destination") == "/\(number)")
        }
    }

    private func code(_ task: Task<Void, any Error>) async -> STOMPError.Code? {
        await failure { try await task.value }?.code
    }

    @Test("Who waits is served in the order of coming")
    func firstInFirstOut() async throws {
        try await self.withFullOutbox { pair in
            var tasks: [Task<Void, any Error>] = []
            for number in 3...30 { tasks.append(await self.queuedSend(pair, number)) }
            try await self.expectFrames(Array(1...30), pair)
            for task in tasks { try await task.value }
        }
    }

    @Test("A newcomer that finds room queues behind those who wait", arguments: [STOMPReceipt.none, .required])
    func newcomer(receipt: STOMPReceipt) async throws {
        try await self.withFullOutbox { pair in
            let first = await self.queuedSend(pair, 3)
            // Less than the limit is left, but more than half of it.
            try await self.expectFrames([1], pair)
            #expect(pair.outbox.state.withLock { $0.byteCount } < 1_000)
            let second = await self.queued(pair) { try await $0.send(Self.body, to: "/4", receipt: receipt) }
            try await self.expectFrames([2, 3], pair)
            #expect(try await pair.confirmFrame().header("destination") == "/4")
            try await first.value
            try await second.value
        }
    }

    @Test("10,000 wait, and each is served once")
    func many() async throws {
        let count = 10_000
        try await self.withFullOutbox { pair in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 3..<count { group.addTask { try await pair.connection.send("\(number)", to: "/many") } }
                await eventually { pair.outbox.state.withLock { $0.room.count } == count - 3 }
                try await self.expectFrames([1, 2], pair)
                var bodies = Set<String>()
                for _ in 3..<count { bodies.insert(try await pair.peer.receiveFrame().frameBody) }
                #expect(bodies.count == count - 3)
                try await group.waitForAll()
            }
        }
    }

    @Test("Who is cancelled or fails leaves the queue, and the others go on in order")
    func leaving() async throws {
        try await self.withFullOutbox { pair in
            let front = await self.queuedSend(pair, 3)
            let second = await self.queuedSend(pair, 4)
            let middle = await self.queuedSend(pair, 5)
            let bad = await self.queued(pair) { try await $0.send("", to: "/bad", headers: ["receipt": "mine"]) }
            let last = await self.queuedSend(pair, 6)
            front.cancel()
            middle.cancel()
            #expect(await self.code(front) == .cancelled)
            #expect(await self.code(middle) == .cancelled)
            #expect(pair.outbox.state.withLock { $0.room.count } == 3)
            try await self.expectFrames([1, 2, 4, 6], pair)
            #expect(await self.code(bad) == .invalidArgument)
            try await second.value
            try await last.value
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    @Test("A frame of a transaction that was ended before there was room is not sent")
    func transactionEnded() async throws {
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 1_000)) { pair in
            let transaction = try await pair.connection.begin(id: "t")
            for number in 1...2 { try await pair.connection.send(Self.body, to: STOMPDestination("/\(number)")) }
            let late = await self.queued(pair) { _ in try await transaction.send("late", to: "/late") }
            let aborted = Task { try await transaction.abort() }
            await eventually { pair.outbox.state.withLock { $0.receipts.count } == 1 }
            let last = await self.queuedSend(pair, 3)
            #expect(try await pair.peer.receiveFrame().hasPrefix("BEGIN"))
            try await self.expectFrames([1, 2], pair)
            #expect(try await pair.confirmFrame().hasPrefix("ABORT"))
            try await self.expectFrames([3], pair)
            #expect(await self.code(late) == .transactionEnded)
            try await aborted.value
            try await last.value
        }
    }

    @Test("Each deadline takes its own call out of the queue")
    func deadlines() async throws {
        try await self.withFullOutbox { pair in
            let early = await self.queuedSend(pair, 3)
            pair.clock.advance(by: .seconds(10))
            let late = await self.queuedSend(pair, 4)
            pair.clock.advance(by: .seconds(20))
            #expect(await self.code(early) == .outboxFull)
            #expect(pair.outbox.state.withLock { $0.room.count } == 1)
            try await self.expectFrames([1, 2, 4], pair)
            try await late.value
        }
    }

    @Test("The end of the connection answers all who wait")
    func connectionEnds() async throws {
        try await self.withFullOutbox { pair in
            var tasks: [Task<Void, any Error>] = []
            for number in 3...20 { tasks.append(await self.queuedSend(pair, number)) }
            tasks.append(await self.queued(pair) { try await $0.send("", to: "/r", receipt: .required) })
            tasks.append(await self.queued(pair) { _ = try await $0.begin() })
            tasks.append(await self.queued(pair) { _ = try await $0.subscribe(to: "/q") })
            pair.peer.hangUp()
            for task in tasks { #expect(await self.code(task) == .notConnected) }
            #expect(pair.outbox.state.withLock { $0.room.isEmpty })
        }
    }

    @Test("The limit of a receipt's wait begins when its frame is in the outbox")
    func receiptDeadline() async throws {
        try await self.withFullOutbox { pair in
            let sent = await self.queued(pair) {
                try await $0.send("", to: "/3", receipt: .required(within: .seconds(4)))
            }
            pair.clock.advance(by: .seconds(29))
            try await self.expectFrames([1, 2, 3], pair)
            #expect(pair.outbox.state.withLock { $0.receipts.nextDeadline } == .seconds(33))
            pair.clock.advance(by: .seconds(4))
            #expect(await self.code(sent) == .receiptTimedOut)
        }
    }

    @Test("An outbox of no size still takes one frame at a time", arguments: [0, -1])
    func noLimit(limit: Int) async throws {
        try await ConnectedPair.with(configuration: .with(\.outboxLimit, limit)) { pair in
            for number in 1...3 {
                async let sent: Void = pair.connection.send("", to: STOMPDestination("/\(number)"))
                try await self.expectFrames([number], pair)
                try await sent
            }
        }
    }

    @Test("An id that is made for a transaction is none that a user has begun meanwhile")
    func transactionIDs() async throws {
        try await self.withFullOutbox { pair in
            let theirs = await self.queued(pair) { _ = try await $0.begin(id: "tx-1") }
            let ours = await self.queued(pair) { _ = try await $0.begin() }
            try await self.expectFrames([1, 2], pair)
            #expect(try await pair.peer.receiveFrame().header("transaction") == "tx-1")
            #expect(try await pair.peer.receiveFrame().header("transaction") == "tx-2")
            try await theirs.value
            try await ours.value
        }
    }

    @Test("The id of the empty transaction before leaving on RabbitMQ is none that a user has begun")
    func transactionIDOfLeaving() async throws {
        try await ConnectedPair.with(connected: "version:1.2\nserver:RabbitMQ/3.10.8\n") { pair in
            let subscription = try await pair.subscribe(ack: .client)
            for id in ["tx-1", "tx-3"] {
                _ = try await pair.connection.begin(id: id)
                _ = try await pair.peer.receiveFrame()
            }
            try await pair.deliver(ConnectedPair.message("", number: 1))
            let left = Task { try await subscription.unsubscribe() }
            var ids = Set<String>()
            var frame = ""
            while !frame.hasPrefix("UNSUBSCRIBE") {
                frame = try await pair.confirmFrame()
                if frame.hasPrefix("BEGIN"), let id = frame.header("transaction") { ids.insert(id) }
            }
            #expect(!ids.isEmpty && ids.isDisjoint(with: ["tx-1", "tx-3"]))
            left.cancel()
            _ = await left.result
        }
    }
}

@Suite("The queue for room")
struct RoomQueueTests {
    private func enqueue(_ queue: inout RoomQueue, until deadline: Duration = .seconds(1)) -> UInt64 {
        queue.enqueue({ _, _ in RoomWaiter.Appended() }, until: deadline, OneShot())
    }

    @Test("Tickets leave in order, each once")
    func order() {
        var queue = RoomQueue()
        #expect(queue.isEmpty && queue.front == nil && queue.removeFront() == nil)
        let tickets = (1...5).map { self.enqueue(&queue, until: .seconds($0)) }
        #expect(queue.count == 5)
        #expect(queue.remove(tickets[0]) != nil)
        #expect(queue.remove(tickets[0]) == nil)
        #expect(queue.remove(tickets[2]) != nil)
        #expect(queue.front?.deadline == .seconds(2))
        #expect(queue.removeFront()?.deadline == .seconds(2))
        #expect(queue.removeExpired(at: .seconds(3)).isEmpty)
        #expect(queue.removeExpired(at: .seconds(4)).map(\.deadline) == [.seconds(4)])
        _ = self.enqueue(&queue, until: .seconds(6))
        #expect(queue.removeAll().map(\.deadline) == [.seconds(5), .seconds(6)])
        #expect(queue.isEmpty)
    }

    @Test("Who came later does not give up earlier, so that the front has the earliest deadline")
    func deadlines() {
        var queue = RoomQueue()
        for deadline in [5, 4, 6] { _ = self.enqueue(&queue, until: .seconds(deadline)) }
        #expect(queue.removeExpired(at: .seconds(4)).isEmpty)
        #expect(queue.removeExpired(at: .seconds(5)).count == 2)
        #expect(queue.removeExpired(at: .seconds(6)).count == 1)
        // Nothing is left of that in an empty queue.
        _ = self.enqueue(&queue, until: .seconds(1))
        #expect(queue.front?.deadline == .seconds(1))
    }
}
