// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// An IPv6 address in digits, perhaps with a zone (RFC 4291, RFC 6874).
enum IPv6Literal {
    /// Reads what stands between brackets; a zone follows `%25`, or `%` as people write it.
    ///
    /// - Returns: the address as the system's resolver wants it, such as `fe80::1%en1`.
    static func host(_ text: Substring) throws(STOMPError) -> String {
        let (address, zone) = text.divided { $0 == "%" }
        guard self.isAddress(address) else { throw text.invalid("what stands in brackets is not an IPv6 address") }
        guard let zone else { return String(address) }
        let name = zone.hasPrefix("%25") ? zone.dropFirst(3) : zone.dropFirst()
        guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._~-".contains($0)) })
        else { throw zone.invalid("the zone of an IPv6 address is a name such as %25en1") }
        return "\(address)%\(name)"
    }

    private static func isAddress(_ text: Substring) -> Bool {
        guard let gap = text.firstRange(of: "::") else { return self.groupCount(text) == 8 }
        guard let before = self.groupCount(text[..<gap.lowerBound]),
            let after = self.groupCount(text[gap.upperBound...])
        else { return false }
        // An IPv4 address can only be at the end.
        return before + after < 8 && !text[..<gap.lowerBound].contains(".")
    }

    /// How many groups of 16 bits these are, or `nil` if one is not a group; an IPv4 address at the end counts as two.
    private static func groupCount(_ text: Substring) -> Int? {
        guard !text.isEmpty else { return 0 }
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        for (index, group) in groups.enumerated() {
            if index == groups.count - 1, group.contains(".") {
                guard self.isIPv4(group) else { return nil }
                count += 2
            } else {
                guard (1...4).contains(group.utf8.count), group.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                    return nil
                }
                count += 1
            }
        }
        return count
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.wholeNumber.map { $0 <= 255 } == true
            }
    }
}
