// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Where a message goes to or comes from, such as `/queue/orders`: opaque to the client (STOMP 1.2, SEND).
public struct STOMPDestination: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringInterpolation {
    /// The destination as the broker reads it.
    public let rawValue: String

    /// A destination with this text.
    @inlinable
    public init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// The destination that the literal names.
    @inlinable
    public init(stringLiteral value: String) {
        self.init(value)
    }

    /// The destination as the broker reads it.
    public var description: String {
        self.rawValue
    }

    /// Whether both consist of the same octets; canonical equivalence is not enough.
    public static func == (lhs: STOMPDestination, rhs: STOMPDestination) -> Bool {
        lhs.rawValue.utf8.elementsEqual(rhs.rawValue.utf8)
    }

    /// Hashes the octets that `==` compares.
    public func hash(into hasher: inout Hasher) {
        for byte in self.rawValue.utf8 { hasher.combine(byte) }
    }
}
