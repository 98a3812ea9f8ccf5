// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Headers of a received frame, read where they lie")
struct HeaderBlockTests {
    /// Gives the block of the one frame in these bytes to the closure.
    private func withBlock<Result>(
        _ text: String,
        version: STOMPVersion = .v12,
        isHandshake: Bool = false,
        _ body: (HeaderBlock, FrameReference) throws -> Result
    ) throws -> Result {
        var parser = FrameParser(version: version)
        let bytes = wire(text)
        parser.freeSpace().copyBytes(from: bytes)
        parser.received(bytes.count)
        let frame = try #require(try parser.next())
        let rules = HeaderRules(version: version, isHandshake: isHandshake)
        let chunk = parser.chunk
        return try withExtendedLifetime(chunk) { try body(chunk.headerBlock(of: frame, rules: rules), frame) }
    }

    private func text(_ raw: UnsafeRawBufferPointer?) -> String? {
        raw.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("The command, without the CR of its line")
    func command() throws {
        for text in ["MESSAGE\n\n\0", "MESSAGE\r\n\r\n\0", "\nMESSAGE\na:b\n\n\0"] {
            try self.withBlock(text) { block, _ in #expect(block.command == .message) }
        }
    }

    @Test("A value by its name: the first one, whole names only")
    func valueByName() throws {
        try self.withBlock("MESSAGE\r\nackx:1\r\nxack:2\r\nack:3\r\nack:4\r\nac:5\nempty:\n\r\nack:6\0") {
            block,
            frame in
            #expect(block.value(of: .ack) == "3")
            #expect(self.text(block.rawValue(of: "ackx")) == "1")
            #expect(block.value(of: "ac") == "5")
            #expect(block.value(of: "empty") == "")
            #expect(block.value(of: "a") == nil)
            #expect(block.value(of: "MESSAGE") == nil)
            #expect(block.value(of: "") == nil)
            #expect(self.text(block.rawValue(at: frame.ack)) == "3")
        }
    }

    @Test("Raw values keep their escapes, decoded ones do not")
    func rawAndDecoded() throws {
        try self.withBlock("MESSAGE\nmessage-id:a\\cb\n\n\0") { block, _ in
            #expect(self.text(block.rawValue(of: .messageID)) == "a\\cb")
            #expect(block.value(of: .messageID) == "a:b")
        }
    }

    @Test("Names in another spelling are found: escaped ones, and padded ones in 1.0")
    func otherSpellings() throws {
        try self.withBlock("MESSAGE\na\\cb:1\na\\\\n:2\n\n\0") { block, _ in
            #expect(block.value(of: "a:b") == "1")
            #expect(block.value(of: "a\\n") == "2")
            #expect(block.value(of: "a\\cb") == nil)
        }
        try self.withBlock("MESSAGE\n ack : 7 \n\n\0", version: .v10) { block, frame in
            #expect(block.value(of: .ack) == "7")
            #expect(block.value(of: " ack ") == nil)
            #expect(!frame.ack.isNoted)
        }
    }

    @Test("Without escapes the first colon ends the name, also when a name with a colon is asked for")
    func colonInAskedName() throws {
        try self.withBlock("MESSAGE\na:b:c\n\n\0", version: .v10) { block, _ in
            #expect(block.value(of: "a:b") == nil)
            #expect(block.value(of: "a") == "b:c")
        }
        try self.withBlock("CONNECTED\na:b:c\n\n\0", isHandshake: true) { block, _ in
            #expect(block.value(of: "a:b") == nil)
        }
    }

    @Test("Before 1.2 the CR stays with the value, except in CONNECTED")
    func carriageReturn() throws {
        let text = "CONNECTED\nsession:1\r\n\n\0"
        try self.withBlock(text, version: .v11) { block, _ in #expect(block.value(of: .session) == "1\r") }
        try self.withBlock(text, version: .v12) { block, _ in #expect(block.value(of: .session) == "1") }
        try self.withBlock(text, version: .v11, isHandshake: true) { block, _ in
            #expect(block.value(of: .session) == "1")
        }
    }

    @Test("The notes of the parser are found in any order and by whole names only")
    func notes() throws {
        for lines in [
            "subscription:1\nmessage-id:2\nack:3", "ack:3\nmessage-id:2\nsubscription:1",
            "subscriptions:x\nmessage-i:y\nackk:z\nsubscription:1\nx-ack:w\nmessage-id:2\nack:3",
        ] {
            try self.withBlock("MESSAGE\n\(lines)\n\n\0") { block, frame in
                #expect(self.text(block.rawValue(at: frame.subscription)) == "1")
                #expect(self.text(block.rawValue(at: frame.messageID)) == "2")
                #expect(self.text(block.rawValue(at: frame.ack)) == "3")
            }
        }
        try self.withBlock("MESSAGE\nsubscription :1\nmessage-idd:2\nAck:3\n\nack:1\n\0") { _, frame in
            #expect(!frame.subscription.isNoted && !frame.messageID.isNoted && !frame.ack.isNoted)
        }
        try self.withBlock("MESSAGE\nack:\nsubscription:\n\n\0") { block, frame in
            #expect(frame.ack.isNoted && block.rawValue(at: frame.ack).isEmpty)
            #expect(frame.subscription.isNoted && block.rawValue(at: frame.subscription).isEmpty)
        }
    }

    @Test("S12-MSG-3 the `ack` header of a 1.2 MESSAGE is noted where its value begins")
    func ackHeader() throws {
        try self.withBlock("MESSAGE\nmessage-id:T_1@@s@@1\nack:ID\\cvm-1\\c5\n\nx\0") { block, frame in
            #expect(self.text(block.rawValue(at: frame.ack)) == "ID\\cvm-1\\c5")
            #expect(block.value(of: .ack) == "ID:vm-1:5")
            #expect(block.value(of: .messageID) == "T_1@@s@@1")
        }
    }
}
