// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("The hard limit", .timeLimit(.minutes(5)))
struct HardLimitTests {
    /// Each message of these tests is a batch of its own, of this many bytes, and two fit.
    private static let padding = String(repeating: "x", count: 100)
    private static let size = Self.message(0).utf8.count + MessageBatch.overhead(of: 1)

    private static func message(_ number: Int, to subscription: String = "s") -> String {
        ConnectedPair.message(Self.padding, number: number, to: subscription)
    }

    private func deliver(_ numbers: some Sequence<Int>, to id: String = "s", _ pair: ConnectedPair) async throws {
        for number in numbers { try await pair.deliver(Self.message(number % 10, to: id)) }
    }

    private func subscribe(
        _ pair: ConnectedPair,
        _ overflow: STOMPSubscriptionOptions.Overflow,
        ack: STOMPAckMode = .auto,
        id: String = "s"
    ) async throws -> STOMPSubscription {
        try await pair.subscribe(id, ack: ack) { options in
            options.softLimit = .max
            options.hardLimit = 2 * Self.size
            options.overflow = overflow
        }
    }

    private func dropped(_ pair: ConnectedPair) async throws -> Int {
        try await pair.event { event -> Int? in
            if case .messagesDropped(subscription: "s", let count) = event { count } else { nil }
        }
    }

    private func failure(_ pair: ConnectedPair) async throws -> STOMPError {
        try await pair.event { event -> STOMPError? in
            if case .subscriptionFailed(subscription: "s", let error) = event { error } else { nil }
        }
    }

    /// The connection and other subscriptions go on.
    private func expectLife(_ pair: ConnectedPair) async throws {
        async let sent: Void = pair.connection.send("x", to: "/alive", receipt: .required)
        #expect(try await pair.confirmFrame().header("destination") == "/alive")
        try await sent
    }

