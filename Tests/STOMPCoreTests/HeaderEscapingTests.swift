// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Header encoding, as it is read and as it is written")
struct HeaderEscapingTests {
    private func text(_ raw: String, _ version: STOMPVersion, isHandshake: Bool = false) -> String {
        let rules = HeaderRules(version: version, isHandshake: isHandshake)
        return wire(raw).withUnsafeBytes { rules.text($0) }
    }

    /// The header line that is written for this header of a SEND frame.
    private func line(
        _ name: STOMPHeaders.Name,
        _ value: String,
        _ version: STOMPVersion,
        command: STOMPCommand = .send
    ) throws(STOMPError) -> [UInt8] {
        let bytes = try serialize(STOMPFrame(command, headers: [name: value]), version: version)
        return Array(bytes.dropFirst(command.rawValue.utf8.count + 1).dropLast(2))
    }

    @Test(
        "S12-ESC-4 1.2 decodes four escapes",
        arguments: [
            ("\\r", "\r"), ("\\n", "\n"), ("\\c", ":"), ("\\\\", "\\"), ("a\\cb\\nc\\rd\\\\e", "a:b\nc\rd\\e"),
            ("", ""),
            ("\\r\\n", "\r\n"), ("\\c\\c\\c", ":::"),
            ("a much longer value that is not small\\c", "a much longer value that is not small:"),
        ]
    )
    func decodingIn12(raw: String, expected: String) {
        #expect(wire(self.text(raw, .v12)) == wire(expected))
        #expect(parse("MESSAGE\nk:\(raw)\n\n\0", leniency: .strict).frames.first?.headers == ["k": expected])
    }

    @Test("S11-ESC-5 1.1 decodes three escapes; `\\r` is undefined (trap 3), and a raw CR stays")
    func decodingIn11() {
        #expect(wire(self.text("a\\nb\\cc\\\\d", .v11)) == wire("a\nb:c\\d"))
        #expect(parse("MESSAGE\nk:a\\r\n\n\0", version: .v11, leniency: .strict).failure == .protocolViolation)
        let lenient = parse("MESSAGE\nk:a\\rb\n\n\0", version: .v11)
        #expect(lenient.frames.first?.headers == ["k": "a\\rb"])
        let raw = parse("MESSAGE\nk:a\rb\n\n\0", version: .v11, leniency: .strict)
        #expect(raw.frames.first?.headers == ["k": "a\rb"])
    }

    @Test("S10-ESC-6 1.0 has no escapes: a backslash is a backslash, and a line feed cannot be sent")
    func noEscapesIn10() throws {
        #expect(self.text("C:\\new\\r\\\\", .v10) == "C:\\new\\r\\\\")
        #expect(try self.line("k", "C:\\new", .v10) == wire("k:C:\\new\n"))
        for value in ["a\nb", "\n", "a\rb", "\r\n"] {
            #expect(failure { () throws(STOMPError) in try self.line("k", value, .v10) } == .invalidArgument)
        }
        #expect(failure { () throws(STOMPError) in try self.line("k\n", "v", .v10) } == .invalidArgument)
    }

    @Test(
        "S12-ESC-7 any other escape, and a lone backslash at the end, are violations",
        arguments: ["\\t", "\\", "a\\", "\\\\\\", "\\N", "\\C", "\\0", "\\x41", "a\\:b", "\\ "]
    )
    func undefinedEscapes(raw: String) {
        for version in [STOMPVersion.v11, .v12] {
            for line in ["k:\(raw)", "\(raw.filter { $0 != ":" }):v"] {
                let parsed = parse("MESSAGE\n\(line)\n\n\0", version: version, leniency: .strict)
                #expect(parsed.failure == .protocolViolation, "\(line) in \(version)")
                #expect(parsed.frames.isEmpty)
            }
        }
    }

    @Test("S12-ESC-8 names and values are written with the reverse mapping; `C:\\new` is not damaged (trap 1)")
    func encoding() throws {
        #expect(try self.line("k", "C:\\new", .v12) == wire("k:C\\c\\\\new\n"))
        #expect(try self.line("k", "C:\\new", .v11) == wire("k:C\\c\\\\new\n"))
        #expect(try self.line("a:b\\c\n", "v", .v12) == wire("a\\cb\\\\c\\n:v\n"))
        #expect(try self.line("k", "a\r\nb", .v12) == wire("k:a\\r\\nb\n"))
        // 1.1 has no word for CR: it goes raw.
        #expect(try self.line("k", "a\r\nb", .v11) == wire("k:a\r\\nb\n"))
        let parsed = parse("MESSAGE\nk:C\\c\\\\new\n\n\0", leniency: .strict)
        #expect(parsed.frames.first?.headers["k"] == "C:\\new")
    }

