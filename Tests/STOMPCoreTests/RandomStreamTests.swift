// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import TestSupport
import Testing

@Suite("Random streams", .longRun)
struct RandomStreamTests {
    private static let cases = STOMPVersion.all.flatMap { version in (1...8).map { (version, UInt64($0)) } }

    private func randomFeeding(_ random: inout SplitMix64) -> Feeding {
        let sizes = (0..<Int.random(in: 0...4, using: &random)).map { _ in Int.random(in: 1...200, using: &random) }
        return Feeding(
            sizes: random.once(in: 5) ? [1] : sizes,
            chunkCapacity: [64, 100, 4_500, 8_192, 128 * 1024].randomElement(using: &random)!,
            keepsChunks: random.once(in: 2)
        )
    }

    @Test("Frames of an independent encoder come back as they were", arguments: cases)
    func roundTrip(version: STOMPVersion, seed: UInt64) {
        var source = RandomFrames(seed: seed, version: version)
        var frames: [STOMPFrame] = []
        var bytes: [UInt8] = []
        for _ in 0..<40 {
            let (frame, encoded) = source.next()
            frames.append(frame)
            bytes += encoded
        }
        let feeding = self.randomFeeding(&source.random)
        for leniency in [STOMPLeniency.lenient, .strict] {
            let parsed = parse(bytes, version: version, leniency: leniency, feeding: feeding)
            #expect(parsed.frames == frames, "seed \(seed), \(feeding)")
            #expect(parsed.failure == nil, "seed \(seed), \(feeding)")
            let reference = ReferenceParser(version: version, leniency: leniency).parse(bytes)
            #expect(reference == parsed, "seed \(seed): the reference differs")
        }
    }

    @Test("What the serializer writes comes back as it was, through the reference parser", arguments: cases)
    func serializerRoundTrip(version: STOMPVersion, seed: UInt64) throws {
        var source = RandomFrames(seed: seed &+ 1_000, version: version)
        for _ in 0..<40 {
            var (frame, _) = source.next()
            frame.headers[.contentLength] = nil
            guard
                version > .v10
                    || frame.headers.fields.allSatisfy({ ($0.name.rawValue + $0.value).utf8.allSatisfy { $0 < 128 } })
            else { continue }
            let parsed = ReferenceParser(version: version, leniency: .strict).parse(
                try serialize(frame, version: version)
            )
            #expect(parsed.failure == nil && parsed.frames.count == 1, "seed \(seed)")
            var result = parsed.frames.first ?? STOMPFrame("NONE")
            #expect(
                result.headers[.contentLength] == (frame.body.isEmpty ? nil : String(frame.body.count)),
                "seed \(seed)"
            )
            result.headers[.contentLength] = nil
            #expect(result == frame, "seed \(seed)")
        }
    }

    @Test("Damaged frames: the same frames as the reference, then the same verdict", arguments: cases)
    func mutated(version: STOMPVersion, seed: UInt64) {
        var source = RandomFrames(seed: seed &+ 2_000, version: version)
        for round in 0..<60 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...4, using: &source.random) { bytes += source.next().bytes }
            for _ in 0..<Int.random(in: 1...3, using: &source.random) { self.damage(&bytes, &source.random) }
            self.compare(bytes, version: version, note: "seed \(seed), round \(round)", random: &source.random)
        }
    }

    @Test("Garbage: the same frames as the reference, then the same verdict", arguments: cases)
    func garbage(version: STOMPVersion, seed: UInt64) {
        var random = SplitMix64(seed: seed &+ 3_000)
        let pieces = [
            "MESSAGE", "\n", "\n", "\r\n", "\n\n", "\0", ":", "a", "\\", "content-length:", "1", "7", "-", " ", "é",
            "CONNECTED", "subscription:", "\r", "message-id:", "ack:", "\\n", "\\r", "x:y\n",
        ].map(wire)
        for round in 0..<150 {
            var bytes = random.once(in: 2) ? wire("MESSAGE\n") : []
            for _ in 0..<Int.random(in: 1...60, using: &random) {
                if random.once(in: 12) {
                    bytes.append(UInt8.random(in: 0...255, using: &random))
                } else {
                    bytes += pieces.randomElement(using: &random)!
                }
            }
            self.compare(bytes, version: version, note: "seed \(seed), round \(round)", random: &random)
        }
    }

    private func damage(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let special: [UInt8] = [0, 10, 13, 58, 92, 32, 45, 0x80, 0xff]
        switch Int.random(in: 0...3, using: &random) {
        case 0: bytes[place] = special.randomElement(using: &random)!
        case 1: bytes.insert(special.randomElement(using: &random)!, at: place)
        case 2 where bytes.count > 1: bytes.remove(at: place)
        default: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        }
    }

    private func compare(_ bytes: [UInt8], version: STOMPVersion, note: String, random: inout SplitMix64) {
        let one = STOMPLeniency(rawValue: 1 << UInt32.random(in: 0..<12, using: &random))
        for leniency in [STOMPLeniency.lenient, .strict, .lenient.subtracting(one), one] {
            let feeding = self.randomFeeding(&random)
            let parsed = parse(bytes, version: version, leniency: leniency, feeding: feeding)
            let reference = ReferenceParser(version: version, leniency: leniency).parse(bytes)
            #expect(parsed.frames == reference.frames, "\(note), \(leniency), \(feeding), \(bytes)")
            // A length beyond the limit is a limit's error, which the reference does not know.
            guard parsed.failure != .bodyTooLarge else { continue }
            #expect(parsed.failure == reference.failure, "\(note), \(leniency), \(feeding), \(bytes)")
            guard parsed.failure == nil else { continue }
            #expect(parsed.hasPartialFrame == reference.hasPartialFrame, "\(note), \(leniency), \(feeding), \(bytes)")
            #expect(parsed.endOfLineCount == reference.endOfLineCount, "\(note), \(leniency), \(feeding), \(bytes)")
        }
    }

    @Test(
        "Endless garbage ends in an error or in frames, and holds no more memory than the limits say",
        arguments: 1...12
    )
    func boundedMemory(seed: UInt64) {
        var random = SplitMix64(seed: seed &+ 4_000)
        var limits = STOMPLimits()
        limits.headerLineLimit = 2_000
        limits.headerCountLimit = 50
        limits.headerBlockLimit = 5_000
        limits.bodyLimit = 20_000
        let alphabet: [[UInt8]] = [
            [0x41, 0x42, 0x3a, 0x0a], [0x41], [0x41, 0x3a, 0x3a, 0x0a, 0x41], [0x0a, 0x00, 0x0d], Array(0...255),
        ]
        let letters = alphabet.randomElement(using: &random)!
        let starts = ["MESSAGE\n", "MESSAGE\n\n", "MESSAGE\ncontent-length:20000\n\n", ""].map(wire)
        var bytes = starts.randomElement(using: &random)!
        while bytes.count < 200_000 { bytes.append(letters.randomElement(using: &random)!) }
        let feeding = Feeding(sizes: [Int.random(in: 50...3_000, using: &random)], chunkCapacity: 8_192)
        var driver = ParserDriver(version: .v12, limits: limits, feeding: feeding)
        driver.feed(bytes)
        // Twice what one frame may have, and one read.
        #expect(driver.largestChunk <= 2 * (5_000 + 20_000) + 8_192, "seed \(seed)")
        if driver.parsed.failure == nil { #expect(driver.consumed == bytes.count, "seed \(seed)") }
    }
}
