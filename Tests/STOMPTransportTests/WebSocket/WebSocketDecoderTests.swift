// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite("Frames that come")
struct WebSocketDecoderTests {
    private static let hello = Array("Hello".utf8)
    private static let binary256 = (0..<256).map { UInt8($0) }
    private static let binary64K = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    @Test("The examples of RFC 6455, section 5.7")
    func examples() {
        #expect(Decoded.decode(hex("81 05 48 65 6c 6c 6f")).payload == Self.hello)
        #expect(Decoded.decode(hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), sender: .client).payload == Self.hello)
        #expect(Decoded.decode(hex("01 03 48 65 6c 80 02 6c 6f")).payload == Self.hello)
        #expect(Decoded.decode(hex("89 05 48 65 6c 6c 6f")) == Decoded(pings: [Self.hello]))
        #expect(Decoded.decode(hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"), sender: .client) == Decoded())
        #expect(Decoded.decode(hex("82 7e 01 00") + Self.binary256).payload == Self.binary256)
        #expect(Decoded.decode(hex("82 7f 00 00 00 00 00 01 00 00") + Self.binary64K).payload == Self.binary64K)
    }

    @Test(
        "Control frames stand between fragments, and every cut is the same",
        arguments: [WebSocketRole.server, .client]
    )
    func everyCut(sender: WebSocketRole) {
        let mask: [UInt8]? = sender == .client ? [9, 8, 7, 6] : nil
        let stream =
            frame(1, Array("one ".utf8), final: false, mask: mask) + frame(9, [1, 2, 3], mask: mask)
            + frame(0, Array("twö ".utf8), final: false, mask: mask) + frame(10, [], mask: mask)
            + frame(0, [], mask: mask) + frame(2, Self.binary256, mask: mask) + frame(9, [], mask: mask)
            + frame(1, [], mask: mask) + frame(8, hex("03e8") + Array("bye".utf8), mask: mask)
        let whole = Decoded.decode(stream, sender: sender, strict: true)
        #expect(whole.payload == Array("one twö ".utf8) + Self.binary256)
        #expect(whole.end == .close(WebSocketClose(code: 1000, reason: "bye")))
        // In one piece only the last of several Pings is left.
        #expect(whole.pings == [[]])
        for first in 0...stream.count {
            for second in [first, min(first + 1, stream.count), (first + stream.count) / 2] {
                let cut = Decoded.decode(stream, cuts: [first, second], sender: sender, strict: true)
                #expect(cut.payload == whole.payload && cut.end == whole.end, "cut at \(first) and \(second)")
            }
        }
        let bytewise = Decoded.decode(stream, cuts: Array(0..<stream.count), sender: sender, strict: true)
        #expect(bytewise.payload == whole.payload)
        #expect(bytewise.pings == [[1, 2, 3], []])
    }

    @Test("A payload may be all of one buffer, or go on in the next")
    func longPayload() {
        let stream = frame(2, Self.binary64K)
        for size in [1, 2, 3, 7, 100, 4_096, 65_535, 65_545] {
            let cuts = Array(stride(from: size, to: stream.count, by: size))
            #expect(Decoded.decode(stream, cuts: cuts).payload == Self.binary64K, "\(size)")
        }
    }

    @Test("What comes after a Close is not looked at")
    func afterClose() {
        let decoded = Decoded.decode(frame(2, [1]) + frame(8) + frame(2, [2]) + [0xFF])
        #expect(decoded.payload == [1])
        #expect(decoded.end == .close(WebSocketClose(code: nil)))
    }

    @Test("A stream that stops within something knows it")
    func middle() {
        #expect(Decoded.decode(frame(2, [1])).isBetweenMessages)
        #expect(!Decoded.decode([0x82]).isBetweenMessages)
        #expect(!Decoded.decode(Array(frame(2, [1, 2]).dropLast())).isBetweenMessages)
        #expect(!Decoded.decode(frame(2, [1], final: false)).isBetweenMessages)
        #expect(!Decoded.decode(Array(frame(9, [1]).dropLast())).isBetweenMessages)
    }

