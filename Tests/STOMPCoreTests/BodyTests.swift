// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Bodies and content-length")
struct BodyTests {
    private static let profiles: [STOMPLeniency] = [.strict, .lenient]

    @Test("S12-BDY-1 only SEND, MESSAGE and ERROR may have a body")
    func bodyByCommand() throws {
        for command in [STOMPCommand.send, .message, .error] {
            let parsed = parse("\(command)\n\nbody\0", leniency: .strict)
            #expect(parsed.frames == [STOMPFrame(command, body: wire("body"))])
            #expect(try serialize(parsed.frames[0]) == wire("\(command)\ncontent-length:4\n\nbody\0"))
        }
        for command in [STOMPCommand.receipt, .connected, .subscribe, .ack, .connect, .disconnect] {
            #expect(parse("\(command)\n\nbody\0", leniency: .strict).failure == .protocolViolation)
            #expect(parse("\(command)\ncontent-length:1\n\nx\0", leniency: .strict).failure == .protocolViolation)
            #expect(parse("\(command)\ncontent-length:0\n\n\0", leniency: .strict).failure == nil)
            let frame = STOMPFrame(command, body: wire("body"))
            #expect(failure { () throws(STOMPError) in try serialize(frame) } == .invalidArgument)
        }
    }

    @Test("S10-BDY-2 a body of another frame is read over and does no harm, unless strict")
    func unexpectedBody() {
        for version in STOMPVersion.all {
            let parsed = parse("RECEIPT\nreceipt-id:1\n\nbody\0RECEIPT\nreceipt-id:2\n\n\0", version: version)
            #expect(parsed.frames.map { $0.headers[.receiptID] } == ["1", "2"])
            #expect(parsed.frames.first?.body == wire("body"))
        }
    }

    @Test("S12-LEN-1 any frame may carry content-length")
    func anyFrame() {
        for command in ["CONNECTED", "RECEIPT", "MESSAGE", "ERROR", "SUBSCRIBE"] {
            for leniency in Self.profiles {
                let parsed = parse("\(command)\ncontent-length:0\n\n\0", leniency: leniency)
                #expect(parsed.frames.first?.headers == [.contentLength: "0"])
            }
        }
    }

