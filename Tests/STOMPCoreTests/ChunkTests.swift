// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Chunks: where frames lie while they come in")
struct ChunkTests {
    @Test(
        "Headers that outgrow the pool's chunks keep their room when content-length is among them",
        arguments: [64, 5_000, 8_192, 20_000]
    )
    func growthWithKnownLength(capacity: Int) {
        // The length is known before the blank line, when the body's place is not.
        for padding in [1, 20, 100] {
            let filler = String(repeating: "filler:\(String(repeating: "x", count: 300))\n", count: padding)
            for lines in ["content-length:3\n" + filler, filler + "content-length:3\n" + filler] {
                let bytes = wire("MESSAGE\n" + lines + "\nab\0\0")
                for size in [1_000, 4_096, 37] {
                    let parsed = parse(bytes, feeding: Feeding(sizes: [size], chunkCapacity: capacity))
                    #expect(parsed.frames.map(\.body) == [[0x61, 0x62, 0]], "reads of \(size), \(padding) lines")
                    #expect(parsed.failure == nil)
                }
            }
        }
    }

    @Test("A length told in an earlier frame says nothing about the room for the next one")
    func staleLength() {
        let filler = String(repeating: "a:\(String(repeating: "x", count: 90))\n", count: 100)
        let first = "MESSAGE\ncontent-length:2\n\nab\0"
        let bytes = wire(first + "MESSAGE\ncontent-length:0\n\(filler)\n\0" + first)
        for size in [1, 50, 5_000] {
            let parsed = parse(bytes, feeding: Feeding(sizes: [size], chunkCapacity: 4_096))
            #expect(parsed.frames.map(\.body) == [wire("ab"), [], wire("ab")])
        }
    }

    @Test("Before the blank line each read has room, whatever length was told or is left from the frame before")
    func roomInsideHeaders() throws {
        var parser = FrameParser(version: .v12, pool: ChunkPool(chunkCapacity: 5_000, freeLimit: 1))
        _ = try self.feed(wire("MESSAGE\ncontent-length:2\n\nab\0MESSAGE\ncontent-length:0\n"), to: &parser)
        for _ in 0..<30 {
            #expect(parser.freeSpace().count >= 4_096)
            #expect(try self.feed(wire("a:\(String(repeating: "x", count: 500))\n"), to: &parser).isEmpty)
        }
        #expect(try self.feed(wire("\n\0"), to: &parser).count == 1)
    }

    @Test("Who fills a chunk gets a larger one, and a usual one again after a read that fills nothing")
    func larger() throws {
        let larger = ChunkPool(chunkCapacity: 20_000, freeLimit: 1)
        var parser = FrameParser(version: .v12, pool: ChunkPool(chunkCapacity: 5_000, freeLimit: 1, larger: larger))
        let filler = wire("MESSAGE\n\n" + String(repeating: "x", count: 990) + "\0")
        var kept: [ByteChunk] = []
        func fill(_ byteCount: Int) throws -> Int {
            let frames = try self.feed(
                Array(repeating: filler, count: byteCount / filler.count).flatMap(\.self),
                to: &parser
            )
            #expect(frames.count == byteCount / filler.count)
            kept.append(parser.chunk)
            return parser.chunk.capacity
        }
        #expect(filler.count == 1_000)
        #expect(try fill(5_000) == 5_000)
        #expect(try fill(20_000) == 20_000)
        #expect(try fill(20_000) == 20_000)
        #expect(try fill(17_000) == 20_000)
        #expect(try fill(1_000) == 5_000)
        #expect(try fill(4_000) == 5_000)
    }

    @Test("The place of receipt-id is noted in a RECEIPT, and that of message-id in any other frame")
    func notedIDs() throws {
        var parser = FrameParser(version: .v12)
        func noted(_ text: String) throws -> (String?, String?) {
            let frame = try #require(try self.feed(wire(text), to: &parser).first)
            let block = parser.chunk.headerBlock(of: frame, rules: HeaderRules(version: .v12, leniency: .lenient))
            func value(_ place: FrameReference.Place) -> String? {
                place.isNoted ? String(decoding: block.rawValue(at: place), as: UTF8.self) : nil
            }
            return (frame.kind == .receipt ? nil : value(frame.messageID), value(frame.receiptID))
        }
        let lines = "message-id:m\nreceipt-id:17\nreceipt-id:18\nreceipt-ip:19\n"
        // The fourth of a kind has made a layout, by which the others are recognised.
        for _ in 0..<6 {
            #expect(try noted("MESSAGE\n\(lines)\n\0") == ("m", nil))
        }
        for _ in 0..<6 {
            #expect(try noted("RECEIPT\n\(lines)\n\0") == (nil, "17"))
        }
        #expect(try noted("RECEIPT\nmessage-id:m\n\n\0") == (nil, nil))
    }

