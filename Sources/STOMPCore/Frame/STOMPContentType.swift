// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The type of a body: a MIME type with its parameters, as in `text/plain;charset=utf-8`.
public struct STOMPContentType: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The value of the `content-type` header.
    public let rawValue: String

    /// Whether it has the form `type/subtype`, as a content type that is sent must (STOMP 1.2, content-type).
    package let isMIMEType: Bool

    /// A content type with this text.
    public init(_ rawValue: String) {
        self.rawValue = rawValue
        let type = rawValue.utf8.prefix { $0 != UInt8(ascii: ";") }
        let parts = type.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        self.isMIMEType = parts.count == 2 && parts.allSatisfy { part in part.contains { $0 > UInt8(ascii: " ") } }
    }

    /// Whether both consist of the same octets; canonical equivalence is not enough.
    public static func == (lhs: STOMPContentType, rhs: STOMPContentType) -> Bool {
        lhs.rawValue.utf8.elementsEqual(rhs.rawValue.utf8)
    }

    /// Hashes the octets that `==` compares.
    public func hash(into hasher: inout Hasher) {
        for byte in self.rawValue.utf8 { hasher.combine(byte) }
    }

    /// The content type that the literal spells.
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// The header's value.
    public var description: String {
        self.rawValue
    }

    /// `text/plain`, which means UTF-8 (STOMP 1.2, content-type).
    public static let plainText: STOMPContentType = "text/plain"
    /// `application/json`.
    public static let json: STOMPContentType = "application/json"
    /// `application/octet-stream`.
    public static let octetStream: STOMPContentType = "application/octet-stream"

    /// The type and subtype in lower case, without parameters, such as `text/plain`.
    public var mediaType: String {
        let text = self.rawValue.split(separator: ";", omittingEmptySubsequences: false).first ?? ""
        return text.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    /// The encoding of a textual body in lower case: the `charset` parameter, `utf-8` for `text/*` without one, or `nil`
    /// for a type that is not known to be text.
    public var charset: String? {
        // What nearly all say. The rest takes ten times as long, and is asked for each message's text.
        if self.isPlainText { return "utf-8" }
        for parameter in self.rawValue.split(separator: ";").dropFirst() {
            let pair = parameter.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].filter({ $0 != " " }).lowercased() == "charset" else { continue }
            return pair[1].filter { $0 != " " && $0 != "\"" }.lowercased()
        }
        return self.mediaType.hasPrefix("text/") ? "utf-8" : nil
    }

    private var isPlainText: Bool {
        self.rawValue.utf8.starts(with: "text/".utf8) && !self.rawValue.utf8.contains(UInt8(ascii: ";"))
    }
}
