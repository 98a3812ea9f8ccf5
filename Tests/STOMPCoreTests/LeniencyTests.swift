// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

/// Each deviation that is taken: with all of them, with that one alone, but neither strictly nor with all the others.
@Suite("Leniency")
struct LeniencyTests {
    struct Deviation: Sendable, CustomTestStringConvertible {
        let leniency: STOMPLeniency
        var version = STOMPVersion.v12
        let bytes: [UInt8]
        let frames: [STOMPFrame]

        var testDescription: String {
            String(decoding: self.bytes, as: UTF8.self).debugDescription
        }
    }

    private static func message(_ headers: STOMPHeaders, _ body: String = "") -> [STOMPFrame] {
        [STOMPFrame(.message, headers: headers, body: wire(body))]
    }

    static let deviations: [Deviation] = [
        Deviation(leniency: .rawColonInValue, bytes: wire("MESSAGE\na:b:c\n\n\0"), frames: message(["a": "b:c"])),
        Deviation(
            leniency: .rawColonInValue,
            version: .v11,
            bytes: wire("MESSAGE\na::\n\n\0"),
            frames: message(["a": ":"])
        ),
        Deviation(leniency: .undefinedEscape, bytes: wire("MESSAGE\na:b\\tc\n\n\0"), frames: message(["a": "b\\tc"])),
        Deviation(leniency: .undefinedEscape, bytes: wire("MESSAGE\n\\q:b\\\n\n\0"), frames: message(["\\q": "b\\"])),
        Deviation(
            leniency: .undefinedEscape,
            version: .v11,
            bytes: wire("MESSAGE\na:\\r\\n\n\n\0"),
            frames: message(["a": "\\r\n"])
        ),
        Deviation(leniency: .strayNUL, bytes: wire("\0MESSAGE\n\n\0\0"), frames: message([:])),
        Deviation(leniency: .strayCarriageReturn, bytes: wire("\r\rMESSAGE\n\n\0"), frames: message([:])),
        Deviation(leniency: .strayCarriageReturn, bytes: wire("MESSAGE\na:b\rc\n\n\0"), frames: message(["a": "b\rc"])),
        Deviation(
            leniency: .strayCarriageReturn,
            version: .v11,
            bytes: wire("MESSAGE\r\na:b\r\n\r\n\0\r\n"),
            frames: message(["a": "b\r"])
        ),
        Deviation(
            leniency: .strayCarriageReturn,
            version: .v10,
            bytes: wire("MESSAGE\ncontent-length:1\r\n\nx\0"),
            frames: message([.contentLength: "1\r"], "x")
        ),
        Deviation(
            leniency: .strayCarriageReturn,
            bytes: wire("MESS\rAGE\n\n\0"),
            frames: [STOMPFrame("MESS\rAGE")]
        ),
        Deviation(
            leniency: .invalidUTF8,
            bytes: wire("MESSAGE\na:b") + [0xff] + wire("c\n\n\0"),
            frames: message(["a": "b\u{FFFD}c"])
        ),
        Deviation(
            leniency: .invalidUTF8,
            version: .v10,
            bytes: wire("CONNECTED\n") + [0xc3] + wire(":1\n\n\0"),
            frames: [STOMPFrame(.connected, headers: ["\u{FFFD}": "1"])]
        ),
        Deviation(
            leniency: .negativeContentLength,
            bytes: wire("MESSAGE\ncontent-length:-1\n\nabc\0"),
            frames: message([.contentLength: "-1"], "abc")
        ),
        Deviation(
            leniency: .unexpectedBody,
            bytes: wire("RECEIPT\nreceipt-id:1\n\nabc\0"),
            frames: [STOMPFrame(.receipt, headers: [.receiptID: "1"], body: wire("abc"))]
        ),
        Deviation(
            leniency: .unexpectedBody,
            bytes: wire("CONNECTED\ncontent-length:2\n\nab\0"),
            frames: [STOMPFrame(.connected, headers: [.contentLength: "2"], body: wire("ab"))]
        ),
        Deviation(
            leniency: .paddedHeader,
            version: .v10,
            bytes: wire("MESSAGE\n a : b \ncontent-length: 1\n\nx\0"),
            frames: message(["a": "b", .contentLength: "1"], "x")
        ),
        Deviation(leniency: .emptyValue, version: .v10, bytes: wire("MESSAGE\na:\n\n\0"), frames: message(["a": ""])),
    ]

    @Test("Each is taken when it is allowed, and only then", arguments: deviations)
    func eachDeviation(deviation: Deviation) {
        for feeding in [Feeding.whole, .byteByByte] {
            for leniency in [STOMPLeniency.lenient, deviation.leniency] {
                let parsed = parse(deviation.bytes, version: deviation.version, leniency: leniency, feeding: feeding)
                #expect(parsed.failure == nil)
                #expect(parsed.frames == deviation.frames)
            }
            for leniency in [STOMPLeniency.strict, .lenient.subtracting(deviation.leniency)] {
                let parsed = parse(deviation.bytes, version: deviation.version, leniency: leniency, feeding: feeding)
                #expect(parsed.failure == .protocolViolation)
            }
        }
    }

    @Test("A malformed heart-beat header")
    func malformedHeartBeat() throws {
        for leniency in [STOMPLeniency.lenient, .malformedHeartBeat] {
            #expect(try HeartBeatHeader("abc", leniency: leniency) == .none)
        }
        for leniency in [STOMPLeniency.strict, .lenient.subtracting(.malformedHeartBeat)] {
            #expect(
                failure { () throws(STOMPError) in
                    try HeartBeatHeader("abc", leniency: leniency)
                } == .protocolViolation
            )
        }
    }

    @Test("S12-FRM-7 an unknown command")
    func unknownCommand() throws {
        func event(_ leniency: STOMPLeniency) throws(STOMPError) -> ClientSession.Event {
            var session = ClientSession(offer: ClientSession.Offer(), leniency: leniency)
            _ = session.connect()
            _ = try session.received(STOMPFrame(.connected, headers: [.version: "1.2"]))
            return try session.received(STOMPFrame("WHATEVER", headers: ["a": "b"]))
        }
        for leniency in [STOMPLeniency.lenient, .unknownCommand] {
            guard case .unknown(let frame) = try event(leniency) else {
                Issue.record("an unknown frame is to be reported")
                return
            }
            #expect(frame == STOMPFrame("WHATEVER", headers: ["a": "b"]))
        }
        for leniency in [STOMPLeniency.strict, .lenient.subtracting(.unknownCommand)] {
            #expect(failure { () throws(STOMPError) in try event(leniency) } == .protocolViolation)
        }
    }

    @Test("The two profiles are none and all")
    func profiles() {
        let all: [STOMPLeniency] = [
            .rawColonInValue, .undefinedEscape, .strayNUL, .strayCarriageReturn, .invalidUTF8, .negativeContentLength,
            .malformedHeartBeat, .unknownCommand, .unexpectedBody, .missingMessageHeader, .paddedHeader, .emptyValue,
        ]
        #expect(STOMPLeniency.strict.isEmpty)
        #expect(all.reduce(STOMPLeniency.strict) { $0.union($1) } == .lenient)
        #expect(Set(all.map(\.rawValue)).count == 12)
    }
}
