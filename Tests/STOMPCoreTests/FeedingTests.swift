// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import TestSupport
import Testing

@Suite("However the stream is cut, the same frames come out", .longRun)
struct FeedingTests {
    private static let feedings: [Feeding] = [
        .whole, .byteByByte,
        Feeding(sizes: [1], chunkCapacity: 64),
        Feeding(sizes: [1], chunkCapacity: 5_000, keepsChunks: true),
        Feeding(sizes: [2, 3, 5, 7], chunkCapacity: 100),
        Feeding(sizes: [63, 64, 65, 1], chunkCapacity: 4_200, keepsChunks: true),
        Feeding(sizes: [4_096], chunkCapacity: 64, keepsChunks: true),
    ]

    private func expected(_ vectors: [WireVector]) -> [STOMPFrame] {
        vectors.flatMap(\.frames)
    }

    @Test("S12-FRM-16 each vector, fed in every way", arguments: WireVector.all)
    func everyFeeding(vector: WireVector) {
        for leniency in vector.isStrict ? [STOMPLeniency.lenient, .strict] : [.lenient] {
            for feeding in Self.feedings {
                let parsed = parse(vector.bytes, version: vector.version, leniency: leniency, feeding: feeding)
                #expect(parsed.frames == vector.frames, "\(feeding)")
                #expect(parsed.failure == nil, "\(feeding)")
                #expect(!parsed.hasPartialFrame, "\(feeding)")
            }
        }
    }

    @Test("S12-FRM-16 each vector, split at every byte", arguments: WireVector.all)
    func everySplit(vector: WireVector) {
        for cut in 0...vector.bytes.count {
            let feeding = Feeding(cut: cut, chunkCapacity: cut.isMultiple(of: 2) ? 64 : 128 * 1024)
            let parsed = parse(vector.bytes, version: vector.version, feeding: feeding)
            #expect(parsed.frames == vector.frames, "\(feeding)")
            #expect(parsed.failure == nil, "\(feeding)")
        }
    }

    @Test("Many vectors in one stream", arguments: STOMPVersion.all)
    func concatenated(version: STOMPVersion) {
        let vectors = WireVector.all.filter { $0.version == version }
        let stream = Array([vectors, vectors.reversed(), vectors].joined())
        let bytes = stream.flatMap(\.bytes)
        for feeding in Self.feedings + [Feeding(sizes: [1_000], chunkCapacity: 6_000)] {
            let parsed = parse(bytes, version: version, feeding: feeding)
            #expect(parsed.frames == self.expected(stream), "\(feeding)")
            #expect(parsed.failure == nil, "\(feeding)")
        }
    }

    @Test("Frames larger than a chunk of the pool, with and without content-length")
    func largeFrames() {
        var random = SplitMix64(seed: 4)
        let text = (0..<30_000).map { _ in UInt8.random(in: 1...255, using: &random) }
        let binary = (0..<30_000).map { _ in UInt8.random(in: 0...3, using: &random) }
        let small = wire("RECEIPT\nreceipt-id:1\n\n\0\n")
        let stream =
            small + wire("MESSAGE\na:b\n\n") + text + [0] + small
            + wire("MESSAGE\ncontent-length:30000\n\n") + binary + [0] + small
        for feeding in [
            Feeding(sizes: [1_000], chunkCapacity: 64), Feeding(sizes: [999], chunkCapacity: 8_192),
            Feeding(sizes: [4_096, 1], chunkCapacity: 20_000, keepsChunks: true), Feeding(chunkCapacity: 64),
            Feeding(sizes: [17], chunkCapacity: 128 * 1024),
        ] {
            let parsed = parse(stream, feeding: feeding)
            #expect(parsed.failure == nil, "\(feeding)")
            #expect(parsed.frames.count == 5, "\(feeding)")
            #expect(parsed.frames.filter { $0.command == .message }.map(\.body) == [text, binary], "\(feeding)")
        }
    }

    @Test("S12-NEG-3 the version may change between two frames of one read: CONNECTED decides how the next one is read")
    func versionChangesBetweenFrames() throws {
        let bytes = wire("CONNECTED\nversion:1.1\nsession:a\\cb\n\n\0\nMESSAGE\nk:a\\nb\r\n\n\0")
        var parser = FrameParser(version: .v12)
        parser.freeSpace().copyBytes(from: bytes)
        parser.received(bytes.count)
        let first = try #require(try parser.next())
        #expect(first.kind == .connected)
        let connected = parser.chunk.decoded(first, version: .v12, leniency: .lenient)
        #expect(connected.headers == [.version: "1.1", .session: "a\\cb"])
        parser.version = .v11
        let second = try #require(try parser.next())
        let message = parser.chunk.decoded(second, version: .v11, leniency: .lenient)
        #expect(message.headers == ["k": "a\nb\r"])
        #expect(try parser.next() == nil)
    }

    @Test("A failure stays: the same error again, whatever comes after")
    func failureStays() {
        var driver = ParserDriver(feeding: .whole)
        driver.feed(wire("MESSAGE\nno colon\n\n\0"))
        #expect(driver.parsed.failure == .protocolViolation)
        let good = wire("RECEIPT\nreceipt-id:1\n\n\0")
        driver.parser.freeSpace().copyBytes(from: good)
        driver.parser.received(good.count)
        for _ in 0..<2 {
            #expect(throws: STOMPError.self) { try driver.parser.next() }
        }
    }

    @Test("Whether a frame is under way")
    func partialFrame() {
        for text in ["M", "MESSAGE\n", "MESSAGE\na:b\n\n", "MESSAGE\ncontent-length:3\n\nab", "\nM"] {
            #expect(parse(text).hasPartialFrame, "\(text)")
        }
        for text in ["", "\n\n", "\r\n", "MESSAGE\n\n\0", "MESSAGE\n\n\0\n"] {
            #expect(!parse(text).hasPartialFrame, "\(text)")
        }
    }
}
