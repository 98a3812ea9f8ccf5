// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import TestSupport
import Testing

/// Frames that are laid out as the ones before them are recognised without a look at their lines: with the same result.
@Suite("Frames that repeat a layout", .longRun)
struct RepeatedHeaderTests {
    private static let profiles: [(STOMPVersion, STOMPLeniency)] = STOMPVersion.all.flatMap { version in
        [(version, .lenient), (version, .strict)]
    }

    /// More than it takes to learn a layout.
    private static let run = 6

    private static let frames = [
        "MESSAGE\nsubscription:7\nmessage-id:a-1\nack:b\ncontent-length:12\n\nhello, world\0",
        "MESSAGE\ndestination:/q\nsubscription:12\nsubscription:3\nmessage-id:a\nmessage-id:b\n\nbody\0",
        "MESSAGE\ncontent-length:2\nx:\ncontent-length:9\n\n\0a\0",
        "RECEIPT\nreceipt-id:77\n\n\0",
        "WHATEVER\na:b\n\n\0",
        "MESSAGE\n\n\0",
    ]

    /// A run of `frame`, then `tail`: as the reference has it, and with the notes that a fresh parser makes.
    private func compare(
        _ frame: [UInt8],
        _ tail: [UInt8],
        _ version: STOMPVersion,
        _ leniency: STOMPLeniency,
        feeding: Feeding = .whole,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let run = Array(repeating: frame, count: Self.run).flatMap(\.self)
        let parsed = parse(run + tail, version: version, leniency: leniency, feeding: feeding)
        let reference = ReferenceParser(version: version, leniency: leniency)
        var expected = reference.parse(run)
        if expected.failure == nil {
            let rest = reference.parse(tail)
            expected.frames += rest.frames
            expected.endOfLineCount += rest.endOfLineCount
            (expected.failure, expected.hasPartialFrame) = (rest.failure, rest.hasPartialFrame)
        }
        let note = Comment(rawValue: "\(version), \(leniency), \(feeding): \(String(decoding: tail, as: UTF8.self))")
        #expect(parsed.frames == expected.frames, note, sourceLocation: sourceLocation)
        #expect(parsed.failure == expected.failure, note, sourceLocation: sourceLocation)
        guard parsed.failure == nil else { return }
        #expect(parsed.hasPartialFrame == expected.hasPartialFrame, note, sourceLocation: sourceLocation)
        #expect(parsed.endOfLineCount == expected.endOfLineCount, note, sourceLocation: sourceLocation)
        for notes in FrameNotes.all(in: run + tail, version: version, leniency: leniency).dropFirst(Self.run - 1) {
            #expect(notes == notes.alone(version: version, leniency: leniency), note, sourceLocation: sourceLocation)
        }
    }

