// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The grammar as it reads, one byte at a time, over bytes that are all there: the truth for random input.
///
/// Written from the specification's grammar and `STOMPLeniency`, not from the parser.
struct ReferenceParser {
    let version: STOMPVersion
    let leniency: STOMPLeniency

    private struct Violation: Error {}
    /// The bytes end inside a frame.
    private struct Incomplete: Error {}

    func parse(_ bytes: [UInt8]) -> Parsed {
        var parsed = Parsed()
        var position = 0
        do {
            while true {
                try self.skipPadding(bytes, &position, &parsed.endOfLineCount)
                guard position < bytes.count else { break }
                parsed.frames.append(try self.frame(bytes, &position))
            }
        } catch is Violation {
            parsed.failure = .protocolViolation
        } catch {
            parsed.hasPartialFrame = position < bytes.count && bytes[position] != 13
        }
        return parsed
    }

    private func skipPadding(_ bytes: [UInt8], _ position: inout Int, _ endOfLineCount: inout Int) throws {
        while position < bytes.count {
            if bytes[position] == 10 {
                endOfLineCount += 1
            } else if bytes[position] == 0 {
                guard self.leniency.contains(.strayNUL) else { throw Violation() }
            } else if bytes[position] == 13 {
                if !self.leniency.contains(.strayCarriageReturn) {
                    // Where nothing follows, nobody knows.
                    guard position + 1 < bytes.count else { throw Incomplete() }
                    guard self.version == .v12, bytes[position + 1] == 10 else { throw Violation() }
                }
            } else {
                break
            }
            position += 1
        }
    }

    private func frame(_ bytes: [UInt8], _ start: inout Int) throws -> STOMPFrame {
        var position = start
        let isLineEndCR = self.version == .v12 || self.leniency.contains(.strayCarriageReturn)
        var command = try self.line(bytes, &position)
        if command.last == 13 {
            guard isLineEndCR else { throw Violation() }
            command.removeLast()
        }
        let isHandshake = [wire("CONNECT"), wire("STOMP"), wire("CONNECTED")].contains(command)
        var lines: [[UInt8]] = []
        var bodyLength: Int?
        while true {
            let line = try self.line(bytes, &position)
            if line.isEmpty || (line == [13] && isLineEndCR) { break }
            guard let colon = line.firstIndex(of: 58), colon > 0 else { throw Violation() }
            lines.append(line)
            if bodyLength == nil, line[..<colon].elementsEqual("content-length".utf8) {
                bodyLength = try self.length(Array(line[(colon + 1)...]), isLineEndCR: isLineEndCR)
            }
        }
        let end: Int
        if let bodyLength {
            end = position + bodyLength
            guard end < bytes.count else { throw Incomplete() }
            guard bytes[end] == 0 else { throw Violation() }
        } else {
            guard let nul = bytes[position...].firstIndex(of: 0) else { throw Incomplete() }
            end = nul
        }
        let body = Array(bytes[position..<end])
        let name = String(decoding: command, as: UTF8.self)
        if !body.isEmpty, !["SEND", "MESSAGE", "ERROR"].contains(name) { try self.need(.unexpectedBody) }
        if command.contains(13) { try self.need(.strayCarriageReturn, when: self.version == .v12) }
        if Array(name.utf8) != command { try self.need(.invalidUTF8) }
        let fields = try lines.map { try self.field($0, isHandshake: isHandshake) }
        start = end + 1
        return STOMPFrame(STOMPCommand(rawValue: name), headers: STOMPHeaders(fields), body: body)
    }

    /// Up to the LF, which is taken but not given.
    private func line(_ bytes: [UInt8], _ position: inout Int) throws -> [UInt8] {
        var line: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == 10 { return line }
            guard byte != 0 else { throw Violation() }
            line.append(byte)
        }
        throw Incomplete()
    }

    private func length(_ value: [UInt8], isLineEndCR: Bool) throws -> Int? {
        var value = value[...]
        if isLineEndCR, value.last == 13 { value.removeLast() }
        if self.leniency.contains(.paddedHeader) {
            while value.first == 32 { value.removeFirst() }
            while value.last == 32 { value.removeLast() }
        }
        let isNegative = value.first == 45 && self.leniency.contains(.negativeContentLength)
        if isNegative { value.removeFirst() }
        guard let first = value.first, (48...57).contains(first), value.allSatisfy({ (48...57).contains($0) }),
            let number = Int(String(decoding: value, as: UTF8.self))
        else { throw Violation() }
        return isNegative ? nil : number
    }

    private func field(_ line: [UInt8], isHandshake: Bool) throws -> STOMPHeaders.Field {
        var line = line
        if self.version == .v12 || isHandshake, line.last == 13 { line.removeLast() }
        let colon = line.firstIndex(of: 58)!
        let name = Array(line[..<colon])
        let value = Array(line[(colon + 1)...])
        if value.isEmpty, self.version == .v10, !isHandshake { try self.need(.emptyValue) }
        if value.contains(58), self.version > .v10, !isHandshake { try self.need(.rawColonInValue) }
        return STOMPHeaders.Field(
            name: STOMPHeaders.Name(try self.text(name, isHandshake: isHandshake)),
            value: try self.text(value, isHandshake: isHandshake)
        )
    }

    private func text(_ raw: [UInt8], isHandshake: Bool) throws -> String {
        if raw.contains(13) { try self.need(.strayCarriageReturn, when: self.version == .v12) }
        var octets: [UInt8] = []
        var rest = raw[...]
        if self.version == .v10, self.leniency.contains(.paddedHeader) {
            while rest.first == 32 { rest.removeFirst() }
            while rest.last == 32 { rest.removeLast() }
        }
        if String(validating: raw, as: UTF8.self) == nil { try self.need(.invalidUTF8) }
        var table: [UInt8: UInt8] = [110: 10, 99: 58, 92: 92]
        if self.version == .v12 { table[114] = 13 }
        if self.version == .v10 || isHandshake { return String(decoding: rest, as: UTF8.self) }
        while let octet = rest.popFirst() {
            if octet == 92, let letter = rest.first, let meant = table[letter] {
                octets.append(meant)
                rest.removeFirst()
                continue
            }
            if octet == 92 { try self.need(.undefinedEscape) }
            octets.append(octet)
        }
        return String(decoding: octets, as: UTF8.self)
    }

    private func need(_ leniency: STOMPLeniency, when applies: Bool = true) throws {
        if applies, !self.leniency.contains(leniency) { throw Violation() }
    }
}
