// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The command of a frame.
///
/// Commands are case-sensitive.
public struct STOMPCommand: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The command as it stands in the frame's first line.
    public let rawValue: String

    /// A command with this text.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The command that the literal names.
    public init(stringLiteral value: String) {
        self.init(rawValue: value)
    }

    /// The command as it stands in the frame.
    public var description: String {
        self.rawValue
    }

    /// Whether both consist of the same octets; canonical equivalence is not enough.
    public static func == (lhs: STOMPCommand, rhs: STOMPCommand) -> Bool {
        lhs.rawValue.utf8.elementsEqual(rhs.rawValue.utf8)
    }

    /// Hashes the octets that `==` compares.
    public func hash(into hasher: inout Hasher) {
        for byte in self.rawValue.utf8 { hasher.combine(byte) }
    }

    /// `CONNECT`.
    public static let connect: STOMPCommand = "CONNECT"
    /// `STOMP`, which does what `CONNECT` does (from 1.1 on).
    public static let stomp: STOMPCommand = "STOMP"
    /// `CONNECTED`.
    public static let connected: STOMPCommand = "CONNECTED"
    /// `SEND`.
    public static let send: STOMPCommand = "SEND"
    /// `SUBSCRIBE`.
    public static let subscribe: STOMPCommand = "SUBSCRIBE"
    /// `UNSUBSCRIBE`.
    public static let unsubscribe: STOMPCommand = "UNSUBSCRIBE"
    /// `ACK`.
    public static let ack: STOMPCommand = "ACK"
    /// `NACK` (from 1.1 on).
    public static let nack: STOMPCommand = "NACK"
    /// `BEGIN`.
    public static let begin: STOMPCommand = "BEGIN"
    /// `COMMIT`.
    public static let commit: STOMPCommand = "COMMIT"
    /// `ABORT`.
    public static let abort: STOMPCommand = "ABORT"
    /// `DISCONNECT`.
    public static let disconnect: STOMPCommand = "DISCONNECT"
    /// `MESSAGE`.
    public static let message: STOMPCommand = "MESSAGE"
    /// `RECEIPT`.
    public static let receipt: STOMPCommand = "RECEIPT"
    /// `ERROR`.
    public static let error: STOMPCommand = "ERROR"

    /// Whether the headers of this frame travel without escapes (STOMP 1.2, Value Encoding).
    ///
    /// The text names CONNECT and CONNECTED; servers handle STOMP in the same manner as CONNECT.
    package var isHandshake: Bool {
        self == .connect || self == .connected || self == .stomp
    }

    /// Whether a frame with this command may have a body (STOMP 1.2, Body).
    package var allowsBody: Bool {
        self == .send || self == .message || self == .error
    }

    /// Whether a server may send this command.
    package var isFromServer: Bool {
        self == .connected || self == .message || self == .receipt || self == .error
    }
}
