// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Writing frames")
struct FrameSerializerTests {
    private func expectBytes(
        _ output: borrowing OutputBuffer,
        _ bytes: [UInt8],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let contents = Array(output.bytes)
        let count = output.count
        let isEmpty = output.isEmpty
        #expect(contents == bytes, sourceLocation: sourceLocation)
        #expect(count == bytes.count && isEmpty == bytes.isEmpty, sourceLocation: sourceLocation)
    }

    @Test("The frames of a client, byte by byte")
    func clientFrames() throws {
        let frames: [(STOMPFrame, String)] = [
            (
                STOMPFrame(.send, headers: [.destination: "/queue/a"], body: wire("hi")),
                "SEND\ndestination:/queue/a\ncontent-length:2\n\nhi\0"
            ),
            (
                STOMPFrame(.subscribe, headers: [.id: "0", .destination: "/q", .ack: "client"]),
                "SUBSCRIBE\nid:0\ndestination:/q\nack:client\n\n\0"
            ),
            (STOMPFrame(.unsubscribe, headers: [.id: "0"]), "UNSUBSCRIBE\nid:0\n\n\0"),
            (STOMPFrame(.ack, headers: [.id: "1", .transaction: "tx-1"]), "ACK\nid:1\ntransaction:tx-1\n\n\0"),
            (STOMPFrame(.nack, headers: [.id: "1"]), "NACK\nid:1\n\n\0"),
            (STOMPFrame(.begin, headers: [.transaction: "tx-1"]), "BEGIN\ntransaction:tx-1\n\n\0"),
            (STOMPFrame(.disconnect, headers: [.receipt: "77"]), "DISCONNECT\nreceipt:77\n\n\0"),
        ]
        for (frame, text) in frames { #expect(try serialize(frame) == wire(text)) }
    }

    @Test("S12-UNK-1 frames with other commands can be written")
    func otherCommands() throws {
        #expect(try serialize(STOMPFrame("X-PING", headers: ["a": "b"])) == wire("X-PING\na:b\n\n\0"))
    }

    @Test("A command cannot smuggle lines in", arguments: ["", "SEND\nevil:1", "SEND\r", "SE\0ND", "\n"])
    func badCommand(command: String) {
        let frame = STOMPFrame(STOMPCommand(rawValue: command))
        #expect(failure { () throws(STOMPError) in try serialize(frame) } == .invalidArgument)
    }

    @Test("S12-RCT-1 S12-SND-1 any value is written so that it comes back: ids and destinations are opaque")
    func opaqueValues() throws {
        let value = " /queue/a:b\\c/../\u{E9}?x=1#y "
        let bytes = try serialize(STOMPFrame(.subscribe, headers: [.destination: value, .receipt: "r:1\n"]))
        #expect(
            bytes == wire("SUBSCRIBE\ndestination: /queue/a\\cb\\\\c/../") + [0xc3, 0xa9]
                + wire("?x=1#y \nreceipt:r\\c1\\n\n\n\0")
        )
    }

    @Test("What fails leaves the buffer as it was")
    func failureLeavesNothing() throws {
        let serializer = FrameSerializer(version: .v12)
        var output = OutputBuffer()
        try serializer.append(STOMPFrame(.send, headers: ["a": "b"]), to: &output)
        let bad = [
            STOMPFrame(.send, headers: ["a": "b", "": "c"]), STOMPFrame(.ack, body: [1]),
            STOMPFrame(.send, headers: ["a": "b\0"]), STOMPFrame("A\nB", headers: ["a": "b"]),
        ]
        for frame in bad {
            #expect(failure { () throws(STOMPError) in try serializer.append(frame, to: &output) } == .invalidArgument)
            self.expectBytes(output, wire("SEND\na:b\n\n\0"))
        }
        try serializer.append(STOMPFrame(.ack, headers: [.id: "1"]), to: &output)
        self.expectBytes(output, wire("SEND\na:b\n\n\0ACK\nid:1\n\n\0"))
    }

    @Test("A NUL cannot be said in a header of any version")
    func nulInHeader() {
        for version in STOMPVersion.all {
            for headers in [["a": "b\0c"], ["a\0": "b"]] as [STOMPHeaders] {
                let frame = STOMPFrame(.send, headers: headers)
                #expect(failure { () throws(STOMPError) in try serialize(frame, version: version) } == .invalidArgument)
            }
        }
    }

    @Test("Header lines of names that need no escape")
    func staticNames() throws {
        var output = OutputBuffer()
        let serializer = FrameSerializer(version: .v12)
        // A bare literal is not taken for a `String`, which would be a name to be escaped.
        try serializer.appendHeader("destination:", "/queue/a:b", to: &output)
        serializer.appendContentLength(120, to: &output)
        wire("a\\cb").withUnsafeBytes { serializer.appendHeader("id:", raw: $0, to: &output) }
        self.expectBytes(output, wire("destination:/queue/a\\cb\ncontent-length:120\nid:a\\cb\n"))
        for (version, value) in [(STOMPVersion.v10, ""), (.v10, "é"), (.v11, "\0")] {
            #expect(
                failure { () throws(STOMPError) in
                    try FrameSerializer(version: version).appendHeader("id:", value, to: &output)
                } == .invalidArgument
            )
        }
    }

    @Test("Strings that do not lie in one piece of UTF-8 are written as the others")
    func bridgedStrings() throws {
        let substring = "xx/queue/a:bxx".dropFirst(2).dropLast(2)
        #expect(
            try serialize(STOMPFrame(.send, headers: ["k": String(substring)])) == wire("SEND\nk:/queue/a\\cb\n\n\0")
        )
    }

    @Test("Numbers in the output")
    func decimals() {
        for number in [0, 9, 10, 99, 100, 12_345, UInt64(UInt32.max), .max] {
            var output = OutputBuffer()
            output.append(decimal: number)
            self.expectBytes(output, wire(String(number)))
        }
    }

    @Test("Numbers of each length, behind other bytes, wherever the memory for these ends")
    func decimalsBehindOthers() {
        var powers: [UInt64] = [1]
        for _ in 1..<20 { powers.append(powers[powers.count - 1] * 10) }
        let filler = [UInt8](repeating: 46, count: 520)
        for number in powers.flatMap({ [$0 - 1, $0, $0 + 1] }) {
            for count in 450...520 {
                var output = OutputBuffer()
                filler[..<count].withUnsafeBytes { output.append($0) }
                output.append(decimal: number)
                self.expectBytes(output, filler[..<count] + wire(String(number)))
            }
        }
    }

    @Test("A buffer grows, is cut back, and forgets")
    func outputBuffer() {
        var output = OutputBuffer()
        self.expectBytes(output, [])
        let piece = wire(String(repeating: "0123456789", count: 30))
        for _ in 0..<10 { piece.withUnsafeBytes { output.append($0) } }
        self.expectBytes(output, Array(repeatElement(piece, count: 10).joined()))
        output.truncate(to: 5)
        output.truncate(to: 9)
        self.expectBytes(output, wire("01234"))
        output.append(UInt8(ascii: "x"))
        output.append("yz")
        self.expectBytes(output, wire("01234xyz"))
        output.removeAll(keepingCapacityUpTo: 100)
        self.expectBytes(output, [])
        output.append("again")
        self.expectBytes(output, wire("again"))
        output.removeAll(keepingCapacityUpTo: 1 << 20)
        output.append(UnsafeRawBufferPointer(start: nil, count: 0))
        self.expectBytes(output, [])
    }
}