    @Test(
        "What a peer must not send",
        arguments: [
            ("c1 00", .reservedBits), ("a1 00", .reservedBits), ("91 00", .reservedBits),
            ("83 00", .unknownOpcode), ("87 00", .unknownOpcode), ("8b 00", .unknownOpcode), ("8f 00", .unknownOpcode),
            ("81 85 37 fa 21 3d 7f 9f 4d 51 58", .wrongMasking), ("89 80 01 02 03 04", .wrongMasking),
            ("09 00", .controlFrameFragmented), ("08 00", .controlFrameFragmented),
            ("89 7e 00 7e", .controlFrameTooLong), ("88 7f", .controlFrameTooLong),
            ("82 7e 00 7d", .lengthNotMinimal), ("82 7e 00 00", .lengthNotMinimal),
            ("82 7f 00 00 00 00 00 00 ff ff", .lengthNotMinimal),
            ("82 7f 80 00 00 00 00 00 00 00", .lengthTooLarge), ("82 7f ff ff ff ff ff ff ff ff", .lengthTooLarge),
            ("82 7f 7f ff ff ff ff ff ff ff", .messageTooLarge), ("82 7f 00 00 00 00 00 10 00 01", .messageTooLarge),
            ("80 00", .fragmentOutOfOrder), ("00 00", .fragmentOutOfOrder), ("01 01 61 01 01 62", .fragmentOutOfOrder),
            ("02 01 61 82 00", .fragmentOutOfOrder), ("82 01 61 80 00", .fragmentOutOfOrder),
            ("88 01 03", .invalidClose), ("88 02 00 00", .invalidClose), ("88 02 03 e7", .invalidClose),
            ("88 02 03 ec", .invalidClose), ("88 02 03 ed", .invalidClose), ("88 02 03 ee", .invalidClose),
            ("88 02 03 f7", .invalidClose), ("88 02 0b b7", .invalidClose), ("88 02 13 88", .invalidClose),
            ("88 03 03 e8 ff", .invalidText), ("81 01 ff", .invalidText), ("81 02 c3 28", .invalidText),
            ("81 02 e2 82", .invalidText), ("01 01 c3 80 00", .invalidText), ("01 01 c3 80 01 28", .invalidText),
        ] as [(String, WebSocketViolation.Kind)]
    )
    func violations(bytes: String, kind: WebSocketViolation.Kind) {
        let stream = hex(bytes)
        for cuts in [[], Array(0..<stream.count)] {
            let decoded = Decoded.decode(stream, cuts: cuts, strict: true)
            guard case .violation(let violation) = decoded.end else {
                Issue.record("\(bytes) was taken: \(decoded)")
                continue
            }
            #expect(violation.kind == kind)
            #expect([1002, 1007, 1009].contains(violation.closeCode))
        }
    }

    @Test("A server takes no frame that is not masked")
    func unmasked() {
        guard case .violation(let violation) = Decoded.decode(frame(1, Self.hello), sender: .client).end else {
            Issue.record("it was taken")
            return
        }
        #expect(violation.kind == .wrongMasking)
    }

    @Test("Close codes that may be sent", arguments: [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] as [UInt16])
    func closeCodes(code: UInt16) {
        let close = WebSocketClose(code: code)
        #expect(Decoded.decode(frame(8, close.payload)).end == .close(close))
    }

    @Test("A character may be cut by fragments, and text is taken as bytes unless asked otherwise")
    func text() {
        let fragments = frame(1, [0xE2], final: false) + frame(0, [0x82], final: false) + frame(0, [0xAC])
        #expect(Decoded.decode(fragments, strict: true) == Decoded(payload: hex("e282ac")))
        #expect(Decoded.decode(frame(1, hex("ff00fe"))) == Decoded(payload: hex("ff00fe")))
        // Binary messages are never looked into.
        #expect(Decoded.decode(frame(2, hex("ff00fe")), strict: true) == Decoded(payload: hex("ff00fe")))
    }

    @Test("A message has a limit, whatever its fragments are")
    func messageLimit() {
        #expect(Decoded.decode(frame(2, [UInt8](repeating: 1, count: 100)), limit: 100).end == nil)
        let tooLarge = Decoded.decode(frame(2, [UInt8](repeating: 1, count: 101)), limit: 100)
        #expect(tooLarge.payload.isEmpty)
        let fragments = (0..<40).flatMap { frame($0 == 0 ? 2 : 0, [1, 2], final: false) }
        let empty = (0..<101).flatMap { frame($0 == 0 ? 2 : 0, final: false) } + frame(0, [7])
        for decoded in [tooLarge, Decoded.decode(fragments, limit: 100), Decoded.decode(empty, limit: 100)] {
            guard case .violation(let violation) = decoded.end else {
                Issue.record("it was taken")
                continue
            }
            #expect(violation.kind == .messageTooLarge)
            #expect(violation.closeCode == 1009)
        }
        // The limit is for each message.
        let many = (0..<50).flatMap { _ in frame(2, [UInt8](repeating: 1, count: 100)) }
        #expect(Decoded.decode(many, limit: 100).payload.count == 5_000)
    }
}
