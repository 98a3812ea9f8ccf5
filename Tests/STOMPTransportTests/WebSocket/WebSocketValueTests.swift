// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite("What a WebSocket is made of")
struct WebSocketValueTests {
    @Test(
        "SHA-1 as in FIPS 180 and RFC 3174",
        arguments: [
            ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
            ),
            (
                String(repeating: "0123456701234567012345670123456701234567012345670123456701234567", count: 10),
                "dea356a2cddd90c7a7ecedc5ebb563934f460452"
            ),
        ]
    )
    func sha1(message: String, digest: String) {
        #expect(SHA1.digest(Array(message.utf8)) == hex(digest))
    }

    @Test("SHA-1 pads every length")
    func sha1Padding() {
        // RFC 3174 has no such table: all lengths up to two blocks give 20 bytes, and all different ones.
        let digests = (0..<130).map { SHA1.digest([UInt8](repeating: 97, count: $0)) }
        #expect(digests.allSatisfy { $0.count == 20 })
        #expect(Set(digests).count == 130)
        #expect(digests[64] == hex("0098ba824b5c16427bd7a1122a5a442a25ec644d"))
    }

    @Test(
        "Base64 as in RFC 4648",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func base64(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded[...]) == Array(plain.utf8))
    }

    @Test("What is no Base64 is none", arguments: ["Zg=", "Zg", "Z===", "Zm9v!mFy", "====", "Zm9v\n"])
    func noBase64(text: String) {
        #expect(Base64.decode(text[...]) == nil || text == "====")
    }

    @Test("The key of RFC 6455 is answered as there")
    func acceptance() throws {
        let key = try #require(WebSocketKey("dGhlIHNhbXBsZSBub25jZQ=="))
        #expect(key.acceptance == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(WebSocketKey("dGhlIHNhbXBsZSBub25j") == nil)
        #expect(WebSocketKey("") == nil)
    }

    @Test("A new key has 16 bytes, and is another each time")
    func newKeys() throws {
        var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
        let keys = (0..<100).map { _ in WebSocketKey(&random).text }
        #expect(Set(keys).count == 100)
        for key in keys { #expect(Base64.decode(key[...])?.count == 16) }
    }

    @Test("A mask is its own inverse, at any offset and length")
    func masks() throws {
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        let mask = try #require(WebSocketMask(key))
        #expect(mask.bytes == key)
        for length in 0...67 {
            for offset in 0..<9 {
                let plain = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
                var masked = plain
                masked.withUnsafeMutableBytes { mask.apply(to: $0, offset: offset) }
                #expect(masked == plain.enumerated().map { $1 ^ key[($0 + offset) % 4] })
            }
        }
    }

    @Test("Two masks come from one number, and no two are alike")
    func maskSource() {
        var source = WebSocketMaskSource(FixedNumber(value: 0x0807_0605_0403_0201))
        #expect(source.next().bytes == [1, 2, 3, 4])
        #expect(source.next().bytes == [5, 6, 7, 8])
        var random = WebSocketMaskSource(SystemRandomNumberGenerator())
        #expect(Set((0..<100).map { _ in random.next().key }).count > 95)
    }

    @Test(
        "UTF-8 is checked as the standard library does it, wherever it is cut",
        arguments: [
            hex("c3bc"), hex("e282ac"), hex("f09f9088"), hex("f48fbfbf"), hex("efbfbf"), hex("ed9fbf"), hex("ee8080"),
            hex("c0af"), hex("c1bf"), hex("e09fbf"), hex("eda080"), hex("edbfbf"), hex("f08fbfbf"), hex("f4908080"),
            hex("f5808080"), hex("ff"), hex("80"), hex("bf"), hex("c3"), hex("e282"), hex("f09f90"), hex("c328"),
            hex("e28261"), hex("00"), hex("7f"), Array("plain text that is long enough for words, ünd more".utf8),
        ]
    )
    func utf8(bytes: [UInt8]) {
        let surrounded = Array("12345678".utf8) + bytes + Array("abcdefgh".utf8)
        for text in [bytes, surrounded] {
            let expected = String(validating: text, as: UTF8.self) != nil
            #expect(text.withUnsafeBytes { UTF8Checker.isValid($0) } == expected)
            for cut in 0...text.count {
                var checker = UTF8Checker()
                let first = text[..<cut].withUnsafeBytes { checker.accepts($0) }
                let second = text[cut...].withUnsafeBytes { checker.accepts($0) }
                #expect((first && second && checker.isComplete) == expected)
            }
        }
    }

    @Test("Random bytes are UTF-8 when the standard library says so")
    func randomUTF8() {
        for _ in 0..<5_000 {
            let pool: [UInt8] = [0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xA0, 0xED, 0x9F, 0xF0, 0x90, 0xF4, 0x8F, 0xEF]
            let text = (0..<Int.random(in: 0...6)).map { _ in pool.randomElement()! }
            let expected = String(validating: text, as: UTF8.self) != nil
            #expect(text.withUnsafeBytes { UTF8Checker.isValid($0) } == expected, "\(text)")
        }
    }
}