    @Test("Any byte of the headers changed into any that means something", arguments: profiles)
    func changedByte(version: STOMPVersion, leniency: STOMPLeniency) {
        for text in Self.frames {
            // With the line ends of 1.2 too; where they are not allowed, the first frame is the failure.
            for frame in [
                wire(text),
                wire(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")),
            ] {
                for place in 0..<frame.count {
                    for byte in [0, 10, 13, 32, 43, 45, 48, 57, 58, 92, 120, 0xff] as [UInt8] where frame[place] != byte
                    {
                        var changed = frame
                        changed[place] = byte
                        self.compare(frame, changed + frame, version, leniency)
                    }
                }
                if version != .v12 { break }
            }
        }
    }

    @Test("A byte more and a byte less, at any place", arguments: profiles)
    func insertedByte(version: STOMPVersion, leniency: STOMPLeniency) {
        let frame = wire(Self.frames[0])
        for place in 0..<frame.count {
            for byte in [0, 10, 13, 48, 58] as [UInt8] {
                self.compare(frame, frame[..<place] + [byte] + frame[place...] + frame, version, leniency)
            }
            self.compare(frame, frame[..<place] + frame[(place + 1)...] + frame, version, leniency)
        }
    }

    @Test("Reads cut at every byte, in a large and in a small chunk", arguments: profiles)
    func cuts(version: STOMPVersion, leniency: STOMPLeniency) {
        for text in Self.frames.prefix(3) {
            let frame = wire(text)
            let count = frame.count
            for cut in (Self.run - 1) * count...(Self.run + 2) * count {
                for capacity in [64, 128 * 1024] {
                    let feeding = Feeding(cut: cut, chunkCapacity: capacity, keepsChunks: cut % 2 == 0)
                    self.compare(frame, frame + frame, version, leniency, feeding: feeding)
                }
            }
            self.compare(frame, frame + frame, version, leniency, feeding: .byteByByte)
        }
    }

    @Test(
        "A name that comes to mean something, or ceases to",
        arguments: [
            ("Content-length:3", "content-length:3"), ("subscriptio_:42", "subscription:42"),
            ("message_id:42", "message-id:42"), ("acK:42", "ack:42"), ("MESSAGF\na:b", "MESSAGE\na:b"),
            ("RECEIPS\na:b", "RECEIPT\na:b"), ("ERROS\na:b", "ERROR\na:b"), ("CONNECTEE\na:b", "CONNECTED\na:b"),
        ]
    )
    func changedName(plain: String, known: String) {
        let command = plain.contains("\n") ? "" : "MESSAGE\n"
        let texts = [plain, known].map { "\(command)\($0)\nx:y\n\nabc\0" }
        // Where the length counts, the NULs are of the body.
        let withNULs = texts.map { $0.replacing("abc", with: "a\0c") }
        for (version, leniency) in Self.profiles {
            self.compare(wire(texts[0]), wire(texts[1] + texts[0] + texts[1]), version, leniency)
            self.compare(wire(texts[1]), wire(texts[0] + texts[1] + texts[0]), version, leniency)
            self.compare(wire(texts[0]), wire(withNULs[1] + texts[0]), version, leniency)
            self.compare(wire(withNULs[1]), wire(withNULs[0] + withNULs[1]), version, leniency)
        }
    }

    // MARK: - content-length

    private func counted(_ length: String, _ body: String) -> [UInt8] {
        wire("MESSAGE\na:b\ncontent-length:\(length)\nsubscription:1\n\n\(body)\0")
    }

    @Test("Each length is read anew, also when its digits are none")
    func lengths() {
        let bodies = [0, 1, 9, 10, 12, 99, 100, 999, 1_000, 9_999].map { ($0, String(repeating: "\0", count: $0)) }
        for (version, leniency) in Self.profiles {
            for (size, body) in bodies {
                let frame = self.counted("\(size)", body)
                for (other, otherBody) in bodies where "\(other)".count == "\(size)".count {
                    self.compare(frame, self.counted("\(other)", otherBody) + frame, version, leniency)
                }
            }
            let frame = self.counted("12", "hello, world")
            for length in ["05", "00", "+5", "-5", " 5", "5 ", "5\r", "1x", "x1", "::", "0x", "5:", "\u{7f}1"] {
                self.compare(frame, self.counted(length, "hello") + frame, version, leniency)
            }
            let padded = self.counted("0000000012", "hello, world")
            self.compare(padded, self.counted("0000000005", "hello") + padded, version, leniency)
            self.compare(padded, self.counted("00000000x2", "hello") + padded, version, leniency)
            let empty = self.counted("0", "")
            self.compare(empty, self.counted("5", "hello") + empty + empty, version, leniency)
            self.compare(self.counted("5", "hello"), empty + self.counted("5", "hello"), version, leniency)
        }
    }

    @Test("The limit of a body holds, at the length, without a look at the body")
    func bodyLimit() {
        var limits = STOMPLimits()
        limits.bodyLimit = 20
        let run = Array(repeating: self.counted("12", "hello, world"), count: Self.run).flatMap(\.self)
        for feeding in [Feeding.whole, .byteByByte] {
            let good = parse(
                run + self.counted("20", String(repeating: "\0", count: 20)),
                limits: limits,
                feeding: feeding
            )
            #expect(good.failure == nil && good.frames.count == Self.run + 1)
            for length in ["21", "99"] {
                let bad = parse(run + self.counted(length, ""), limits: limits, feeding: feeding)
                #expect(bad.failure == .bodyTooLarge && bad.frames.count == Self.run)
            }
        }
        let open = wire("MESSAGE\na:b\n\n12345678901234567890\0")
        let openRun = Array(repeating: open, count: Self.run).flatMap(\.self)
        #expect(parse(openRun, limits: limits).frames.count == Self.run)
        #expect(
            parse(openRun + wire("MESSAGE\na:b\n\n123456789012345678901\0"), limits: limits).failure == .bodyTooLarge
        )
    }

