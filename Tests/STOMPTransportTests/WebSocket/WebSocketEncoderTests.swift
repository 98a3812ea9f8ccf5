// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTransport

@Suite("Frames that go")
struct WebSocketEncoderTests {
    private func encode(
        _ bytes: [UInt8],
        role: WebSocketRole = .server,
        kind: WebSocketFrameKind = .binary,
        messageSize: Int = 1 << 20,
        limit: Int = .max
    ) throws -> (frames: [UInt8], carried: Int) {
        var encoder = WebSocketEncoder(role: role, kind: kind, messageSize: messageSize, random: FixedNumber.mask)
        var output = OutputBuffer()
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(TransportError) in try encoder.append(bytes, limit: limit, to: &output) }
        }
        let carried = try result.get()
        return (Array(output.bytes), carried)
    }

    @Test("The examples of RFC 6455, section 5.7")
    func examples() throws {
        let hello = Array("Hello".utf8)
        #expect(try self.encode(hello, kind: .text).frames == hex("81 05 48 65 6c 6c 6f"))
        #expect(try self.encode(hello, role: .client, kind: .text).frames == hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"))
        let (small, large) = ([UInt8](repeating: 1, count: 256), [UInt8](repeating: 2, count: 65_536))
        #expect(try self.encode(small).frames == hex("82 7e 01 00") + small)
        #expect(try self.encode(large).frames == hex("82 7f 00 00 00 00 00 01 00 00") + large)
    }

    @Test("Lengths are in their shortest form", arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
    func lengths(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try self.encode(bytes).frames == (count == 0 ? [] : frame(2, bytes)))
        let masked = count == 0 ? [] : frame(2, bytes, mask: [0x37, 0xFA, 0x21, 0x3D])
        #expect(try self.encode(bytes, role: .client).frames == masked)
    }

    @Test("Messages have the size that is asked for")
    func messageSize() throws {
        let bytes = (0..<10).map { UInt8($0) }
        #expect(
            try self.encode(bytes, messageSize: 4).frames
                == frame(2, [0, 1, 2, 3]) + frame(2, [4, 5, 6, 7]) + frame(2, [8, 9])
        )
        let limited = try self.encode(bytes, messageSize: 4, limit: 5)
        #expect(limited.carried == 8)
        #expect(limited.frames == frame(2, [0, 1, 2, 3]) + frame(2, [4, 5, 6, 7]))
    }

    @Test("Text is cut between characters", arguments: 4...20)
    func textCuts(size: Int) throws {
        let text = Array("aü€🐈\u{0}ü€🐈🐈🐈abc".utf8)
        let frames = try self.encode(text, kind: .text, messageSize: size).frames
        #expect(Decoded.decode(frames, strict: true) == Decoded(payload: text))
    }

    @Test("What is not UTF-8 does not go out as a client's text, and a server sends it as binary")
    func invalidText() throws {
        let bytes: [UInt8] = [97, 0xFF, 98]
        let error = #expect(throws: TransportError.self) { try self.encode(bytes, role: .client, kind: .text) }
        #expect(error?.kind == .unsendable)
        #expect(try self.encode(bytes, kind: .text).frames == frame(2, bytes))
        // Also a character that is cut off at the end.
        #expect(throws: TransportError.self) { try self.encode([0xC3], role: .client, kind: .text) }
    }

    @Test("What goes out of one end comes in at the other")
    func roundTrip() throws {
        let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 17 &+ $0 >> 7) }
        for role in [WebSocketRole.client, .server] {
            let frames = try self.encode(bytes, role: role, messageSize: 30_001).frames
            #expect(Decoded.decode(frames, sender: role).payload == bytes)
        }
    }
}