    @Test("S12-ESC-8 an octet to escape is found at each place of a value of each length")
    func encodingAtEachPlace() throws {
        for length in 1...20 {
            for place in 0..<length {
                for (octet, escape) in [(":", "\\c"), ("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r")] {
                    let head = String(repeating: "x", count: place)
                    let tail = String(repeating: "y", count: length - place - 1)
                    #expect(try self.line("k", head + octet + tail, .v12) == wire("k:\(head)\(escape)\(tail)\n"))
                }
            }
        }
    }

    @Test("S12-ESC-9 decoding is one pass: `\\\\n` is a backslash and an n")
    func decodingIsOnePass() {
        for version in [STOMPVersion.v11, .v12] {
            #expect(wire(self.text("\\\\n", version)) == [0x5c, 0x6e])
            #expect(wire(self.text("\\\\\\n", version)) == [0x5c, 0x0a])
            #expect(wire(self.text("\\\\\\\\c", version)) == [0x5c, 0x5c, 0x63])
            #expect(wire(self.text("\\\\c\\c", version)) == [0x5c, 0x63, 0x3a])
        }
    }

    @Test("S12-ESC-10 octets are escaped, not characters: CR LF is two, and a mark does not hide a colon")
    func escapingIsOfOctets() throws {
        #expect(try self.line("k", "\r\n", .v12) == wire("k:\\r\\n\n"))
        // A combining mark makes one Character of a colon and itself.
        #expect(try self.line("k", ":\u{301}", .v12) == wire("k:\\c") + [0xcc, 0x81, 0x0a])
        #expect(try self.line("k", "\\\u{308}", .v12) == wire("k:\\\\") + [0xcc, 0x88, 0x0a])
        let parsed = parse("MESSAGE\nk\u{301}:\u{301}\\c\u{301}\n\n\0", leniency: .strict)
        #expect(parsed.frames.first?.headers == ["k\u{301}": "\u{301}:\u{301}"])
    }

    @Test("S12-ESC-1 CONNECT and CONNECTED are neither escaped nor unescaped (trap 2)")
    func handshakeIsRaw() throws {
        for version in STOMPVersion.all {
            #expect(try self.line(.passcode, "p:a\\ss", version, command: .connect) == wire("passcode:p:a\\ss\n"))
            let parsed = parse("CONNECTED\nsession:ID:x\\c\\n\\q\\\n\n\0", version: version, leniency: .strict)
            #expect(parsed.frames.first?.headers == [.session: "ID:x\\c\\n\\q\\"])
            #expect(
                failure { () throws(STOMPError) in
                    try self.line(.passcode, "a\nb", version, command: .connect)
                } == .invalidArgument
            )
        }
    }

    @Test("S12-ESC-2 STOMP is treated like CONNECT")
    func stompIsRaw() throws {
        #expect(try self.line(.passcode, "p:a\\ss", .v12, command: .stomp) == wire("passcode:p:a\\ss\n"))
        let parsed = parse("STOMP\npasscode:p:a\\ss\n\n\0", leniency: .strict)
        #expect(parsed.frames.first?.headers == [.passcode: "p:a\\ss"])
    }

    @Test("S12-ESC-3 a backslash in a passcode is not doubled", arguments: ["\\", "\\\\", "a\\nb", "\\c", ":\\:"])
    func backslashInPasscode(passcode: String) throws {
        for command in [STOMPCommand.connect, .stomp] {
            #expect(try self.line(.passcode, passcode, .v12, command: command) == wire("passcode:\(passcode)\n"))
        }
    }

    @Test("A CR, a NUL or a colon in a name cannot be said in CONNECT")
    func unsayableInHandshake() {
        for (name, value) in [("k", "a\rb"), ("k", "a\0b"), ("k:", "v"), ("", "v"), ("k\n", "v")] {
            #expect(
                failure { () throws(STOMPError) in
                    try self.line(.init(name), value, .v12, command: .connect)
                } == .invalidArgument
            )
        }
    }
}
