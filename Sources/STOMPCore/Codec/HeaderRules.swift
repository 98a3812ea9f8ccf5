// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// How header lines are written and read: by version, and otherwise in CONNECT and CONNECTED.
package struct HeaderRules: Sendable {
    package var version: STOMPVersion
    package var leniency: STOMPLeniency
    /// CONNECT, STOMP and CONNECTED travel without escapes, for 1.0's sake.
    package var isHandshake: Bool

    package init(version: STOMPVersion, leniency: STOMPLeniency = .lenient, isHandshake: Bool = false) {
        self.version = version
        self.leniency = leniency
        self.isHandshake = isHandshake
    }

    /// Whether `\c`, `\n` and `\\` (and in 1.2 `\r`) stand for octets.
    package var escapes: Bool {
        !self.isHandshake && self.version > .v10
    }

    /// Whether one CR before the LF belongs to the line's end.
    ///
    /// Before CONNECTED the version is not known yet.
    package var stripsCarriageReturn: Bool {
        self.version == .v12 || self.isHandshake
    }

    var trims: Bool {
        self.version == .v10 && self.leniency.contains(.paddedHeader)
    }

    /// The octet that `\` and this letter stand for, or `nil` if that is undefined in this version.
    @inline(__always)
    func octet(escapedAs letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "n"): UInt8(ascii: "\n")
        case UInt8(ascii: "c"): UInt8(ascii: ":")
        case UInt8(ascii: "\\"): UInt8(ascii: "\\")
        case UInt8(ascii: "r") where self.version == .v12: UInt8(ascii: "\r")
        default: nil
        }
    }

    /// The letter behind `\` that this octet must be written as, or `nil` if it is written as it is.
    @inline(__always)
    func letter(escaping octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "\n"): UInt8(ascii: "n")
        case UInt8(ascii: ":"): UInt8(ascii: "c")
        case UInt8(ascii: "\\"): UInt8(ascii: "\\")
        case UInt8(ascii: "\r") where self.version == .v12: UInt8(ascii: "r")
        default: nil
        }
    }
}

extension HeaderRules {
    /// A name or value as text: one pass from left to right, an undefined escape stays as it is.
    ///
    /// The strict profile has refused such a frame before; see `FrameValidator`.
    package func text(_ raw: UnsafeRawBufferPointer) -> String {
        let bytes = self.trims ? raw.trimmed : raw
        guard self.escapes, bytes.contains(UInt8(ascii: "\\")) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        return String(unsafeUninitializedCapacity: bytes.count) { output in
            var written = 0
            var position = 0
            while position < bytes.count {
                var octet = bytes[position]
                position += 1
                if octet == UInt8(ascii: "\\"), position < bytes.count,
                    let decoded = self.octet(escapedAs: bytes[position])
                {
                    octet = decoded
                    position += 1
                }
                output[written] = octet
                written += 1
            }
            return written
        }
    }
}

extension HeaderRules {
    /// The value of a `content-length` header (STOMP 1.2, content-length).
    ///
    /// - Parameters:
    ///   - raw: the value as it came.
    ///   - limit: beyond it the digits are not read on.
    /// - Returns: `nil` for a negative one, where that counts as none.
    /// - Throws: ``STOMPError/Code/protocolViolation`` if it is no number.
    func contentLength(_ raw: UnsafeRawBufferPointer, limit: Int) throws(STOMPError) -> Int? {
        var digits = raw
        if digits.last == UInt8(ascii: "\r"), self.version == .v12 || self.leniency.contains(.strayCarriageReturn) {
            digits = UnsafeRawBufferPointer(rebasing: digits.dropLast())
        }
        if self.leniency.contains(.paddedHeader) { digits = digits.trimmed }
        let isNegative = digits.first == UInt8(ascii: "-") && self.leniency.contains(.negativeContentLength)
        if isNegative { digits = UnsafeRawBufferPointer(rebasing: digits.dropFirst()) }
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
            throw FrameValidator.violation("content-length is not a number")
        }
        if isNegative { return nil }
        var length = 0
        for digit in digits where length <= limit { length = length * 10 + Int(digit - 48) }
        return length
    }
}

extension UnsafeRawBufferPointer {
    /// Without the spaces around it.
    var trimmed: UnsafeRawBufferPointer {
        let space = UInt8(ascii: " ")
        guard let first = self.firstIndex(where: { $0 != space }), let last = self.lastIndex(where: { $0 != space })
        else { return UnsafeRawBufferPointer(rebasing: self[0..<0]) }
        return UnsafeRawBufferPointer(rebasing: self[first...last])
    }
}