    /// Feeds the bytes in one read and takes all frames.
    private func feed(_ bytes: [UInt8], to parser: inout FrameParser) throws -> [FrameReference] {
        parser.freeSpace().copyBytes(from: bytes)
        parser.received(bytes.count)
        var frames: [FrameReference] = []
        while let frame = try parser.next() { frames.append(frame) }
        return frames
    }

    private let message = wire("MESSAGE\nsubscription:7\n\nbody\0\n")

    @Test("A chunk that nobody keeps is filled from its beginning again")
    func reuse() throws {
        var parser = FrameParser(version: .v12, pool: ChunkPool(chunkCapacity: 8_192, freeLimit: 2))
        _ = try self.feed(self.message, to: &parser)
        let base = parser.chunk.base
        let frames = try self.feed(self.message, to: &parser)
        #expect(parser.chunk.base == base)
        #expect(frames.map(\.start) == [0])
    }

    @Test("A chunk that is kept is filled only above what was handed out")
    func keptChunk() throws {
        var parser = FrameParser(version: .v12, pool: ChunkPool(chunkCapacity: 8_192, freeLimit: 2))
        let first = try self.feed(self.message, to: &parser)
        let kept = parser.chunk
        let second = try self.feed(wire("ERROR\nsubscription:8\n\nother\0"), to: &parser)
        #expect(parser.chunk === kept)
        #expect(second.map { Int($0.start) } == [self.message.count])
        let frame = kept.decoded(first[0], version: .v12, leniency: .lenient)
        #expect(frame == STOMPFrame(.message, headers: [.subscription: "7"], body: wire("body")))
        // When there is no room for a read, a new one is taken, and the old one stays as it is.
        for _ in 0..<400 { _ = try self.feed(self.message, to: &parser) }
        #expect(parser.chunk !== kept)
        #expect(kept.decoded(first[0], version: .v12, leniency: .lenient) == frame)
    }

    @Test(
        "Large frames of one size, with an EOL after each, are read where they stay",
        arguments: [16_384, 20_000, 65_774, 100_000, 131_000]
    )
    func largeFrames(byteCount: Int) throws {
        var parser = FrameParser(version: .v12, pool: ChunkPool(chunkCapacity: 131_072, freeLimit: 4))
        let head = wire("MESSAGE\ncontent-length:\(byteCount)\n\n")
        let frame = head + [UInt8](repeating: 0x61, count: byteCount) + wire("\0\n")
        var rest = Array(Array(repeating: frame, count: 40).joined())[...]
        var chunks: [ByteChunk] = []
        var movedByteCount = 0
        var (taken, fed) = (0, 0)
        while !rest.isEmpty {
            let before = parser.chunk
            let space = parser.freeSpace()
            // What the first one brought along was read when its size was not known.
            if chunks.count > 1, parser.chunk !== before { movedByteCount += fed - taken * frame.count }
            let part = rest.prefix(space.count)
            space.copyBytes(from: part)
            parser.received(part.count)
            rest = rest.dropFirst(part.count)
            fed += part.count
            while let reference = try parser.next() {
                #expect(Int(reference.bodyByteCount) == byteCount)
                taken += 1
            }
            // Kept, as a consumer keeps them.
            if chunks.last !== parser.chunk { chunks.append(parser.chunk) }
        }
        #expect(taken == 40)
        // Only the few bytes that are read beyond a frame move along.
        #expect(movedByteCount < 40 * 64)
        let perChunk = 131_072 / frame.count
        #expect(chunks.count <= 40 / max(1, perChunk) + 3)
    }

    @Test("After a large frame a small one has room, as has a larger one", arguments: [10, 4_000, 70_000, 200_000])
    func unexpectedSize(byteCount: Int) throws {
        func frame(_ count: Int) -> [UInt8] {
            wire("MESSAGE\ncontent-length:\(count)\n\n") + [UInt8](repeating: 0x61, count: count) + [0]
        }
        let sizes = [50_000, byteCount, 50_000, byteCount, byteCount, 50_000]
        let bytes = sizes.map(frame).joined()
        for size in [131_072, 4_096] {
            let parsed = parse(Array(bytes), feeding: Feeding(sizes: [size], chunkCapacity: 131_072))
            #expect(parsed.frames.map(\.body.count) == sizes)
            #expect(parsed.failure == nil)
        }
    }

