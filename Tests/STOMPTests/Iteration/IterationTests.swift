// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Iterating a subscription", .timeLimit(.minutes(5)))
struct IterationTests {
    private static func messages(_ numbers: some Sequence<Int>) -> String {
        numbers.map { ConnectedPair.message("\($0)", number: $0) }.joined()
    }

    private static func number(_ message: STOMPMessage) throws -> Int {
        try #require(Int(message.messageID))
    }

    @Test(
        "Leaving the loop after each message and starting again loses none and keeps the order",
        arguments: [1, 7, 1_000]
    )
    func leaving(batchSize: Int) async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            for start in stride(from: 0, to: 1_000, by: batchSize) {
                try await pair.deliver(Self.messages(start..<min(start + batchSize, 1_000)))
            }
            var numbers: [Int] = []
            while numbers.count < 1_000 {
                for try await message in subscription {
                    numbers.append(try Self.number(message))
                    break
                }
            }
            #expect(numbers == Array(0..<1_000))
        }
    }

    @Test("Copied iterators and new ones share their place: nothing comes twice")
    func copies() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            try await pair.deliver(Self.messages(0..<60))
            try await pair.deliver(Self.messages(60..<90))
            var one = subscription.makeAsyncIterator()
            _ = try await one.next()
            var other = one
            let copy = subscription
            var third = copy.makeAsyncIterator()
            var numbers: [Int?] = []
            for _ in 0..<29 {
                numbers.append(try await one.next().map(Self.number))
                numbers.append(try await other.next().map(Self.number))
                numbers.append(try await third.next().map(Self.number))
            }
            #expect(numbers == Array(1...87))
        }
    }

    @Test("A second next() while one is under way throws; the first gets its message")
    func alreadyIterating() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            let first = Task {
                var iterator = subscription.makeAsyncIterator()
                return try await iterator.next()?.messageID
            }
            await eventually { subscription.handle.storage.demand.isWaiting }
            for _ in 0..<3 {
                let error = await #expect(throws: STOMPError.self) { for try await _ in subscription {} }
                #expect(error?.code == .alreadyIterating)
            }
            try await pair.deliver(Self.messages(5...6))
            #expect(try await first.value == "5")
            var iterator = subscription.makeAsyncIterator()
            #expect(try await iterator.next()?.messageID == "6")
        }
    }

    @Test("A cancelled task's loop ends within 64 messages, and the next loop goes on with the next message")
    func cancelledInABatch() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            try await pair.deliver(Self.messages(0..<1_000))
            let seen = try await Task {
                var numbers: [Int] = []
                for try await message in subscription {
                    numbers.append(try Self.number(message))
                    if numbers.count == 10 { withUnsafeCurrentTask { $0?.cancel() } }
                }
                return numbers
            }.value
            #expect(seen.count >= 10 && seen.count <= 10 + 64)
            var numbers = seen
            for try await message in subscription {
                numbers.append(try Self.number(message))
                if numbers.count == 1_000 { break }
            }
            #expect(numbers == Array(0..<1_000))
        }
    }

    @Test("A consumer that is cancelled while it waits ends at once; what comes later is there for the next loop")
    func cancelledWhileWaiting() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            for round in 0..<20 {
                let waiting = Task { for try await _ in subscription { Issue.record("Nothing has come.") } }
                await eventually { subscription.handle.storage.demand.isWaiting }
                waiting.cancel()
                try await waiting.value
                try await pair.deliver(Self.messages(round * 10..<round * 10 + 4))
                try await pair.deliver(Self.messages(round * 10 + 4..<round * 10 + 10))
                var iterator = subscription.makeAsyncIterator()
                for index in 0..<10 { #expect(try await iterator.next()?.messageID == "\(round * 10 + index)") }
            }
        }
    }

    @Test("A task that is cancelled before it iterates gets nothing and takes nothing")
    func cancelledBefore() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            try await pair.deliver(Self.messages(0..<3))
            try await Task {
                withUnsafeCurrentTask { $0?.cancel() }
                for try await _ in subscription { Issue.record("It was cancelled before.") }
            }.value
            var iterator = subscription.makeAsyncIterator()
            #expect(try await iterator.next()?.messageID == "0")
        }
    }

    @Test("Cancellations that race with messages: none is lost, none comes twice, no other loop ends")
    func races() async throws {
        let count = 5_000
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            let sender = Task {
                for start in stride(from: 0, to: count, by: 5) {
                    try await pair.peer.send(Self.messages(start..<start + 5))
                    if start.isMultiple(of: 3) { await Task.yield() }
                }
            }
            let seen = Shared<[Int]>([])
            var rounds = 0
            while seen.withLock({ $0.count }) < count {
                rounds += 1
                let consumer = Task {
                    for try await message in subscription {
                        let number = try Self.number(message)
                        seen.withLock { $0.append(number) }
                    }
                }
                for _ in 0..<rounds % 4 { await Task.yield() }
                consumer.cancel()
                try await consumer.value
                if seen.withLock({ $0.count }) == count { break }
                // This one is not cancelled, so it gets one.
                var iterator = subscription.makeAsyncIterator()
                let message = try #require(await iterator.next())
                let number = try Self.number(message)
                seen.withLock { $0.append(number) }
            }
            try await sender.value
            #expect(seen.withLock { $0 } == Array(0..<count))
        }
    }

    /// Someone whose cancellation ends the stock stream although it has got a batch from it.
    @Test("A consumer that gets a batch and is cancelled at once does not end the next loop")
    func cancelledWithABatch() async throws {
        for _ in 0..<300 {
            try await ConnectedPair.with { pair in
                let subscription = try await pair.subscribe()
                let seen = Shared<[Int]>([])
                let consumer = Task {
                    for try await message in subscription {
                        let number = try Self.number(message)
                        seen.withLock { $0.append(number) }
                    }
                }
                await eventually { subscription.handle.storage.demand.isWaiting }
                try await pair.peer.send(Self.messages(0...1))
                await eventually { !pair.leavesBytesUnread }
                consumer.cancel()
                try await consumer.value
                let rest = Task {
                    for try await message in subscription {
                        let number = try Self.number(message)
                        seen.withLock { $0.append(number) }
                        if number == 3 { return true }
                    }
                    return false
                }
                try await pair.peer.send(Self.messages(2...3))
                try #require(try await rest.value, "An uncancelled loop has ended.")
                try #require(seen.withLock { $0 } == [0, 1, 2, 3])
            }
        }
    }
}
