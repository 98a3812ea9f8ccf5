// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The lines of a settings file: `KEY = VALUE`, comments that start with `#`, blank lines.
struct SettingsText {
    let file: String
    private(set) var values: [SettingsKey: SettingsValue] = [:]
    private(set) var warnings: [STOMPSettings.Warning] = []

    init(_ bytes: [UInt8], file: String, isWorldReadable: Bool) throws(STOMPError) {
        self.file = file
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            try self.read(line, number: index + 1, isWorldReadable: isWorldReadable)
        }
    }

    private mutating func read(
        _ line: ArraySlice<UInt8>,
        number: Int,
        isWorldReadable: Bool
    ) throws(STOMPError) {
        var place = SettingsPlace(file: self.file, line: number)
        guard let text = String(validating: line, as: UTF8.self) else { throw place.error("The line is not UTF-8") }
        let content = Self.trimmed(text[...])
        guard !content.isEmpty, content.first != "#" else { return }
        let (key, rest) = content.divided { $0 == "=" }
        let name = Self.trimmed(key)
        guard let rest else {
            // Not repeated: it may be a password.
            throw place.error("The line has no \"=\"; write KEY = VALUE")
        }
        guard name.isOptionName else { throw place.error("What precedes the \"=\" cannot be a key") }
        place.key = String(name)
        guard let known = SettingsKey(String(name)) else { throw place.error("is not a known key") }
        let value = Self.trimmed(rest.dropFirst())
        guard !value.isEmpty else { throw place.error("has no value") }
        if let earlier = self.values[known]?.place.line {
            self.warnings.append(place.warning("repeats line \(earlier); the later value is used"))
        }
        if known.isPassword, isWorldReadable {
            self.warnings.append(
                place.warning(
                    "stands in a file that everybody on this machine can read; take the right away from others, or "
                        + "set STOMP_PASSWORD instead"
                )
            )
        }
        if known == .connector, value != "stomp" { throw place.error("must be stomp") }
        self.values[known] = SettingsValue(text: String(value), place: place)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