    @Test("failSubscription, auto: what is buffered is delivered, then the error, again and again")
    func failAuto() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await self.subscribe(pair, .failSubscription)
            try await self.deliver(1...3, pair)
            #expect(try await self.failure(pair).code == .subscriptionOverflow)
            #expect(try await pair.peer.receiveFrame() == "UNSUBSCRIBE\nid:s\n\n\0")
            try await self.expectLife(pair)
            var ids: [String] = []
            for _ in 0..<3 {
                let error = await #expect(throws: STOMPError.self) {
                    for try await message in subscription { ids.append(message.messageID) }
                }
                #expect(error?.code == .subscriptionOverflow)
            }
            #expect(ids == ["1", "2"])
        }
    }

    @Test(
        "failSubscription, client modes: the broker has them back",
        arguments: [STOMPAckMode.client, .clientIndividual]
    )
    func failClient(mode: STOMPAckMode) async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await self.subscribe(pair, .failSubscription, ack: mode)
            var iterator = subscription.makeAsyncIterator()
            try await self.deliver(1...1, pair)
            let first = try #require(await iterator.next())
            try await self.deliver(2...3, pair)
            #expect(try await self.failure(pair).code == .subscriptionOverflow)
            #expect(try await pair.peer.receiveFrame() == "UNSUBSCRIBE\nid:s\n\n\0")
            for _ in 0..<2 {
                let error = await #expect(throws: STOMPError.self) { try await iterator.next() }
                #expect(error?.code == .subscriptionOverflow)
            }
            let refusal = await #expect(throws: STOMPError.self) { try await first.ack() }
            #expect(refusal?.code == .notAcknowledgeable)
            try await self.expectLife(pair)
        }
    }

    @Test("One message larger than the limit is taken if nothing else is buffered")
    func oneLarge() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe { options in
                options.softLimit = .max
                options.hardLimit = 1
            }
            var iterator = subscription.makeAsyncIterator()
            for number in 0..<3 {
                try await self.deliver([number], pair)
                #expect(try await iterator.next()?.messageID == "\(number)")
                // The next call gives back the room.
                async let next = {
                    var other = subscription.makeAsyncIterator()
                    return try await other.next()
                }()
                await eventually { subscription.handle.storage.demand.isWaiting }
                try await self.deliver([9], pair)
                #expect(try await next?.messageID == "9")
                let leave = Task { for try await _ in subscription {} }
                await eventually { subscription.handle.storage.demand.isWaiting }
                leave.cancel()
                try await leave.value
            }
        }
    }

    @Test("dropNewest: what comes is dropped and counted, what was there stays")
    func dropNewest() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await self.subscribe(pair, .dropNewest)
            try await self.deliver(1...2, pair)
            try await pair.deliver(Self.message(3) + Self.message(4) + Self.message(5))
            #expect(try await self.dropped(pair) == 3)
            try await self.deliver(6...6, pair)
            #expect(try await self.dropped(pair) == 1)
            var iterator = subscription.makeAsyncIterator()
            #expect(try await iterator.next()?.messageID == "1")
            #expect(try await iterator.next()?.messageID == "2")
            try await self.deliver(7...7, pair)
            #expect(try await iterator.next()?.messageID == "7")
        }
    }

    @Test("dropOldest: the oldest that nobody has seen are dropped and counted; the one in hand stays")
    func dropOldest() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await self.subscribe(pair, .dropOldest)
            try await self.deliver(1...1, pair)
            var iterator = subscription.makeAsyncIterator()
            let inHand = try #require(await iterator.next())
            try await self.deliver(2...6, pair)
            for _ in 3...6 { #expect(try await self.dropped(pair) == 1) }
            #expect(try inHand.text == Self.padding)
            #expect(inHand.messageID == "1")
            #expect(try await iterator.next()?.messageID == "6")
            try await self.deliver(7...7, pair)
            #expect(try await iterator.next()?.messageID == "7")
        }
    }

    @Test("Many small batches count with all the memory they need, not only with their bytes")
    func smallBatches() async throws {
        try await ConnectedPair.with { pair in
            let limit = 100_000
            let subscription = try await pair.subscribe { options in
                options.hardLimit = limit
                options.overflow = .dropNewest
            }
            let storage = subscription.handle.storage
            try await pair.deliver("MESSAGE\nsubscription:s\n\n\0")
            var iterator = subscription.makeAsyncIterator()
            let template = try #require(await iterator.next())
            var kept = 0
            for _ in 0..<5_000 {
                let frames: ContiguousArray = [template.batch.frame(0)]
                let batch = MessageBatch(frames, in: template.batch.chunk, owner: storage.owner)
                if case .accepted = storage.deliver(batch, at: .zero) { kept += 1 }
            }
            // An object has a header of 16 bytes, an allocation as much again; a batch is four allocations at least.
            #expect(kept > 100)
            #expect(kept * (4 * 32 + MemoryLayout<FrameReference>.stride) < limit)
        }
    }

    @Test("dropOldest keeps the memory bounded, also that of the empty shells")
    func dropOldestBounded() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await self.subscribe(pair, .dropOldest)
            let storage = subscription.handle.storage
            let owner = storage.owner
            try await self.deliver(1...1, pair)
            var iterator = subscription.makeAsyncIterator()
            let template = try #require(await iterator.next()).detached()
            var total = 0
            for _ in 0..<10_000 {
                let batch = MessageBatch([template.batch.frame(0)], in: template.batch.chunk, owner: owner)
                if case .dropped(let count) = storage.deliver(batch, at: .zero) { total += count }
            }
            // Two fit, of which one is in hand.
            #expect(total == 9_999)
            #expect(try await iterator.next()?.messageID == "1")
            let rest = Task { for try await _ in subscription { Issue.record("Nothing else is left.") } }
            await eventually { storage.demand.isWaiting }
            rest.cancel()
            try await rest.value
        }
    }

    @Test("dropOldest and consumers that are cancelled: nothing is dropped that is in hand, none comes twice")
    func dropOldestAndCancellation() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await self.subscribe(pair, .dropOldest)
            let storage = subscription.handle.storage
            let seen = Shared<[Int]>([])
            let isDone = Shared(false)
            let consumers = Task {
                while !isDone.withLock({ $0 }) {
                    let consumer = Task {
                        for try await message in subscription {
                            #expect(message.bodyByteCount == 100)
                            #expect(message.body.allSatisfy { $0 == UInt8(ascii: "x") })
                            guard let number = Int(message.messageID) else { continue }
                            seen.withLock { $0.append(number) }
                        }
                    }
                    for _ in 0..<3 { await Task.yield() }
                    consumer.cancel()
                    try await consumer.value
                }
            }
            for number in 0..<3_000 {
                try await pair.peer.send(ConnectedPair.message(Self.padding, number: number))
            }
            await pair.waitUntilRead()
            isDone.withLock { $0 = true }
            try await consumers.value
            let last = Task { for try await _ in subscription {} }
            await eventually { storage.demand.isWaiting }
            last.cancel()
            try await last.value
            let numbers = seen.withLock { $0 }
            #expect(numbers == numbers.sorted())
            #expect(Set(numbers).count == numbers.count)
        }
    }

    @Test("Dropping is refused where an unacknowledged message would hold the broker's credit")
    func dropNeedsAuto() async throws {
        try await ConnectedPair.with { pair in
            for overflow in [STOMPSubscriptionOptions.Overflow.dropOldest, .dropNewest] {
                var options = STOMPSubscriptionOptions()
                options.overflow = overflow
                let final = options
                let error = await #expect(throws: STOMPError.self) {
                    try await pair.connection.subscribe(to: "/q", ack: .client, options: final)
                }
                #expect(error?.code == .invalidArgument)
            }
            #expect(pair.peer.hasReceivedNothing)
        }
    }

    @Test("A fast subscription beside a slow one goes on")
    func fastBesideSlow() async throws {
        try await ConnectedPair.with { pair in
            let slow = try await self.subscribe(pair, .dropNewest)
            let fast = try await pair.subscribe("f")
            let taker = Task { () -> [String] in
                var ids: [String] = []
                for try await message in fast {
                    ids.append(message.messageID)
                    if ids.count == 200 { break }
                }
                return ids
            }
            for number in 0..<200 {
                try await pair.deliver(Self.message(number % 10) + ConnectedPair.message("", number: number, to: "f"))
            }
            #expect(try await taker.value == (0..<200).map(String.init))
            var iterator = slow.makeAsyncIterator()
            #expect(try await iterator.next()?.messageID == "0")
            #expect(try await iterator.next()?.messageID == "1")
        }
    }
}
