// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Looks whether bytes that come in pieces are UTF-8 (RFC 3629), without decoding them.
package struct UTF8Checker: Sendable {
    /// How many bytes the character still needs, and what the next of them may be.
    private var needed = 0
    private var allowed: ClosedRange<UInt8> = 0x80...0xBF

    package init() {}

    /// Whether no character is cut off.
    package var isComplete: Bool { self.needed == 0 }

    /// Whether a text is UTF-8 from its start to its end.
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var checker = UTF8Checker()
        return checker.accepts(bytes) && checker.isComplete
    }

    /// Takes the next piece; false if the text cannot be UTF-8 any more.
    package mutating func accepts(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if self.needed == 0 { index = Self.endOfASCII(bytes, from: index) }
            guard index < bytes.count else { break }
            guard self.accepts(bytes[index]) else { return false }
            index += 1
        }
        return true
    }

    /// Eight at a time: most texts are ASCII from end to end.
    private static func endOfASCII(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index + 8 <= bytes.count,
            bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            index += 8
        }
        return index
    }

    private mutating func accepts(_ byte: UInt8) -> Bool {
        if self.needed > 0 {
            guard self.allowed.contains(byte) else { return false }
            self.needed -= 1
            self.allowed = 0x80...0xBF
            return true
        }
        switch byte {
        case 0x00...0x7F: break
        case 0xC2...0xDF: self.needed = 1
        // Not what two bytes could say, nor surrogates, nor beyond U+10FFFF.
        case 0xE0: self.expect(2, 0xA0...0xBF)
        case 0xED: self.expect(2, 0x80...0x9F)
        case 0xE1...0xEF: self.needed = 2
        case 0xF0: self.expect(3, 0x90...0xBF)
        case 0xF4: self.expect(3, 0x80...0x8F)
        case 0xF1...0xF3: self.needed = 3
        default: return false
        }
        return true
    }

    private mutating func expect(_ count: Int, _ range: ClosedRange<UInt8>) {
        self.needed = count
        self.allowed = range
    }
}
