// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("What buffered messages keep alive", .timeLimit(.minutes(5)))
struct MessageBatchTests {
    @Test("A small batch is copied out of the chunk it came in, and counts what it holds")
    func small() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            let bytes = ConnectedPair.message("small", number: 7)
            try await pair.deliver(bytes)
            var iterator = subscription.makeAsyncIterator()
            let message = try #require(await iterator.next())
            #expect(message.batch.chunk.capacity <= bytes.utf8.count)
            #expect(message.batch.byteCount == message.batch.chunk.capacity + MessageBatch.overhead(of: 1))
            #expect(try message.text == "small")
            #expect(message.messageID == "7")
            #expect(message.acknowledgementID == "7")
            #expect(message["destination"] == "/q")
        }
    }

    @Test("A batch that fills much of its chunk keeps that, and counts all of it")
    func large() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            let body = String(repeating: "y", count: 30_000)
            try await pair.deliver(ConnectedPair.message(body))
            var iterator = subscription.makeAsyncIterator()
            let message = try #require(await iterator.next())
            #expect(message.batch.byteCount == message.batch.chunk.capacity + MessageBatch.overhead(of: 1))
            #expect(message.batch.byteCount >= 30_000)
            #expect(try message.text == body)
            let copy = message.detached()
            #expect(copy.batch.chunk.capacity < 31_000)
            #expect(try copy.text == body)
        }
    }

    @Test("What the configuration's documentation says of what is counted for each batch and message")
    func stated() {
        #expect(MessageBatch.overhead(of: 0) == 320)
        #expect(MessageBatch.overhead(of: 1) == 320 + 32)
        #expect(ChunkPool.shared.chunkCapacity == 128 * 1024)
    }

    @Test("Unanswered messages keep their blocks, one at most for each, until they are answered")
    func unanswered() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe(ack: .clientIndividual)
            let storage = subscription.handle.storage
            let body = String(repeating: "y", count: 30_000)
            var iterator = subscription.makeAsyncIterator()
            var chunks: [WeakChunk] = []
            var kept: [STOMPMessage] = []
            for number in 0..<5 {
                try await pair.deliver(ConnectedPair.message(body, number: number))
                let message = try #require(await iterator.next())
                chunks.append(WeakChunk(chunk: message.batch.chunk))
                kept.append(message.detached())
            }
            let waiting = Task { for try await _ in subscription {} }
            await eventually { storage.demand.isWaiting }
            // Nothing is buffered, so nothing is counted, and yet there are as many blocks as unanswered messages.
            #expect(chunks.allSatisfy { !$0.isGone })
            for message in kept { try await message.ack() }
            await eventually { chunks.allSatisfy(\.isGone) }
            waiting.cancel()
            try await waiting.value
        }
    }

    @Test("When all is taken, nothing is counted and no chunk is kept")
    func backToZero() async throws {
        try await ConnectedPair.with(configuration: .with(\.maximumPause, .zero)) { pair in
            let subscription = try await pair.subscribe { $0.softLimit = 1 }
            let storage = subscription.handle.storage
            for round in 1...20 {
                let consumer = Task {
                    var count = 0
                    for try await message in subscription {
                        count += 1
                        #expect(message.bodyByteCount == 10 * round * round)
                    }
                    return count
                }
                await eventually { storage.demand.isWaiting }
                let body = String(repeating: "z", count: 10 * round * round)
                let bytes = (0..<round).map { _ in ConnectedPair.message(body) }.joined()
                try await pair.deliver(bytes)
                // With one byte as the limit, this says that none is counted.
                await eventually { storage.demand == (false, true) }
                consumer.cancel()
                #expect(try await consumer.value == round)
            }
            let chunk = try await self.lastChunk(of: subscription, pair)
            let leaving = Task { for try await _ in subscription {} }
            await eventually { storage.demand.isWaiting }
            leaving.cancel()
            try await leaving.value
            await eventually { chunk.isGone }
        }
    }

    private func lastChunk(of subscription: STOMPSubscription, _ pair: ConnectedPair) async throws -> WeakChunk {
        try await pair.deliver(ConnectedPair.message("last"))
        var iterator = subscription.makeAsyncIterator()
        return WeakChunk(chunk: try #require(await iterator.next()).batch.chunk)
    }

    private struct WeakChunk {
        weak var chunk: ByteChunk?
        var isGone: Bool { self.chunk == nil }
    }

    @Test("A subscription that has ended keeps no messages")
    func ended() async throws {
        try await ConnectedPair.with { pair in
            weak var storage: SubscriptionStorage?
            do {
                let subscription = try await pair.subscribe(ack: .clientIndividual)
                storage = subscription.handle.storage
                try await pair.deliver(ConnectedPair.message("0"))
                async let unsubscribed: Void = subscription.unsubscribe()
                try await pair.confirmFrame()
                try await unsubscribed
            }
            try await pair.deliver("\n")
            await eventually { storage == nil }
        }
    }
}
