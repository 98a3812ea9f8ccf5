// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A version of the STOMP protocol.
public struct STOMPVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    private let minor: UInt8

    private init(minor: UInt8) {
        self.minor = minor
    }

    /// STOMP 1.0: no escaping, no heart-beats, no NACK.
    public static let v10 = STOMPVersion(minor: 0)
    /// STOMP 1.1.
    public static let v11 = STOMPVersion(minor: 1)
    /// STOMP 1.2.
    public static let v12 = STOMPVersion(minor: 2)
    /// All versions, in increasing order.
    public static let all: [STOMPVersion] = [.v10, .v11, .v12]

    /// The version with this text (`"1.0"`, `"1.1"` or `"1.2"`), or `nil`.
    public init?(_ text: String) {
        switch text {
        case "1.0": self = .v10
        case "1.1": self = .v11
        case "1.2": self = .v12
        default: return nil
        }
    }

    /// The text of the `version` header, such as `1.2`.
    public var description: String {
        "1.\(self.minor)"
    }

    /// Whether the first version is the older one.
    public static func < (lhs: STOMPVersion, rhs: STOMPVersion) -> Bool {
        lhs.minor < rhs.minor
    }

    /// The value of `accept-version` for these versions: increasing, with commas and no spaces.
    ///
    /// RabbitMQ and ActiveMQ fall to 1.0 when there is a space after the comma.
    package static func acceptVersion(_ versions: some Collection<STOMPVersion>) -> String {
        Set(versions).sorted().map(\.description).joined(separator: ",")
    }

    /// The highest version that both sides speak (STOMP 1.2, Protocol Negotiation).
    ///
    /// - Parameters:
    ///   - accepted: the peer's `accept-version` header; without one it speaks 1.0 only.
    ///   - supported: what this side speaks.
    /// - Returns: the version, or `nil` if there is none in common.
    package static func negotiated(accepted: String?, supported: Set<STOMPVersion>) -> STOMPVersion? {
        guard let accepted else { return supported.contains(.v10) ? .v10 : nil }
        return accepted.utf8.split(separator: UInt8(ascii: ","))
            .compactMap { STOMPVersion(String(decoding: $0, as: UTF8.self)) }
            .filter(supported.contains)
            .max()
    }
}
