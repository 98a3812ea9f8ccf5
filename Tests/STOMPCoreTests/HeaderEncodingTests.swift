// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Headers as octets: encoding, spaces, repetitions")
struct HeaderEncodingTests {
    private func headers(
        _ lines: String,
        version: STOMPVersion = .v12,
        leniency: STOMPLeniency = .strict
    ) -> STOMPHeaders? {
        parse("MESSAGE\n\(lines)\n\n\0", version: version, leniency: leniency).frames.first?.headers
    }

    @Test("S12-ENC-1 names and values are UTF-8 (trap 17)")
    func utf8() throws {
        #expect(self.headers("naïve:日本 \u{1F511}") == ["naïve": "日本 \u{1F511}"])
        let frame = STOMPFrame(.send, headers: ["naïve": "日本"])
        #expect(
            try serialize(frame)
                == wire("SEND\n") + [0x6e, 0x61, 0xc3, 0xaf, 0x76, 0x65, 0x3a]
                + [0xe6, 0x97, 0xa5, 0xe6, 0x9c, 0xac, 0x0a, 0x0a, 0x00]
        )
    }

    @Test(
        "S12-ENC-1 headers that are not UTF-8 are a violation",
        arguments: [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0x80]] as [[UInt8]]
    )
    func invalidUTF8(octets: [UInt8]) {
        for bytes in [
            wire("MESSAGE\nk:a") + octets + wire("b\n\n\0"), wire("MESSAGE\nk") + octets + wire("k:v\n\n\0"),
            wire("CONNECTED\nk:a") + octets + wire("b\n\n\0"), wire("ERR") + octets + wire("OR\n\n\0"),
        ] {
            #expect(parse(bytes, leniency: .strict).failure == .protocolViolation)
            let lenient = parse(bytes)
            #expect(lenient.failure == nil)
            #expect(lenient.frames.count == 1)
        }
        let parsed = parse(wire("MESSAGE\nk:a") + octets + wire("b\n\n\0"))
        #expect(parsed.frames.first?.headers["k"]?.unicodeScalars.contains("\u{FFFD}") == true)
    }

    @Test("S10-ENC-2 in 1.0 only ASCII is sent, and whatever comes is taken")
    func asciiIn10() {
        for frame in [STOMPFrame(.send, headers: ["k": "é"]), STOMPFrame(.send, headers: ["é": "k"])] {
            #expect(failure { () throws(STOMPError) in try serialize(frame, version: .v10) } == .invalidArgument)
        }
        #expect(self.headers("k:é", version: .v10, leniency: .lenient) == ["k": "é"])
        #expect(
            parse(wire("MESSAGE\nk:") + [0xe9] + wire("\n\n\0"), version: .v10).frames.first?.headers == [
                "k": "\u{FFFD}"
            ]
        )
    }

    @Test("S12-TRM-1 spaces and tabs are kept, as read and as written (trap 8)")
    func spacesAreKept() throws {
        for version in [STOMPVersion.v11, .v12] {
            for leniency in [STOMPLeniency.strict, .lenient] {
                #expect(self.headers(" a : b ", version: version, leniency: leniency) == [" a ": " b "])
                #expect(self.headers("k:  \t", version: version, leniency: leniency) == ["k": "  \t"])
            }
            let frame = STOMPFrame(.send, headers: [" a ": " 123 "])
            #expect(try serialize(frame, version: version) == wire("SEND\n a : 123 \n\n\0"))
        }
    }

    @Test("S10-TRM-2 in 1.0 spaces around names and values are trimmed, unless strict")
    func spacesIn10() {
        #expect(self.headers("login: <user> ", version: .v10, leniency: .lenient) == ["login": "<user>"])
        #expect(self.headers(" a : ", version: .v10, leniency: .lenient) == ["a": ""])
        #expect(self.headers("a: b c ", version: .v10, leniency: .lenient) == ["a": "b c"])
        #expect(self.headers("login: <user> ", version: .v10) == ["login": " <user> "])
    }

    @Test("S12-RPT-1 the first of a repeated header is its value, all are kept (trap 15)")
    func firstWins() throws {
        let headers = try #require(self.headers("destination:/queue/a\nfoo:1\ndestination:/queue/b"))
        #expect(headers[.destination] == "/queue/a")
        #expect(headers[values: .destination] == ["/queue/a", "/queue/b"])
        #expect(headers.count == 3)
    }

    @Test("S11-RPT-2 and so in 1.1")
    func firstWinsIn11() {
        #expect(self.headers("foo:1\nfoo:2", version: .v11)?["foo"] == "1")
    }

    @Test("S10-RPT-3 and so in 1.0")
    func firstWinsIn10() {
        let headers = self.headers("foo:1\nfoo:2", version: .v10)
        #expect(headers?["foo"] == "1")
        #expect(headers?[values: "foo"] == ["1", "2"])
    }

    @Test("S12-RPT-1 the parser's own notes are of the first occurrence too")
    func firstWinsInNotes() throws {
        let bytes = wire("MESSAGE\nsubscription:1\nack:2\nmessage-id:3\nsubscription:4\nack:5\nmessage-id:6\n\nxy\0")
        var parser = FrameParser(version: .v12)
        parser.freeSpace().copyBytes(from: bytes)
        parser.received(bytes.count)
        let frame = try #require(try parser.next())
        let block = parser.chunk.headerBlock(of: frame, rules: HeaderRules(version: .v12))
        #expect(block.rawValue(at: frame.subscription).elementsEqual(wire("1")))
        #expect(block.rawValue(at: frame.ack).elementsEqual(wire("2")))
        #expect(block.rawValue(at: frame.messageID).elementsEqual(wire("3")))
        let lengths = parse("MESSAGE\ncontent-length:2\ncontent-length:7\n\nab\0")
        #expect(lengths.frames.map(\.body) == [wire("ab")])
    }

    @Test("S12-RPT-4 the library's content-length is the only one, whatever the user's headers say (trap 15)")
    func ownContentLength() throws {
        let frame = STOMPFrame(.send, headers: [.contentLength: "99", "a": "b", .contentLength: "1"], body: wire("xy"))
        #expect(try serialize(frame) == wire("SEND\na:b\ncontent-length:2\n\nxy\0"))
        let empty = STOMPFrame(.send, headers: [.contentLength: "99"])
        #expect(try serialize(empty) == wire("SEND\n\n\0"))
    }

    @Test("S12-GEN-1 S12-MSG-4 headers of any name are kept, in their order")
    func allHeadersAreKept() {
        let headers = self.headers("x-b:1\nsubscription:s\nx-a:2\nmessage-id:m\nreceipt:r\ntransaction:t")
        #expect(
            headers?.fields.map(\.name.rawValue) == [
                "x-b", "subscription", "x-a", "message-id", "receipt", "transaction",
            ]
        )
        #expect(headers?.fields.map(\.value) == ["1", "s", "2", "m", "r", "t"])
    }
}
