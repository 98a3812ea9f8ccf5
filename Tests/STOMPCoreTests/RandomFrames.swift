// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Random frames and their wire form, written by an encoder of its own.
struct RandomFrames {
    var random: SplitMix64
    let version: STOMPVersion

    private static let commands: [STOMPCommand] = [
        .message, .message, .message, .receipt, .error, .connected, .send, .connect, "WHATEVER",
    ]
    private static let names = [
        "subscription", "message-id", "ack", "destination", "subscriptio", "ackn", "a", "content-typ",
    ]

    init(seed: UInt64, version: STOMPVersion) {
        self.random = SplitMix64(seed: seed)
        self.version = version
    }

    /// One frame as it is to come out, and its bytes.
    mutating func next() -> (frame: STOMPFrame, bytes: [UInt8]) {
        let command = Self.commands.randomElement(using: &self.random)!
        let isRaw = self.version == .v10 || [.connected, .connect].contains(command)
        var fields: [STOMPHeaders.Field] = []
        for _ in 0..<Int.random(in: 0...(self.random.once(in: 20) ? 40 : 5), using: &self.random) {
            let name = self.text(atLeast: 1, isRaw: isRaw, isName: true)
            fields.append(
                .init(name: .init(name), value: self.text(atLeast: self.version == .v10 ? 1 : 0, isRaw: isRaw))
            )
        }
        var body: [UInt8] = []
        if [.message, .error, .send].contains(command), !self.random.once(in: 3) {
            let size = Int.random(in: 0...(self.random.once(in: 30) ? 9_000 : 80), using: &self.random)
            body = (0..<size).map { _ in UInt8.random(in: 0...(self.random.once(in: 2) ? 12 : 255), using: &self.random)
            }
        }
        if body.contains(0) || self.random.once(in: 2) {
            let place = Int.random(in: 0...fields.count, using: &self.random)
            fields.insert(.init(name: .contentLength, value: String(body.count)), at: place)
        }
        let frame = STOMPFrame(command, headers: STOMPHeaders(fields), body: body)
        return (frame, self.encode(frame, isRaw: isRaw))
    }

    private mutating func text(atLeast least: Int, isRaw: Bool, isName: Bool = false) -> String {
        if isName, self.random.once(in: 3) { return Self.names.randomElement(using: &self.random)! }
        var pool: [Unicode.Scalar] = ["a", "b", "-", "n", "r", "c", "\\", "é", "日", "\u{1F511}", "\u{301}", "\t"]
        if !isRaw { pool += [":", "\n"] }
        if !isRaw, self.version == .v12 { pool.append("\r") }
        if !isRaw { pool.append(" ") }
        if isRaw, !isName { pool.append(":") }
        let most = self.random.once(in: 25) ? 300 : 12
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: least...most, using: &self.random) {
            scalars.append(pool.randomElement(using: &self.random)!)
        }
        return String(scalars)
    }

    private mutating func encode(_ frame: STOMPFrame, isRaw: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 0...2, using: &self.random) { bytes += self.lineEnd() }
        bytes += Array(frame.command.rawValue.utf8) + self.lineEnd()
        for field in frame.headers.fields {
            bytes += self.escape(field.name.rawValue, isRaw: isRaw) + [58]
            bytes += self.escape(field.value, isRaw: isRaw) + self.lineEnd()
        }
        return bytes + self.lineEnd() + frame.body + [0]
    }

    private mutating func lineEnd() -> [UInt8] {
        self.version == .v12 && self.random.once(in: 2) ? [13, 10] : [10]
    }

    private func escape(_ text: String, isRaw: Bool) -> [UInt8] {
        guard !isRaw else { return Array(text.utf8) }
        return text.utf8.flatMap { octet -> [UInt8] in
            switch octet {
            case 10: Array("\\n".utf8)
            case 13 where self.version == .v12: Array("\\r".utf8)
            case 58: Array("\\c".utf8)
            case 92: Array("\\\\".utf8)
            default: [octet]
            }
        }
    }
}
