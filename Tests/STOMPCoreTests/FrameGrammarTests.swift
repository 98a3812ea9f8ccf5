// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("The grammar of frames")
struct FrameGrammarTests {
    private static let profiles: [STOMPLeniency] = [.strict, .lenient]

    @Test("S12-FRM-2 each line of 1.2 ends in LF or CR LF as it likes")
    func lineEndsOf12() {
        let expected = [STOMPFrame(.message, headers: ["a": "1", "b": ""], body: wire("x"))]
        for ends in 0..<16 {
            let end = (0..<4).map { ends & (1 << $0) == 0 ? "\n" : "\r\n" }
            let text = "MESSAGE\(end[0])a:1\(end[1])b:\(end[2])\(end[3])x\0"
            for leniency in Self.profiles { #expect(parse(text, leniency: leniency).frames == expected) }
        }
    }

    @Test("S11-FRM-3 before 1.2 a CR belongs to the value (trap 4); the strict profile refuses it elsewhere")
    func carriageReturnBefore12() {
        for version in [STOMPVersion.v10, .v11] {
            for leniency in Self.profiles {
                let parsed = parse("MESSAGE\nid:123\r\n\n\0", version: version, leniency: leniency)
                #expect(parsed.frames == [STOMPFrame(.message, headers: [.id: "123\r"])])
            }
            for text in ["MESSAGE\r\na:b\n\n\0", "MESSAGE\na:b\n\r\n\0", "\r\nMESSAGE\n\n\0"] {
                #expect(parse(text, version: version).frames.count == 1, "\(text)")
                #expect(parse(text, version: version, leniency: .strict).failure == .protocolViolation, "\(text)")
            }
            let length = "MESSAGE\ncontent-length:1\r\n\nx\0"
            #expect(parse(length, version: version).frames.map(\.body) == [wire("x")])
            #expect(parse(length, version: version, leniency: .strict).failure == .protocolViolation)
        }
    }

    @Test(
        "S12-FRM-4 one CR before the LF is removed, any other is an error",
        arguments: [
            "COMM\rAND\n\n\0", "CONNECT\r\r\n\n\0", "MESSAGE\na\r:b\n\n\0", "MESSAGE\na:b\r\r\n\n\0",
            "MESSAGE\na:\rb\n\n\0",
        ]
    )
    func otherCarriageReturns(text: String) {
        #expect(parse(text, leniency: .strict).failure == .protocolViolation)
        #expect(parse(text).frames.count == 1)
    }

    @Test("S12-FRM-4 a line of two CRs is not blank")
    func twoCarriageReturns() {
        for leniency in Self.profiles {
            #expect(parse("MESSAGE\n\r\r\n\0", leniency: leniency).failure == .protocolViolation)
        }
        #expect(parse("MESSAGE\na:b\r\r\n\n\0").frames.first?.headers == ["a": "b\r"])
    }

    @Test("S12-FRM-5 EOLs before and between frames are counted and skipped")
    func endOfLinesBetweenFrames() {
        for leniency in Self.profiles {
            let parsed = parse("\n\r\n\nRECEIPT\nreceipt-id:1\n\n\0\n\n\r\nMESSAGE\n\n\0\r\n", leniency: leniency)
            #expect(parsed.frames.map(\.command) == [.receipt, .message])
            #expect(parsed.endOfLineCount == 7)
            #expect(parse("\n\n\n", leniency: leniency) == Parsed(endOfLineCount: 3))
        }
    }

    @Test("S12-FRM-6 commands and names are case-sensitive")
    func caseMatters() throws {
        for (name, kind) in [("MESSAGE", FrameReference.Kind.message), ("message", .other), ("Message", .other)] {
            var parser = FrameParser(version: .v12)
            let bytes = wire("\(name)\n\n\0")
            parser.freeSpace().copyBytes(from: bytes)
            parser.received(bytes.count)
            let frame = try #require(try parser.next())
            #expect(frame.kind == kind)
        }
        let parsed = parse("MESSAGE\nContent-Length:1\n\nab\0")
        #expect(parsed.frames.first?.body == wire("ab"))
        #expect(parsed.frames.first?.headers[.contentLength] == nil)
        #expect(STOMPHeaders.Name("Ack") != .ack && STOMPCommand(rawValue: "send") != .send)
    }

    @Test("The command line tells the frame's kind, and nothing near it does")
    func kinds() throws {
        let kinds: [(String, FrameReference.Kind)] = [
            ("MESSAGE", .message), ("RECEIPT", .receipt), ("ERROR", .error), ("CONNECTED", .connected),
            ("MESSAGE\r", .message), ("ERROR\r", .error), ("CONNECTED\r", .connected), ("MESSAG", .other),
            ("MESSAGES", .other), ("RECEIP", .other), ("ERRO", .other), ("ERRORS", .other), ("CONNECTE", .other),
            ("CONNECTEE", .other), ("CONNECT", .other), ("CONNECTEDD", .other), ("M", .other), ("MESSAGE ", .other),
        ]
        for (line, kind) in kinds {
            var parser = FrameParser(version: .v12)
            let bytes = wire("\(line)\n\n\0")
            parser.freeSpace().copyBytes(from: bytes)
            parser.received(bytes.count)
            let frame = try #require(try parser.next())
            #expect(frame.kind == kind, "\(line)")
        }
    }

    @Test(
        "S12-FRM-8 S12-FRM-10 a header without a name or without a colon is an error (trap 8)",
        arguments: [":value", ":", "a", "no colon here", "a:1\n:b", "a:1\nb", "é"]
    )
    func badHeaderLines(line: String) {
        for version in STOMPVersion.all {
            for leniency in Self.profiles {
                let parsed = parse("MESSAGE\n\(line)\n\n\0", version: version, leniency: leniency)
                #expect(parsed.failure == .protocolViolation)
                #expect(parsed.frames.isEmpty)
            }
        }
    }

    @Test("S12-FRM-8 S12-FRM-10 a colon of an earlier or a later line does not count, wherever the blocks end")
    func colonsOfOtherLines() {
        for length in 1...140 {
            let name = String(repeating: "n", count: length)
            #expect(parse("MESSAGE\na:b\n\(name)\nc:d\n\n\0").failure == .protocolViolation)
            #expect(parse("MESSAGE\na:b\n\(name):\nc:d\n\n\0").frames.first?.headers.count == 3)
        }
    }

    @Test("S12-FRM-9 a value may be empty from 1.1 on (trap 8)")
    func emptyValues() throws {
        for version in [STOMPVersion.v11, .v12] {
            let parsed = parse("MESSAGE\na:\nb:\n\n\0", version: version, leniency: .strict)
            #expect(parsed.frames == [STOMPFrame(.message, headers: ["a": "", "b": ""])])
            #expect(try serialize(STOMPFrame(.send, headers: ["a": ""]), version: version) == wire("SEND\na:\n\n\0"))
        }
        #expect(parse("MESSAGE\na:\n\n\0", version: .v10, leniency: .strict).failure == .protocolViolation)
        #expect(parse("CONNECTED\na:\n\n\0", version: .v10, leniency: .strict).failure == nil)
        let frame = STOMPFrame(.send, headers: ["a": ""])
        #expect(failure { () throws(STOMPError) in try serialize(frame, version: .v10) } == .invalidArgument)
    }

    @Test("S12-FRM-11 a raw colon in a value is an error by the letter of 1.1 and 1.2, and is never written")
    func rawColon() throws {
        for version in [STOMPVersion.v11, .v12] {
            #expect(parse("MESSAGE\na:b:c\n\n\0", version: version, leniency: .strict).failure == .protocolViolation)
            #expect(
                try serialize(STOMPFrame(.send, headers: ["a": "b:c"]), version: version) == wire("SEND\na:b\\cc\n\n\0")
            )
        }
    }

