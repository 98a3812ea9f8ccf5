// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import TestSupport
import Testing

/// A value in which nothing needs an escape is copied after one look at sixteen bytes at a time.
@Suite("Header values, plain and not", .longRun)
struct PlainValueTests {
    private struct Unsayable: Error {}

    /// The value as it is to be written, one octet at a time.
    private func escaped(_ value: String, _ version: STOMPVersion, isHandshake: Bool) throws(Unsayable) -> [UInt8] {
        let isRaw = version == .v10 || isHandshake
        if value.isEmpty, version == .v10, !isHandshake { throw Unsayable() }
        var bytes: [UInt8] = []
        for octet in value.utf8 {
            switch octet {
            case 0: throw Unsayable()
            case 10 where isRaw: throw Unsayable()
            case 13 where isRaw: throw Unsayable()
            case 0x80... where version == .v10 && !isHandshake: throw Unsayable()
            case 10: bytes += wire("\\n")
            case 13 where version == .v12: bytes += wire("\\r")
            case 58 where !isRaw: bytes += wire("\\c")
            case 92 where !isRaw: bytes += wire("\\\\")
            default: bytes.append(octet)
            }
        }
        return bytes
    }

    private func expectWritten(_ value: String, _ version: STOMPVersion, isHandshake: Bool) {
        var serializer = FrameSerializer(version: version)
        serializer.rules.isHandshake = isHandshake
        var output = OutputBuffer()
        let note = Comment(rawValue: "\(version), handshake \(isHandshake): \(Array(value.utf8))")
        do throws(STOMPError) {
            try serializer.appendHeader("k:" as StaticString, value, to: &output)
            let written = Array(output.bytes)
            let expected = try? self.escaped(value, version, isHandshake: isHandshake)
            #expect(written == expected.map { wire("k:") + $0 + [10] }, note)
        } catch {
            #expect(error.code == .invalidArgument, note)
            #expect((try? self.escaped(value, version, isHandshake: isHandshake)) == nil, note)
        }
    }

    @Test(
        "Any length, and anything that is special or nearly so at any place",
        arguments: [
            "\0", "\t", "\n", "\r", "\u{1f}", " ", "9", ":", ";", "[", "\\", "]", "~", "\u{7f}", "\u{80}", "é", "日",
            "\u{1F511}",
        ]
    )
    func everyPlace(special: String) {
        for length in 0...40 {
            for place in 0...length {
                let value =
                    String(repeating: "a", count: place) + special + String(repeating: "z", count: length - place)
                for version in STOMPVersion.all {
                    self.expectWritten(value, version, isHandshake: false)
                }
                self.expectWritten(value, .v12, isHandshake: true)
            }
        }
    }

    @Test("Nothing special, at any length")
    func plain() {
        for length in 0...100 {
            for version in STOMPVersion.all {
                self.expectWritten(String(repeating: "x", count: length), version, isHandshake: false)
                self.expectWritten(String(repeating: " ", count: length), version, isHandshake: true)
            }
        }
    }

    @Test("Every octet of ASCII, alone and among others")
    func everyOctet() {
        for octet in 0..<128 as Range<UInt8> {
            let character = String(UnicodeScalar(octet))
            for version in STOMPVersion.all {
                for value in [
                    character, "abcdefg" + character, character + "abcdefg", "abcdefgh" + character + "abcdefgh",
                ] {
                    self.expectWritten(value, version, isHandshake: false)
                }
            }
        }
    }
}
