// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension STOMPHeaders {
    /// The name of a header.
    ///
    /// Names are octets: they are compared byte by byte and are case-sensitive.
    public struct Name: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
        /// The name's text.
        public let rawValue: String

        /// A header name with this text.
        ///
        /// The rules for names are checked when a frame is written.
        public init(_ rawValue: String) {
            self.rawValue = rawValue
        }

        /// The name that the literal spells.
        public init(stringLiteral value: String) {
            self.init(value)
        }

        /// The name as it stands in the frame, unescaped.
        public var description: String {
            self.rawValue
        }

        // String's own == is canonical equivalence, under which different octets may be equal.
        /// Whether both consist of the same octets; canonical equivalence is not enough.
        public static func == (lhs: Name, rhs: Name) -> Bool {
            lhs.rawValue.hasSameOctets(as: rhs.rawValue)
        }

        /// Hashes the octets that `==` compares.
        public func hash(into hasher: inout Hasher) {
            for byte in self.rawValue.utf8 { hasher.combine(byte) }
        }
    }
}

extension STOMPHeaders.Name {
    /// `accept-version`.
    public static let acceptVersion: Self = "accept-version"
    /// `ack`: on SUBSCRIBE the ack mode, on a 1.2 MESSAGE the id to acknowledge with.
    public static let ack: Self = "ack"
    /// `content-length`, in octets.
    public static let contentLength: Self = "content-length"
    /// `content-type`.
    public static let contentType: Self = "content-type"
    /// `correlation-id`.
    public static let correlationID: Self = "correlation-id"
    /// `destination`.
    public static let destination: Self = "destination"
    /// `expires`.
    public static let expires: Self = "expires"
    /// `heart-beat`.
    public static let heartBeat: Self = "heart-beat"
    /// `host`: the virtual host.
    public static let host: Self = "host"
    /// `id`.
    public static let id: Self = "id"
    /// `login`.
    public static let login: Self = "login"
    /// `message`: the short text of an ERROR.
    public static let message: Self = "message"
    /// `message-id`.
    public static let messageID: Self = "message-id"
    /// `passcode`.
    public static let passcode: Self = "passcode"
    /// `persistent`.
    public static let persistent: Self = "persistent"
    /// `priority`.
    public static let priority: Self = "priority"
    /// `receipt`.
    public static let receipt: Self = "receipt"
    /// `receipt-id`.
    public static let receiptID: Self = "receipt-id"
    /// `redelivered`.
    public static let redelivered: Self = "redelivered"
    /// `reply-to`.
    public static let replyTo: Self = "reply-to"
    /// `selector`.
    public static let selector: Self = "selector"
    /// `server`.
    public static let server: Self = "server"
    /// `session`.
    public static let session: Self = "session"
    /// `subscription`.
    public static let subscription: Self = "subscription"
    /// `timestamp`.
    public static let timestamp: Self = "timestamp"
    /// `transaction`.
    public static let transaction: Self = "transaction"
    /// `version`.
    public static let version: Self = "version"
}
