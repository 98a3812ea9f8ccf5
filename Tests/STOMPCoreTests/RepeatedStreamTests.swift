// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import TestSupport
import Testing

/// Random streams of what brokers really send: runs of frames that differ in their values only.
@Suite("Random runs of frames of one layout", .longRun)
struct RepeatedStreamTests {
    private static let cases = STOMPVersion.all.flatMap { version in (1...10).map { (version, UInt64($0)) } }

    /// The names, the lengths of values and the line ends that the frames of a run share.
    private struct Layout {
        struct Line {
            let name: String
            let valueCount: Int
            let end: [UInt8]
        }

        let command: String
        let commandEnd: [UInt8]
        let blankEnd: [UInt8]
        let lines: [Line]

        init(_ random: inout SplitMix64, version: STOMPVersion) {
            func end(_ random: inout SplitMix64) -> [UInt8] {
                version == .v12 && random.once(in: 3) ? [13, 10] : [10]
            }
            let names = ["subscription", "message-id", "ack", "destination", "content-length", "x", "content-typ"]
            self.command = ["MESSAGE", "MESSAGE", "MESSAGE", "RECEIPT", "ERROR"].randomElement(using: &random)!
            (self.commandEnd, self.blankEnd) = (end(&random), end(&random))
            self.lines = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                let name = names.randomElement(using: &random)!
                let most = name == "content-length" ? 2 : random.once(in: 10) ? 150 : 8
                return Line(name: name, valueCount: Int.random(in: 1...most, using: &random), end: end(&random))
            }
        }

        func frame(_ random: inout SplitMix64) -> [UInt8] {
            var bytes = Array(self.command.utf8) + self.commandEnd
            var bodyCount: Int?
            for line in self.lines {
                bytes += Array(line.name.utf8) + [58]
                if line.name == "content-length" {
                    let count =
                        line.valueCount == 1
                        ? Int.random(in: 0...9, using: &random) : .random(in: 10...40, using: &random)
                    bytes += Array(String(count).utf8)
                    bodyCount = bodyCount ?? count
                } else {
                    let letters: ClosedRange<UInt8> = random.once(in: 2) ? 48...57 : 97...122
                    bytes += (0..<line.valueCount).map { _ in UInt8.random(in: letters, using: &random) }
                }
                bytes += line.end
            }
            bytes += self.blankEnd
            let lowest: UInt8 = bodyCount == nil ? 1 : 0
            let count = self.command == "RECEIPT" ? bodyCount ?? 0 : bodyCount ?? Int.random(in: 0...30, using: &random)
            return bytes + (0..<count).map { _ in UInt8.random(in: lowest...13, using: &random) } + [0]
        }
    }

    private func stream(_ random: inout SplitMix64, version: STOMPVersion) -> [UInt8] {
        let layouts = (0..<Int.random(in: 1...3, using: &random)).map { _ in Layout(&random, version: version) }
        var bytes: [UInt8] = []
        while bytes.count < 1_500 {
            let layout = layouts.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                if random.once(in: 6) { bytes.append(10) }
                bytes += layout.frame(&random)
            }
        }
        return bytes
    }

    private func randomFeeding(_ random: inout SplitMix64) -> Feeding {
        let sizes = (0..<Int.random(in: 0...4, using: &random)).map { _ in Int.random(in: 1...300, using: &random) }
        return Feeding(
            sizes: sizes,
            chunkCapacity: [64, 4_500, 8_192, 128 * 1024].randomElement(using: &random)!,
            keepsChunks: random.once(in: 2)
        )
    }

    private func compare(_ bytes: [UInt8], _ version: STOMPVersion, _ random: inout SplitMix64, _ note: String) {
        for leniency in [STOMPLeniency.lenient, .strict] {
            let feeding = self.randomFeeding(&random)
            let parsed = parse(bytes, version: version, leniency: leniency, feeding: feeding)
            let reference = ReferenceParser(version: version, leniency: leniency).parse(bytes)
            let note = Comment(rawValue: "\(note), \(leniency), \(feeding), \(bytes)")
            #expect(parsed.frames == reference.frames, note)
            guard parsed.failure != .bodyTooLarge else { continue }
            #expect(parsed.failure == reference.failure, note)
            for notes in FrameNotes.all(in: bytes, version: version, leniency: leniency) {
                #expect(notes == notes.alone(version: version, leniency: leniency), note)
            }
            guard parsed.failure == nil else { continue }
            #expect(parsed.hasPartialFrame == reference.hasPartialFrame, note)
            #expect(parsed.endOfLineCount == reference.endOfLineCount, note)
        }
    }

    @Test("As they are", arguments: cases)
    func sound(version: STOMPVersion, seed: UInt64) {
        var random = SplitMix64(seed: seed &+ 5_000)
        for round in 0..<6 {
            let bytes = self.stream(&random, version: version)
            self.compare(bytes, version, &random, "seed \(seed), round \(round)")
        }
    }

    @Test("With one byte changed", arguments: cases)
    func mutated(version: STOMPVersion, seed: UInt64) {
        var random = SplitMix64(seed: seed &+ 6_000)
        let special: [UInt8] = [0, 10, 13, 58, 92, 32, 43, 45, 48, 57, 0x80, 0xff]
        for round in 0..<4 {
            let sound = self.stream(&random, version: version)
            for _ in 0..<6 {
                var bytes = sound
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if random.once(in: 2) {
                    bytes[place] = special.randomElement(using: &random)!
                } else {
                    bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
                }
                self.compare(bytes, version, &random, "seed \(seed), round \(round)")
            }
        }
    }
}
