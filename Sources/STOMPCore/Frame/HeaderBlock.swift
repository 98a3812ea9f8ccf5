// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CScan

/// A received frame's command and headers, still as bytes: what is not asked for is not decoded.
///
/// Valid only while its chunk lives. All reads stay inside the block, so that consumers never touch what the reader
/// is writing behind it.
package struct HeaderBlock {
    package let base: UnsafeRawPointer
    package let byteCount: Int
    package let rules: HeaderRules

    package init(base: UnsafeRawPointer, byteCount: Int, rules: HeaderRules) {
        self.base = base
        self.byteCount = byteCount
        self.rules = rules
    }

    /// The command; a CR before its line feed is not part of it in any version.
    package var command: STOMPCommand {
        STOMPCommand(rawValue: String(decoding: self.commandLine, as: UTF8.self))
    }

    var commandLine: UnsafeRawBufferPointer {
        var end = self.endOfLine(from: 0)
        if end > 0, self.byte(at: end - 1) == UInt8(ascii: "\r") { end -= 1 }
        return UnsafeRawBufferPointer(start: self.base, count: end)
    }

    /// The raw value of the first header with this name.
    package func rawValue(of name: STOMPHeaders.Name) -> UnsafeRawBufferPointer? {
        var text = name.rawValue
        let exact: UnsafeRawBufferPointer?? = text.withUTF8 { name in
            // Only names that need escapes, and padded ones in 1.0, can stand in the frame in another spelling. Without
            // escapes no name has a colon, but the bytes of such a one might be found in a name and its value.
            if self.rules.trims || name.contains(where: { self.rules.letter(escaping: $0) != nil }) {
                return nil
            }
            return .some(self.rawValue(ofExactly: UnsafeRawBufferPointer(name)))
        }
        if let exact { return exact }
        var found: UnsafeRawBufferPointer?
        // swift-format-ignore: ReplaceForEachWithForLoop
        self.forEach { rawName, rawValue in
            guard found == nil, self.rules.text(rawName).utf8.elementsEqual(name.rawValue.utf8) else { return }
            found = rawValue
        }
        return found
    }

    /// The decoded value of the first header with this name.
    package func value(of name: STOMPHeaders.Name) -> String? {
        self.rawValue(of: name).map(self.rules.text)
    }

    /// All headers, decoded.
    package func decoded() -> STOMPHeaders {
        var headers = STOMPHeaders()
        headers.reserveCapacity(8)
        // swift-format-ignore: ReplaceForEachWithForLoop
        self.forEach { name, value in
            headers.append(STOMPHeaders.Name(self.rules.text(name)), self.rules.text(value))
        }
        return headers
    }

    /// Calls `body` with each raw name and raw value in order.
    func forEach(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Void) {
        var line = self.endOfLine(from: 0) + 1
        while line < self.byteCount {
            let end = self.endOfLine(from: line)
            if let colon = self.offset(of: UInt8(ascii: ":"), from: line, to: end) {
                body(self.slice(line, colon), self.slice(colon + 1, self.endOfValue(from: colon + 1)))
            }
            line = end + 1
        }
    }

    private func rawValue(ofExactly name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var line = self.endOfLine(from: 0) + 1
        while line < self.byteCount {
            let end = self.endOfLine(from: line)
            let colon = line + name.count
            if colon < end, self.byte(at: colon) == UInt8(ascii: ":"), self.slice(line, colon).elementsEqual(name) {
                return self.slice(colon + 1, self.endOfValue(from: colon + 1))
            }
            line = end + 1
        }
        return nil
    }

    private func byte(at offset: Int) -> UInt8 {
        self.base.load(fromByteOffset: offset, as: UInt8.self)
    }

    private func slice(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.base + start, count: end - start)
    }

    private func endOfValue(from offset: Int) -> Int {
        let end = self.endOfLine(from: offset)
        let strips = self.rules.stripsCarriageReturn && end > offset && self.byte(at: end - 1) == UInt8(ascii: "\r")
        return strips ? end - 1 : end
    }

    private func endOfLine(from offset: Int) -> Int {
        self.offset(of: UInt8(ascii: "\n"), from: offset, to: self.byteCount) ?? self.byteCount
    }

    private func offset(of byte: UInt8, from start: Int, to end: Int) -> Int? {
        guard start < end, let found = stomp_find(self.base + start, byte, end - start) else { return nil }
        return UnsafeRawPointer(found) - self.base
    }
}
