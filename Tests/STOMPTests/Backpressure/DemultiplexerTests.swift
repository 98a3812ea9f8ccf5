// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

/// Batches of several reads that wait to be handed over, while subscriptions come and go.
@Suite("Sorting several reads")
struct DemultiplexerTests {
    private let outbox = Outbox(
        transport: InMemoryPipe.makePair().0,
        time: TimeSource(ManualClock()),
        limit: 1_000
    )

    private func storage(_ id: String, _ options: STOMPSubscriptionOptions = .init()) -> SubscriptionStorage {
        let owner = self.outbox.openDeliveries(subscriptionID: id, mode: .clientIndividual, session: .test())
        return SubscriptionStorage(id: id, destination: "/q", options: options, owner: owner, headers: [:])
    }

    @Test("Larger chunks are taken while every hard limit has room for two of them")
    func largerChunks() throws {
        var sorting = Demultiplexer(parser: FrameParser(version: .v12), rules: .init(version: .v12, leniency: .lenient))
        #expect(sorting.parser.takesLargerChunks == true)
        let usual = self.storage("usual")
        try sorting.insert(usual, usual.owner)
        #expect(sorting.parser.takesLargerChunks == true)
        var options = STOMPSubscriptionOptions()
        options.hardLimit = 1_000_000
        let small = (0..<2).map { self.storage("small-\($0)", options) }
        for storage in small { try sorting.insert(storage, storage.owner) }
        #expect(sorting.parser.takesLargerChunks == false)
        sorting.remove(small[0])
        #expect(sorting.parser.takesLargerChunks == false)
        sorting.remove(small[1])
        #expect(sorting.parser.takesLargerChunks == true)
        try sorting.insert(small[0], small[0].owner)
        sorting.removeAll()
        #expect(sorting.parser.takesLargerChunks == true)
    }

    @Test("A frame that is not complete is a reason to read on, but not where a hard limit is small")
    func expectsMore() throws {
        var sorting = Demultiplexer(parser: FrameParser(version: .v12), rules: .init(version: .v12, leniency: .lenient))
        var options = STOMPSubscriptionOptions()
        options.hardLimit = 1_000_000
        let small = self.storage("1", options)
        try self.read("MESSAGE\nsubscription:2\n\nbo", &sorting)
        #expect(sorting.parser.expectsMore == true)
        try sorting.insert(small, small.owner)
        #expect(sorting.parser.expectsMore == false)
        sorting.remove(small)
        #expect(sorting.parser.expectsMore == true)
    }

    @Test(
        "Of a larger chunk a batch that uses less than three quarters is copied; one that uses more keeps it",
        arguments: [5, 11, 13]
    )
    func partOfLargerChunk(count: Int) throws {
        var sorting = Demultiplexer(parser: FrameParser(version: .v12), rules: .init(version: .v12, leniency: .lenient))
        let storage = self.storage("1")
        try sorting.insert(storage, storage.owner)
        sorting.parser.isFlooded = true
        let body = String(repeating: "x", count: 32_000)
        try self.read(String(repeating: "MESSAGE\nsubscription:1\n\n\(body)\0", count: count), &sorting)
        #expect(sorting.parser.chunk.capacity == 512 * 1024)
        let batch = try #require(sorting.takeBatches().first).1
        #expect(batch.count == count)
        #expect((batch.chunk === sorting.parser.chunk) == (count * 32_000 > 384 * 1024))
    }