    @Test("S10-FRM-12 in 1.0 a value may have colons; the first one ends the name")
    func colonsIn10() throws {
        for leniency in Self.profiles {
            let parsed = parse("MESSAGE\na:b:c::\n\n\0", version: .v10, leniency: leniency)
            #expect(parsed.frames.first?.headers == ["a": "b:c::"])
        }
        #expect(try serialize(STOMPFrame(.send, headers: ["a": "b:c"]), version: .v10) == wire("SEND\na:b:c\n\n\0"))
    }

    @Test("SX-FRM-13 raw colons in values are taken; the first one ends the name (trap 8)")
    func rawColonIsTaken() {
        for version in [STOMPVersion.v11, .v12] {
            let parsed = parse("MESSAGE\na:b:c\nmessage-id:ID:vm-1:2\n\n\0", version: version)
            #expect(parsed.frames.first?.headers == ["a": "b:c", .messageID: "ID:vm-1:2"])
        }
        let connected = parse("CONNECTED\nsession:ID:vm-..-3:2\n\n\0", leniency: .strict)
        #expect(connected.frames.first?.headers[.session] == "ID:vm-..-3:2")
    }

    @Test("SX-FRM-15 NULs and lone CRs between frames are skipped, unless strict (trap 16)")
    func strayOctets() {
        for stray in ["\0", "\0\0", "\r", "\n\r\0\n"] {
            let text = "MESSAGE\n\n\0\(stray)MESSAGE\n\n\0"
            #expect(parse(text).frames.count == 2)
            let strict = parse(text, leniency: .strict)
            #expect(strict.frames.count == 1)
            #expect(strict.failure == .protocolViolation)
        }
    }

    @Test("A NUL before the blank line is an error")
    func nulInHeaders() {
        for text in ["MESS\0AGE\n\n\0", "MESSAGE\0", "MESSAGE\na:\0b\n\n\0", "MESSAGE\na:b\n\0\n", "M\0"] {
            for leniency in Self.profiles { #expect(parse(text, leniency: leniency).failure == .protocolViolation) }
        }
    }

    @Test("A strict reader waits for what follows a CR between frames")
    func strictWaitsAfterCarriageReturn() {
        #expect(parse("\r", leniency: .strict) == Parsed())
        #expect(parse("\r\n", leniency: .strict, feeding: .byteByByte) == Parsed(endOfLineCount: 1))
        #expect(parse("\rM", leniency: .strict, feeding: .byteByByte).failure == .protocolViolation)
    }
}
