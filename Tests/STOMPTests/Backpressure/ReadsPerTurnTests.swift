// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

/// Full reads are handed over together, and after the first they are larger: that changes when, and never what or in
/// which order.
@Suite("Several reads in one turn", .timeLimit(.minutes(5)))
struct ReadsPerTurnTests {
    /// What the first read takes at most; those after a full one take four times as much.
    private static let read = ChunkPool.shared.chunkCapacity
    private static let messageCount = 128
    /// What a read full of messages counts.
    private static let batch = read + MessageBatch.overhead(of: messageCount)
    private static let room = 32 * read

    /// A message of a kilobyte, so that `messageCount` of them make a full read.
    private static func message(_ number: Int, to subscription: String = "s") -> String {
        let start = ConnectedPair.message("\(number) ", number: number, to: subscription)
        let filler = String(repeating: "x", count: read / messageCount - start.utf8.count)
        return start.dropLast() + filler + "\0"
    }

    private static func reads(_ range: Range<Int>, to subscription: String = "s") -> String {
        (range.lowerBound * messageCount..<range.upperBound * messageCount).map { message($0, to: subscription) }
            .joined()
    }

    private func number(_ message: STOMPMessage) -> Int? {
        message.withBody { Int(String(decoding: $0.prefix { $0 != 32 }, as: UTF8.self)) }
    }

    /// The numbers of all messages up to the end, and the error that was the end.
    private func take(_ subscription: STOMPSubscription) async -> ([Int?], STOMPError.Code?) {
        var numbers: [Int?] = []
        do throws(STOMPError) {
            for try await message in subscription { numbers.append(self.number(message)) }
            return (numbers, nil)
        } catch {
            return (numbers, error.code)
        }
    }

    // MARK: - Ends

    @Test("The end of the stream right after full reads: all before it is delivered", arguments: 1...10)
    func endOfStream(count: Int) async throws {
        try await ConnectedPair.with(capacity: Self.room) { pair in
            let subscription = try await pair.subscribe()
            try await pair.connection.whileReaderWaits {
                try await pair.peer.send(Self.reads(0..<count))
                pair.peer.hangUp()
            }
            let (numbers, code) = await self.take(subscription)
            #expect(numbers == Array(0..<count * Self.messageCount))
            #expect(code == .connectionLost)
        }
    }

    @Test(
        "An ERROR or a violation in a later read comes after the messages of the ones before",
        arguments: [false, true],
        0...5
    )
    func fatal(isViolation: Bool, after count: Int) async throws {
        try await ConnectedPair.with(capacity: Self.room) { pair in
            let subscription = try await pair.subscribe()
            let more = (0..<3).map { Self.message(count * Self.messageCount + $0) }.joined()
            let bad = isViolation ? "MESSAGE\nno colon\n\n\0" : "ERROR\nmessage:no\n\n\0"
            try await pair.connection.whileReaderWaits {
                try await pair.peer.send(Self.reads(0..<count) + more + bad + Self.reads(20..<21))
            }
            #expect(try await pair.end.value()?.code == (isViolation ? .protocolViolation : .serverError))
            let (numbers, code) = await self.take(subscription)
            #expect(numbers == Array(0..<count * Self.messageCount + 3))
            #expect(code == .connectionLost)
        }
    }

    @Test("A cancelled connection delivers what it has read")
    func cancelled() async throws {
        try await ConnectedPair.with(capacity: Self.room) { pair in
            let subscription = try await pair.subscribe()
            try await pair.connection.whileReaderWaits { try await pair.peer.send(Self.reads(0..<4)) }
            await pair.waitUntilRead()
            async let disconnected: Void = pair.connection.disconnect()
            #expect(try await pair.confirmFrame().hasPrefix("DISCONNECT\n"))
            await disconnected
            let (numbers, code) = await self.take(subscription)
            #expect(numbers == Array(0..<4 * Self.messageCount) && code == nil)
        }
    }

    // MARK: - Order