    @Test("S12-LEN-2 exactly so many octets are read, NULs included, wherever the stream is cut (trap 6)")
    func octetsAreCounted() {
        let bytes = wire("MESSAGE\ncontent-length:5\n\nBod\0y\0")
        for cut in 0...bytes.count {
            for leniency in Self.profiles {
                let parsed = parse(bytes, leniency: leniency, feeding: Feeding(cut: cut))
                #expect(parsed.frames.map(\.body) == [wire("Bod\0y")])
            }
        }
        for count in 0..<bytes.count { #expect(parse(Array(bytes[..<count])).frames.isEmpty) }
        let nuls = parse(wire("MESSAGE\ncontent-length:3\n\n") + [0, 0, 0, 0])
        #expect(nuls.frames.map(\.body) == [[0, 0, 0]])
    }

    @Test("S12-FRM-14 the octet after the body must be a NUL (trap 7)")
    func lengthTooShort() {
        for leniency in Self.profiles {
            for length in 0..<5 where length != 3 {
                let parsed = parse("MESSAGE\ncontent-length:\(length)\n\nBod\0y\0", leniency: leniency)
                #expect(parsed.failure == .protocolViolation)
                #expect(parsed.frames.isEmpty)
            }
        }
    }

    @Test("S12-FRM-14 a content-length beyond the body waits (trap 7)")
    func lengthTooLong() {
        let parsed = parse("MESSAGE\ncontent-length:100\n\nBody\0MESSAGE\n\n\0")
        #expect(parsed == Parsed(hasPartialFrame: true))
    }

    @Test("S12-LEN-3 S12-LEN-4 S10-LEN-5 a body is written with its content-length, in every version")
    func lengthIsWritten() throws {
        for version in STOMPVersion.all {
            let plain = STOMPFrame(.send, headers: [.destination: "/q"], body: wire("abc"))
            #expect(try serialize(plain, version: version) == wire("SEND\ndestination:/q\ncontent-length:3\n\nabc\0"))
            let binary = STOMPFrame(.send, headers: [.destination: "/q"], body: [0, 1, 0])
            #expect(
                try serialize(binary, version: version)
                    == wire("SEND\ndestination:/q\ncontent-length:3\n\n") + [0, 1, 0, 0]
            )
            #expect(
                try serialize(STOMPFrame(.send, headers: [.destination: "/q"]), version: version)
                    == wire("SEND\ndestination:/q\n\n\0")
            )
        }
    }

    @Test("S12-LEN-6 content-length counts octets, not characters")
    func octetsNotCharacters() throws {
        let body = wire("é日\u{1F511}\r\n")
        #expect(try serialize(STOMPFrame(.send, body: body)) == wire("SEND\ncontent-length:11\n\n") + body + [0])
        #expect(parse(wire("MESSAGE\ncontent-length:11\n\n") + body + [0]).frames.map(\.body) == [body])
    }

    @Test(
        "S12-LEN-7 a content-length that is not a number is an error",
        arguments: ["", "x", "5x", "+5", "0x5", "5.0", "5,5", "--5", "-", "-x", "５", "5 5", "\t5"]
    )
    func notANumber(value: String) {
        for leniency in Self.profiles {
            for version in STOMPVersion.all {
                let parsed = parse("MESSAGE\ncontent-length:\(value)\n\nabcde\0", version: version, leniency: leniency)
                #expect(parsed.failure == .protocolViolation)
                #expect(parsed.frames.isEmpty)
            }
        }
    }

    @Test("S12-LEN-7 a negative content-length is an error in the strict profile, and none in the lenient one")
    func negative() {
        for value in ["-1", "-0", "-99999999999999999999"] {
            let text = "MESSAGE\ncontent-length:\(value)\n\nabc\0"
            #expect(parse(text, leniency: .strict).failure == .protocolViolation)
            #expect(parse(text).frames.map(\.body) == [wire("abc")])
        }
    }

    @Test("Leading zeros, and numbers too large for any integer")
    func oddNumbers() {
        #expect(parse("MESSAGE\ncontent-length:0003\n\nabc\0").frames.map(\.body) == [wire("abc")])
        for digits in [10, 19, 20, 40] {
            let value = String(repeating: "9", count: digits)
            #expect(parse("MESSAGE\ncontent-length:\(value)\n\nabc\0").failure == .bodyTooLarge)
        }
    }

    @Test("S12-LEN-8 without content-length the body ends at the first NUL; line ends in it mean nothing (trap 5)")
    func bodyUntilNUL() {
        for body in ["", "x", "one\n\ntwo", "a\r\n\r\nb", "\n", "\r\n\r\n", "MESSAGE\na:b\n\n"] {
            for text in ["MESSAGE\nk:v\n\n\(body)\0ERROR\n\n\0", "MESSAGE\r\nk:v\r\n\r\n\(body)\0ERROR\r\n\r\n\0"] {
                for leniency in Self.profiles {
                    let parsed = parse(text, leniency: leniency)
                    #expect(
                        parsed.frames == [
                            STOMPFrame(.message, headers: ["k": "v"], body: wire(body)), STOMPFrame(.error),
                        ]
                    )
                }
            }
        }
    }

    @Test("A body of each length about the size of the scan's blocks")
    func bodyLengths() {
        for length in 0...200 {
            let body = (0..<length).map { UInt8(truncatingIfNeeded: $0 % 255 + 1) }
            let plain = wire("MESSAGE\n\n") + body + [0]
            let counted = wire("MESSAGE\ncontent-length:\(length)\n\n") + body + [0]
            for bytes in [plain + counted, counted + plain] {
                #expect(parse(bytes).frames.map(\.body) == [body, body])
                #expect(parse(bytes, feeding: .byteByByte).frames.map(\.body) == [body, body])
            }
        }
    }
}