    @Test("A frame that is larger than a usual chunk gets one of its size, however much there is to read")
    func largeFrameWhileFlooded() throws {
        var sorting = Demultiplexer(parser: FrameParser(version: .v12), rules: .init(version: .v12, leniency: .lenient))
        let storage = self.storage("1")
        try sorting.insert(storage, storage.owner)
        let frame = "MESSAGE\nsubscription:1\ncontent-length:300000\n\n" + String(repeating: "x", count: 300_000) + "\0"
        var rest = Array((frame + frame + frame).utf8)[...]
        while !rest.isEmpty {
            let space = sorting.parser.freeSpace()
            let part = rest.prefix(space.count)
            space.copyBytes(from: part)
            sorting.parser.received(part.count)
            rest = rest.dropFirst(part.count)
            guard case .drained = try sorting.sort() else { return }
            sorting.seal()
            for (_, batch) in sorting.takeBatches() { #expect(batch.byteCount < 310_000) }
        }
    }

    /// Feeds a read and sorts it.
    private func read(_ text: String, _ sorting: inout Demultiplexer) throws {
        let bytes = Array(text.utf8)
        let space = sorting.parser.freeSpace()
        bytes.withUnsafeBytes { space.copyMemory(from: $0) }
        sorting.parser.received(bytes.count)
        guard case .drained = try sorting.sort() else {
            Issue.record("Something else than messages and receipts came.")
            return
        }
        sorting.seal()
    }

    private func take(_ sorting: inout Demultiplexer) -> [(SubscriptionStorage, [String])] {
        sorting.takeBatches().map { storage, batch in
            (storage, (0..<batch.count).map { String(decoding: batch.body($0), as: UTF8.self) })
        }
    }

    @Test("What was buffered when the connection was lost counts no more once the next one has it: it comes again")
    func staleBatches() async throws {
        let size = ConnectedPair.message("a", to: "s").utf8.count + MessageBatch.overhead(of: 1)
        var options = STOMPSubscriptionOptions()
        options.softLimit = size
        options.hardLimit = 3 * size
        let first = self.outbox.openDeliveries(subscriptionID: "s", mode: .clientIndividual, session: .test())
        let storage = SubscriptionStorage(id: "s", destination: "/q", options: options, owner: first, headers: [:])
        var sorting = Demultiplexer(parser: FrameParser(version: .v12), rules: HeaderRules(version: .v12))
        func deliver(_ bodies: [String], to owner: DeliveryOwner) throws {
            sorting.removeAll()
            try sorting.insert(storage, owner)
            for body in bodies {
                try self.read(ConnectedPair.message(body, to: "s"), &sorting)
                for (_, batch) in sorting.takeBatches() {
                    guard case .accepted = storage.deliver(batch, at: .zero) else {
                        Issue.record("\(body) was not accepted")
                        return
                    }
                }
            }
        }
        try deliver(["a", "b", "c"], to: first)
        #expect(storage.isAtSoftLimit)
        storage.interrupt()
        let second = self.outbox.openDeliveries(subscriptionID: "s", mode: .clientIndividual, session: .test())
        #expect(storage.resume(second))
        #expect(!storage.isAtSoftLimit)
        // As many again fit in.
        try deliver(["a", "b", "c"], to: second)
        for body in ["a", "b", "c"] {
            let message = try await storage.takeNext(isolation: nil)
            #expect(try message?.text == body)
            #expect(message?.batch.owner === second)
        }
        // Nothing was taken off twice.
        #expect(storage.delivery.withLock { $0.bufferedByteCount } == size)
    }

    @Test("A subscription that leaves after a read keeps its batch, and one that takes its id gets only later messages")
    func leaving() throws {
        for id in ["1", "s"] {
            let rules = HeaderRules(version: .v12)
            var sorting = Demultiplexer(parser: FrameParser(version: .v12), rules: rules)
            let (first, second) = (self.storage(id), self.storage(id))
            try sorting.insert(first, first.owner)
            try self.read(ConnectedPair.message("a", to: id) + ConnectedPair.message("b", to: id), &sorting)
            try self.read(ConnectedPair.message("c", to: id), &sorting)
            sorting.remove(id: id)
            try sorting.insert(second, second.owner)
            try self.read(ConnectedPair.message("d", to: id), &sorting)
            let batches = self.take(&sorting)
            #expect(batches.map(\.1) == [["a", "b"], ["c"], ["d"]])
            #expect(batches.map { $0.0 === first } == [true, true, false])
            #expect(batches.last?.0 === second)
            #expect(sorting.takeBatches().isEmpty)
        }
    }

    @Test("One that leaves before its messages are sealed loses them, and nobody else gets them")
    func leavingUnsealed() throws {
        var sorting = Demultiplexer(parser: FrameParser(version: .v12), rules: HeaderRules(version: .v12))
        let (first, second) = (self.storage("1"), self.storage("2"))
        try sorting.insert(first, first.owner)
        try sorting.insert(second, second.owner)
        let bytes = Array(
            (ConnectedPair.message("a", to: "1") + ConnectedPair.message("b", to: "2") + "ERROR\n\n\0").utf8
        )
        let space = sorting.parser.freeSpace()
        bytes.withUnsafeBytes { space.copyMemory(from: $0) }
        sorting.parser.received(bytes.count)
        guard case .frame = try sorting.sort() else {
            Issue.record("The ERROR was not seen.")
            return
        }
        sorting.remove(id: "1")
        sorting.seal()
        let third = self.storage("3")
        try sorting.insert(third, third.owner)
        try self.read(ConnectedPair.message("c", to: "3"), &sorting)
        let batches = self.take(&sorting)
        #expect(batches.count == 2)
        #expect(batches.first { $0.0 === second }?.1 == ["b"])
        #expect(batches.first { $0.0 === third }?.1 == ["c"])
    }

    @Test("Bytes of sealed batches stay as they are while reads follow")
    func sealedBytes() throws {
        for isLarge in [false, true] {
            let pool = ChunkPool(chunkCapacity: 8_192, freeLimit: 2)
            var sorting = Demultiplexer(
                parser: FrameParser(version: .v12, pool: pool),
                rules: HeaderRules(version: .v12)
            )
            let storage = self.storage("1")
            try sorting.insert(storage, storage.owner)
            let bodies = (0..<40).map { "\($0)" + String(repeating: "y", count: isLarge ? 3_000 : 10) }
            for body in bodies { try self.read(ConnectedPair.message(body, to: "1"), &sorting) }
            #expect(self.take(&sorting).flatMap(\.1) == bodies)
        }
    }

    @Test("Receipts of several reads are all taken, in their order")
    func receipts() throws {
        var sorting = Demultiplexer(parser: FrameParser(version: .v12), rules: HeaderRules(version: .v12))
        for first in [1, 4, 7] {
            try self.read((first..<first + 3).map { "RECEIPT\nreceipt-id:\($0)\n\n\0" }.joined(), &sorting)
        }
        #expect(sorting.takeConfirmed() == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(sorting.takeConfirmed().isEmpty)
    }
}

extension SessionContext {
    /// Of a session that a test needs for nothing but its version.
    static func test(_ version: STOMPVersion = .v12) -> SessionContext {
        SessionContext(
            version: version,
            leniency: .lenient,
            dialect: .generic,
            receiptTimeout: .seconds(1),
            outboxTimeout: .seconds(1),
            shutdownTimeout: .seconds(1)
        )
    }
}