    @Test("The part of a frame that has come moves along to the next chunk")
    func partialFrameMoves() throws {
        var parser = FrameParser(version: .v12, pool: ChunkPool(chunkCapacity: 5_000, freeLimit: 2))
        let long = wire("MESSAGE\nk:v\n\n") + [UInt8](repeating: 0x61, count: 2_000)
        #expect(try self.feed(self.message + long, to: &parser).count == 1)
        let old = parser.chunk
        let frames = try self.feed([0] + self.message, to: &parser)
        #expect(parser.chunk !== old)
        #expect(frames.map { Int($0.start) } == [0, long.count + 1])
        #expect(parser.chunk.body(of: frames[0]).count == 2_000)
    }

    @Test("A chunk made for one large frame is let go of after it")
    func largeChunkIsReleased() throws {
        let pool = ChunkPool(chunkCapacity: 8_192, freeLimit: 2)
        var parser = FrameParser(version: .v12, pool: pool)
        #expect(try self.feed(wire("MESSAGE\ncontent-length:50000\n\n"), to: &parser).isEmpty)
        let room = parser.freeSpace()
        #expect(room.count == 50_001)
        room.initializeMemory(as: UInt8.self, repeating: 0)
        parser.received(room.count)
        #expect(try parser.next() != nil)
        #expect(parser.chunk.capacity > 50_000)
        _ = parser.freeSpace()
        #expect(parser.chunk.capacity == 8_192)
    }

    @Test("An idle parser holds no chunk; one in the middle of a frame does")
    func releaseWhenIdle() throws {
        var parser = FrameParser(version: .v12, pool: ChunkPool(chunkCapacity: 8_192, freeLimit: 2))
        #expect(parser.chunk.capacity == 0)
        _ = try self.feed(self.message, to: &parser)
        parser.releaseChunk()
        #expect(parser.chunk.capacity == 0)
        #expect(try self.feed(wire("MESSAGE\n\nbo"), to: &parser).isEmpty)
        parser.releaseChunk()
        #expect(parser.chunk.capacity == 8_192)
        let frames = try self.feed(wire("dy\0"), to: &parser)
        #expect(parser.chunk.body(of: frames[0]).elementsEqual(wire("body")))
    }

    @Test("A pool gives back the memory of chunks that are gone")
    func poolRecycles() {
        let pool = ChunkPool(chunkCapacity: 1_000, freeLimit: 1)
        let base = pool.take().base
        let again = pool.take()
        #expect(again.base == base)
        #expect(again.capacity == 1_000)
        let other = pool.take()
        #expect(other.base != base)
    }

    @Test("A frame reference is 32 bytes, and knows how many bytes its frame has")
    func reference() throws {
        #expect(MemoryLayout<FrameReference>.stride == 32)
        var parser = FrameParser(version: .v12)
        let frames = try self.feed(self.message + self.message, to: &parser)
        #expect(frames.map(\.byteCount) == [self.message.count - 1, self.message.count - 1])
        #expect(frames.map(\.bodyByteCount) == [4, 4])
    }

    @Test("Headers beyond 64 KiB are not noted, and found all the same")
    func offsetsBeyond16Bits() throws {
        for length in [65_500, 65_535 - 24, 65_535 - 23, 65_535 - 22, 65_535, 70_000] {
            // MESSAGE LF, `x:` and LF around the filler: so the value stands at 8 + 2 + length + 1 + 13.
            let filler = String(repeating: "f", count: length)
            var limits = STOMPLimits()
            limits.headerLineLimit = 100_000
            let bytes = wire("MESSAGE\nx:\(filler)\nsubscription:7\nack:9\nmessage-id:8\n\nbody\0")
            var parser = FrameParser(
                version: .v12,
                limits: limits,
                pool: ChunkPool(chunkCapacity: 100_000, freeLimit: 1)
            )
            let frame = try #require(try self.feed(bytes, to: &parser).first)
            let block = parser.chunk.headerBlock(of: frame, rules: HeaderRules(version: .v12))
            let expected = 8 + 2 + length + 1 + 13
            #expect(Int(frame.subscription.offset) == (expected <= 65_535 ? expected : 0))
            #expect(block.value(of: .subscription) == "7")
            #expect(block.value(of: .ack) == "9")
            #expect(block.value(of: .messageID) == "8")
            if frame.subscription.isNoted { #expect(block.rawValue(at: frame.subscription).elementsEqual(wire("7"))) }
        }
    }
}
