// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Reads flat JSON objects; what is nested is an error.
struct RecordReader {
    private let bytes: [UInt8]
    private var position = 0

    private init(_ text: some StringProtocol) {
        self.bytes = Array(text.utf8)
    }

    /// All lines of a file with their numbers, blank ones left out.
    ///
    /// - Throws: what is wrong with the first bad line, after `name` and the line's number.
    static func records(in text: String, of name: String) throws(BenchError) -> [(record: Record, line: Int)] {
        var records: [(record: Record, line: Int)] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.allSatisfy(\.isWhitespace) { continue }
            do throws(BenchError) {
                records.append((try Self.record(in: line), index + 1))
            } catch {
                throw BenchError("\(name):\(index + 1): \(error)")
            }
        }
        return records
    }

    /// One object.
    static func record(in text: some StringProtocol) throws(BenchError) -> Record {
        var reader = RecordReader(text)
        return try reader.object()
    }

    private mutating func object() throws(BenchError) -> Record {
        var record = Record()
        try self.expect("{")
        if !self.take("}") {
            repeat {
                let key = try self.string()
                try self.expect(":")
                record.append(key, try self.scalar())
            } while self.take(",")
            try self.expect("}")
        }
        self.skipSpace()
        guard self.position == self.bytes.count else { throw self.error("there is more after the object") }
        return record
    }

    private mutating func scalar() throws(BenchError) -> Record.Scalar {
        self.skipSpace()
        switch self.next {
        case UInt8(ascii: "\""): return .text(try self.string())
        case UInt8(ascii: "{"), UInt8(ascii: "["): throw self.error("a value is nested; there are only flat ones")
        default: break
        }
        let start = self.position
        while let byte = self.next, byte > 32, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
            self.position += 1
        }
        let word = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        switch word {
        case "true": return .flag(true)
        case "false": return .flag(false)
        case "null": return .null
        default:
            let isNumber = word.utf8.allSatisfy { (48...57).contains($0) || "+-.eE".utf8.contains($0) }
            guard isNumber, let number = Double(word), number.isFinite else {
                throw self.error("\"\(word)\" is no value", at: start)
            }
            return .number(number)
        }
    }

    private mutating func string() throws(BenchError) -> String {
        try self.expect("\"")
        var text: [UInt8] = []
        while let byte = self.next {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += try self.escape().utf8
            default: text.append(byte)
            }
        }
        throw self.error("a string does not end")
    }

    private mutating func escape() throws(BenchError) -> String {
        guard let letter = self.next else { throw self.error("a string does not end") }
        self.position += 1
        switch letter {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var units = [try self.unit()]
            if UTF16.isLeadSurrogate(units[0]), self.bytes[self.position...].starts(with: [0x5C, 0x75]) {
                self.position += 2
                units.append(try self.unit())
            }
            return String(decoding: units, as: UTF16.self)
        default: throw self.error("an escape is unknown", at: self.position - 1)
        }
    }

    private mutating func unit() throws(BenchError) -> UInt16 {
        let digits = String(decoding: self.bytes[self.position...].prefix(4), as: UTF8.self)
        guard digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else {
            throw self.error("\\u needs four hexadecimal digits")
        }
        self.position += 4
        return unit
    }

    // MARK: - Bytes

    private var next: UInt8? {
        self.position < self.bytes.count ? self.bytes[self.position] : nil
    }

    private mutating func skipSpace() {
        while let byte = self.next, [32, 9, 10, 13].contains(byte) { self.position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        self.skipSpace()
        guard self.next == UInt8(ascii: character) else { return false }
        self.position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(BenchError) {
        guard self.take(character) else { throw self.error("\"\(character)\" is missing") }
    }

    private func error(_ text: String, at position: Int? = nil) -> BenchError {
        BenchError("\(text) (column \((position ?? self.position) + 1))")
    }
}