    @Test("A receipt does not overtake the messages before it, in whichever read it stands", arguments: 0...5)
    func receipt(after count: Int) async throws {
        try await ConnectedPair.with(capacity: Self.room) { pair in
            // Full exactly when all that stands before the receipt has been handed over.
            let perRead = MessageBatch.overhead(of: Self.messageCount) - MessageBatch.overhead(of: 0)
            let expected = (count + 1) * (Self.read + perRead)
            let subscription = try await pair.subscribe { $0.softLimit = expected }
            async let sent: Void = pair.connection.send("x", to: "/r", receipt: .required)
            let id = try #require(try await pair.peer.receiveFrame().header("receipt"))
            let receipt = "RECEIPT\nreceipt-id:\(id)\n\n\0"
            try await pair.connection.whileReaderWaits {
                try await pair.peer.send(Self.reads(0..<count + 1) + receipt)
            }
            try await sent
            #expect(subscription.handle.storage.isAtSoftLimit)
        }
    }

    @Test("Messages of several subscriptions and receipts, in every read: each in its order")
    func interleaved() async throws {
        try await ConnectedPair.with(capacity: Self.room) { pair in
            let subscriptions = [try await pair.subscribe("a"), try await pair.subscribe("b")]
            var bytes = ""
            for number in 0..<2_000 { bytes += Self.message(number, to: number % 3 == 0 ? "a" : "b") }
            let text = bytes
            try await pair.connection.whileReaderWaits {
                try await pair.peer.send(text)
                pair.peer.hangUp()
            }
            let (first, _) = await self.take(subscriptions[0])
            let (second, _) = await self.take(subscriptions[1])
            #expect(first == (0..<2_000).filter { $0 % 3 == 0 })
            #expect(second == (0..<2_000).filter { $0 % 3 != 0 })
        }
    }

    // MARK: - Limits

    @Test("At the soft limit reading pauses after one turn of a read and a larger one")
    func softLimit() async throws {
        try await ConnectedPair.with(capacity: Self.room) { pair in
            let subscription = try await pair.subscribe { $0.softLimit = 1 }
            try await pair.connection.whileReaderWaits { try await pair.peer.send(Self.reads(0..<10)) }
            try await pair.waitForPause()
            #expect(pair.connection.transport.unreadByteCount == 5 * Self.read)
            await pair.connection.whileReaderWaits { pair.peer.hangUp() }
            let (numbers, code) = await self.take(subscription)
            #expect(numbers == Array(0..<10 * Self.messageCount))
            #expect(code == .connectionLost)
        }
    }

    @Test("At the hard limit, in the middle of a turn: the policy holds for each read's messages")
    func hardLimit() async throws {
        for overflow in [STOMPSubscriptionOptions.Overflow.dropNewest, .dropOldest, .failSubscription] {
            try await ConnectedPair.with(capacity: Self.room) { pair in
                let subscription = try await pair.subscribe {
                    $0.hardLimit = 2 * Self.batch
                    $0.overflow = overflow
                }
                try await pair.connection.whileReaderWaits { try await pair.peer.send(Self.reads(0..<4)) }
                await pair.waitUntilRead()
                pair.peer.hangUp()
                let (numbers, code) = await self.take(subscription)
                // With a hard limit as small as that no read is larger.
                let lower = overflow == .dropOldest ? 2 : 0
                #expect(numbers == Array(lower * Self.messageCount..<(lower + 2) * Self.messageCount))
                #expect(code == (overflow == .failSubscription ? .subscriptionOverflow : .connectionLost))
            }
        }
    }

    @Test("A subscription that has ended before the reads are handed over gets nothing, and another one all")
    func endedMeanwhile() async throws {
        try await ConnectedPair.with(capacity: Self.room) { pair in
            let ended = try await pair.subscribe("a")
            let other = try await pair.subscribe("b")
            try await pair.connection.whileReaderWaits {
                try await pair.peer.send(Self.reads(0..<2, to: "a") + Self.reads(2..<4, to: "b"))
                ended.handle.storage.end(.finished, revoking: true)
                pair.peer.hangUp()
            }
            #expect(await self.take(ended).0.isEmpty)
            #expect(await self.take(other).0 == Array(2 * Self.messageCount..<4 * Self.messageCount))
        }
    }
}

extension STOMPConnection {
    /// Runs `body`, which must not wait, before the reader can read.
    func whileReaderWaits(_ body: @Sendable () async throws -> Void) async rethrows {
        try await body()
    }
}
