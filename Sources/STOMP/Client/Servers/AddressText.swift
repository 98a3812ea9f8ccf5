// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

// Parts of an address, kept as parts of the whole text, so that an error can say where it is. What the text says is
// never repeated, since where a part is missing a password may stand in its place.

extension Substring {
    /// Where this part starts in the whole text, counted in characters from 1.
    var column: Int {
        self.base.distance(from: self.base.startIndex, to: self.startIndex) + 1
    }

    /// An error about this part.
    func invalid(_ reason: String) -> STOMPError {
        STOMPError(.invalidURI, "The address cannot be read: \(reason) (column \(self.column)).")
    }

    /// The part before the first such character, and the part from it on, if there is one.
    func divided(at isSeparator: (Character) -> Bool) -> (Substring, Substring?) {
        guard let place = self.firstIndex(where: isSeparator) else { return (self, nil) }
        return (self[..<place], self[place...])
    }

    /// What precedes the first `:`, if it can be a scheme.
    var scheme: Substring? {
        let (head, rest) = self.divided { !$0.isASCII || !($0.isLetter || $0.isNumber || "+-.".contains($0)) }
        return !head.isEmpty && rest?.first == ":" ? head : nil
    }

    /// Whether this can be the name of an option; then it may be repeated in an error.
    var isOptionName: Bool {
        !self.isEmpty && self.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) }
    }

    /// The text with its percent-escapes resolved.
    func percentDecoded(_ what: String) throws(STOMPError) -> String {
        var bytes: [UInt8] = []
        var rest = self.utf8
        while let byte = rest.first {
            let start = rest.startIndex
            rest = rest.dropFirst()
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.hexDigit), let low = rest.popFirst().flatMap(Self.hexDigit)
            else {
                throw self[start...].invalid("\(what) has a \"%\" without two hexadecimal digits; write %25 for \"%\"")
            }
            bytes.append(high << 4 | low)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw self.invalid("\(what) is not UTF-8 after its percent-escapes")
        }
        // None of them can stand in CONNECT.
        guard !bytes.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else {
            throw self.invalid("\(what) contains a NUL or an end of line")
        }
        return text
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }

    /// A whole number without a sign.
    var wholeNumber: Int? {
        guard !self.isEmpty, self.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return Int(self)
    }

    /// Refuses what cannot be in an address anywhere.
    func checkCharacters() throws(STOMPError) {
        guard
            let place = self.firstIndex(where: {
                $0.isWhitespace || ($0.isASCII && $0.asciiValue.map { $0 < 32 || $0 == 127 } == true)
            })
        else { return }
        throw self[place...].invalid("it contains a space or a control character; in a password write %20 for a space")
    }
}