    // MARK: - Rules, sizes and order

    @Test("What was learnt under the rules of one version does not hold under another's")
    func versionSwitched() {
        let withCR = Array(repeating: wire("MESSAGE\r\na:b\r\n\r\nx\0"), count: Self.run).flatMap(\.self)
        let withBlankCR = Array(repeating: wire("MESSAGE\na:b\n\r\nx\0"), count: Self.run).flatMap(\.self)
        for bytes in [withCR, withBlankCR] {
            for version in [STOMPVersion.v10, .v11] {
                var driver = ParserDriver(version: .v12, leniency: .strict)
                driver.feed(bytes)
                #expect(driver.parsed.frames.count == Self.run && driver.parsed.failure == nil)
                driver.parser.version = version
                driver.feed(bytes)
                #expect(driver.parsed.frames.count == Self.run && driver.parsed.failure == .protocolViolation)
            }
        }
        // A line of one CR: a violation before 1.2, and the blank line in it.
        var driver = ParserDriver(version: .v11, leniency: .strict)
        let text = wire("MESSAGE\na:b\n\nx\0")
        driver.feed(Array(repeating: text, count: Self.run).flatMap(\.self))
        driver.parser.version = .v12
        driver.feed(wire("MESSAGE\na:b\n\r\nx\0") + text + text)
        #expect(driver.parsed.frames.map(\.body) == Array(repeating: wire("x"), count: Self.run + 3))
    }

    @Test("Headers around the longest that are remembered", arguments: [15, 16, 17, 63, 64, 65, 511, 512, 513, 514])
    func sizes(byteCount: Int) {
        let fixed = "MESSAGE\na:\n\n".utf8.count
        let value = byteCount < fixed + 1 ? "" : String(repeating: "v", count: byteCount - fixed)
        let frame = wire("MESSAGE\na:\(value)\n\nx\0")
        for (version, leniency) in Self.profiles {
            let place = frame.count - 5
            for byte in [0, 10, 13, 58] as [UInt8] {
                var changed = frame
                changed[place] = byte
                self.compare(frame, changed + frame, version, leniency)
            }
            self.compare(frame, frame, version, leniency, feeding: Feeding(sizes: [frame.count]))
            self.compare(frame, frame, version, leniency, feeding: Feeding(sizes: [frame.count - 1]))
            self.compare(frame, frame, version, leniency, feeding: Feeding(sizes: [byteCount, 2]))
        }
    }

    @Test("Frames that end where the chunk does", arguments: [20, 31, 32, 33, 47, 48, 49])
    func chunkEnd(byteCount: Int) {
        let frame = wire("MESSAGE\na:\(String(repeating: "v", count: byteCount - 14))\n\nx\0")
        let bytes = Array(repeating: frame, count: 400).flatMap(\.self)
        for capacity in [frame.count * 200, frame.count * 200 + 1, frame.count * 200 - 1] {
            let parsed = parse(bytes, feeding: Feeding(chunkCapacity: capacity, keepsChunks: true))
            #expect(parsed.frames.count == 400 && Set(parsed.frames.map(\.body)) == [wire("x")])
        }
    }

    @Test("Two and three layouts that alternate, in any rhythm")
    func alternating() {
        let frames = [0, 1, 3].map { wire(Self.frames[$0]) }
        for rhythm in 1...6 {
            var bytes: [UInt8] = []
            for turn in 0..<60 { bytes += frames[turn / rhythm % 3] + frames[turn % 2] }
            for (version, leniency) in Self.profiles {
                let reference = ReferenceParser(version: version, leniency: leniency).parse(bytes)
                #expect(parse(bytes, version: version, leniency: leniency) == reference)
                for notes in FrameNotes.all(in: bytes, version: version, leniency: leniency) {
                    #expect(notes == notes.alone(version: version, leniency: leniency))
                }
            }
        }
    }
}
