// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

/// Bytes written out by hand, and the frames that they are.
struct WireVector: Sendable, CustomTestStringConvertible {
    let name: String
    var version = STOMPVersion.v12
    /// Whether the strict profile takes it as well.
    var isStrict = true
    let bytes: [UInt8]
    let frames: [STOMPFrame]

    init(
        _ name: String,
        _ text: String,
        _ frames: [STOMPFrame],
        version: STOMPVersion = .v12,
        isStrict: Bool = true
    ) {
        self.name = name
        self.version = version
        self.isStrict = isStrict
        self.bytes = wire(text)
        self.frames = frames
    }

    var testDescription: String {
        self.name
    }
}

extension WireVector {
    static let all = grammar + encoding + specification

    /// Line ends, padding, bodies.
    static let grammar: [WireVector] = [
        WireVector(
            "two frames, padded",
            "\n\nRECEIPT\nreceipt-id:1\n\n\0\n\r\nRECEIPT\nreceipt-id:2\n\n\0\n",
            [
                STOMPFrame(.receipt, headers: [.receiptID: "1"]),
                STOMPFrame(.receipt, headers: [.receiptID: "2"]),
            ]
        ),
        WireVector(
            "mixed line ends",
            "MESSAGE\r\na:1\nb:2\r\nc:\r\n\r\nx\r\n\0",
            [STOMPFrame(.message, headers: ["a": "1", "b": "2", "c": ""], body: wire("x\r\n"))]
        ),
        WireVector(
            "blank lines inside a body of an LF frame",
            "MESSAGE\na:1\n\none\n\ntwo\r\n\r\nthree\0",
            [STOMPFrame(.message, headers: ["a": "1"], body: wire("one\n\ntwo\r\n\r\nthree"))]
        ),
        WireVector(
            "blank lines inside a body of a CRLF frame",
            "MESSAGE\r\na:1\r\n\r\none\n\ntwo\r\n\r\nthree\0",
            [STOMPFrame(.message, headers: ["a": "1"], body: wire("one\n\ntwo\r\n\r\nthree"))]
        ),
        WireVector(
            "a NUL inside the body",
            "MESSAGE\ncontent-length:5\n\nBod\0y\0MESSAGE\n\n\0",
            [
                STOMPFrame(.message, headers: [.contentLength: "5"], body: [0x42, 0x6f, 0x64, 0, 0x79]),
                STOMPFrame(.message),
            ]
        ),
        WireVector(
            "a body that looks like a frame",
            "MESSAGE\ncontent-length:22\n\nRECEIPT\nreceipt-id:\n\n\0\0",
            [STOMPFrame(.message, headers: [.contentLength: "22"], body: wire("RECEIPT\nreceipt-id:\n\n") + [0])]
        ),
        WireVector(
            "empty bodies",
            "MESSAGE\ncontent-length:0\n\n\0MESSAGE\na:b\n\n\0",
            [STOMPFrame(.message, headers: [.contentLength: "0"]), STOMPFrame(.message, headers: ["a": "b"])]
        ),
        WireVector(
            "a header line longer than a block of the scan",
            "MESSAGE\n\(String(repeating: "n", count: 70)):\(String(repeating: "v", count: 150))\nb:2\n\n\0",
            [
                STOMPFrame(
                    .message,
                    headers: [.init(String(repeating: "n", count: 70)): String(repeating: "v", count: 150), "b": "2"]
                )
            ]
        ),
        WireVector(
            "1.0: CR belongs to the value",
            "MESSAGE\nid:123\r\n\n\0",
            [STOMPFrame(.message, headers: [.id: "123\r"])],
            version: .v10
        ),
        WireVector(
            "1.1: CR belongs to the value",
            "MESSAGE\nid:123\r\n\n\0",
            [STOMPFrame(.message, headers: [.id: "123\r"])],
            version: .v11
        ),
        WireVector(
            "lone CRs and NULs between frames",
            "\0\0\r\rRECEIPT\nreceipt-id:1\n\n\0\0\0\r\nRECEIPT\nreceipt-id:2\n\n\0\r\0",
            [
                STOMPFrame(.receipt, headers: [.receiptID: "1"]),
                STOMPFrame(.receipt, headers: [.receiptID: "2"]),
            ],
            isStrict: false
        ),
    ]

    /// Escapes and octets.
    static let encoding: [WireVector] = [
        WireVector(
            "every escape of 1.2",
            "MESSAGE\n\\ck\\c:a\\nb\\rc\\cd\\\\e\\\\n\n\n\0",
            [STOMPFrame(.message, headers: [":k:": "a\nb\rc:d\\e\\n"])]
        ),
        WireVector(
            "1.1 has three escapes",
            "MESSAGE\nk:a\\nb\\cd\\\\r\n\n\0",
            [STOMPFrame(.message, headers: ["k": "a\nb:d\\r"])],
            version: .v11
        ),
        WireVector(
            "1.0 has none",
            "MESSAGE\nk:a\\nb\\cd\\\\e:f\\t\n\n\0",
            [STOMPFrame(.message, headers: ["k": "a\\nb\\cd\\\\e:f\\t"])],
            version: .v10
        ),
        WireVector(
            "CONNECTED is raw",
            "CONNECTED\nsession:ID:host-1\\c2\\\n\n\0\n",
            [STOMPFrame(.connected, headers: [.session: "ID:host-1\\c2\\"])]
        ),
        WireVector(
            "spaces are kept",
            "MESSAGE\n a : b \n\n\0",
            [STOMPFrame(.message, headers: [" a ": " b "])]
        ),
        WireVector(
            "1.0: spaces are trimmed",
            "MESSAGE\n a : b \ncontent-length: 2 \n\nxy\0",
            [STOMPFrame(.message, headers: ["a": "b", .contentLength: "2"], body: wire("xy"))],
            version: .v10,
            isStrict: false
        ),
        WireVector(
            "UTF-8 in names and values",
            "MESSAGE\nschlüssel\u{1F511}:Œuvre 日本\n\n\u{E9}\0",
            [STOMPFrame(.message, headers: ["schlüssel\u{1F511}": "Œuvre 日本"], body: wire("\u{E9}"))]
        ),
        WireVector(
            "a raw colon in a value",
            "MESSAGE\na:b:c\n\n\0",
            [STOMPFrame(.message, headers: ["a": "b:c"])],
            isStrict: false
        ),
        WireVector(
            "repeated headers",
            "MESSAGE\nfoo:World\nfoo:Hello\nfoo:\n\n\0",
            [
                STOMPFrame(
                    .message,
                    headers: STOMPHeaders([
                        .init(name: "foo", value: "World"), .init(name: "foo", value: "Hello"),
                        .init(name: "foo", value: ""),
                    ])
                )
            ]
        ),
    ]
}
