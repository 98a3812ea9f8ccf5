// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The start line and the fields of an HTTP/1.1 message (RFC 9112), without its content.
struct HTTPHead: Sendable, Equatable {
    struct Field: Sendable, Equatable {
        /// In lower case.
        let name: String
        let value: String
    }

    let startLine: String
    let fields: [Field]

    /// Reads all lines up to the blank one; nil if that is no head of an HTTP message.
    init?(_ bytes: some Sequence<UInt8>) {
        var lines = Array(bytes).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        }
        // The blank line, and what the last line end ends.
        while lines.last?.isEmpty == true { lines.removeLast() }
        guard let first = lines.first else { return nil }
        var fields: [Field] = []
        for line in lines.dropFirst() {
            // No name, or a space before it (a line that goes on), is refused as the RFC wants.
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy(Self.isTokenByte)
            else { return nil }
            fields.append(
                Field(
                    name: String(decoding: line[..<colon], as: UTF8.self).lowercased(),
                    value: Self.trimmed(line[line.index(after: colon)...])
                )
            )
        }
        self.startLine = String(decoding: first, as: UTF8.self)
        self.fields = fields
    }

    /// All values of a field, as they stand there.
    func values(_ name: String) -> [String] {
        self.fields.filter { $0.name == name }.map(\.value)
    }

    /// The elements of a field that is a list, over all its lines.
    func list(_ name: String) -> [String] {
        self.values(name).flatMap { value in
            value.split(separator: ",").map { Self.trimmed($0.utf8) }.filter { !$0.isEmpty }
        }
    }

    /// Whether a list has this element, in whichever case.
    func hasElement(_ element: String, in name: String) -> Bool {
        self.list(name).contains { $0.lowercased() == element }
    }

    private static func trimmed(_ bytes: some BidirectionalCollection<UInt8>) -> String {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let kept = bytes.drop(while: isBlank)
        return String(decoding: kept.prefix(kept.count - kept.reversed().prefix(while: isBlank).count), as: UTF8.self)
    }

    /// Whether a byte can be in the name of a field (RFC 9110, section 5.6.2).
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// Collects the bytes of a head, wherever the reads have cut it.
struct HTTPHeadReader {
    enum Outcome: Equatable {
        case incomplete
        /// The bytes of the head, its blank line among them; ``rest`` has what came after them.
        case complete([UInt8])
        case tooLong
    }

    private let limit: Int
    private(set) var bytes: [UInt8] = []
    private var scanned = 0
    private(set) var rest: [UInt8] = []

    init(limit: Int) {
        self.limit = limit
    }

    mutating func append(_ more: UnsafeRawBufferPointer) -> Outcome {
        self.bytes += more
        // Both line ends are taken; the blank line is a line end after a line end.
        while let end = self.bytes[self.scanned...].firstIndex(of: UInt8(ascii: "\n")) {
            self.scanned = end + 1
            let isBlank = end > 0 && self.bytes[end - 1] == UInt8(ascii: "\n")
            let isBlankWithReturn =
                end > 1 && self.bytes[end - 1] == UInt8(ascii: "\r") && self.bytes[end - 2] == UInt8(ascii: "\n")
            guard isBlank || isBlankWithReturn else { continue }
            guard end < self.limit else { return .tooLong }
            self.rest = Array(self.bytes[(end + 1)...])
            self.bytes.removeSubrange((end + 1)...)
            return .complete(self.bytes)
        }
        self.scanned = self.bytes.count
        return self.bytes.count > self.limit ? .tooLong : .incomplete
    }
}
