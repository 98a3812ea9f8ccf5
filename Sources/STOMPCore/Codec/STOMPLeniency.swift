// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Deviations from the specification that are accepted from a peer.
///
/// What we send is always strict.
///
/// Real brokers need these: see `Docs/Brokers.md`.
public struct STOMPLeniency: OptionSet, Sendable, Hashable {
    /// One bit for each leniency.
    public let rawValue: UInt32

    /// The leniencies of these bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// A raw `:` inside a value; the line is split at its first colon.
    ///
    /// ActiveMQ sends `session:ID:host-…`.
    public static let rawColonInValue = STOMPLeniency(rawValue: 1 << 0)
    /// An undefined escape such as `\t`, or a `\` at the end, stays as it is.
    ///
    /// ActiveMQ passes these on.
    public static let undefinedEscape = STOMPLeniency(rawValue: 1 << 1)
    /// NULs between frames are skipped.
    public static let strayNUL = STOMPLeniency(rawValue: 1 << 2)
    /// In 1.0 and 1.1 a CR ends the command or the blank line; in every version a CR may stand between frames or
    /// inside a line.
    public static let strayCarriageReturn = STOMPLeniency(rawValue: 1 << 3)
    /// Headers that are not UTF-8: each bad sequence becomes U+FFFD.
    public static let invalidUTF8 = STOMPLeniency(rawValue: 1 << 4)
    /// A negative content-length counts as none.
    public static let negativeContentLength = STOMPLeniency(rawValue: 1 << 5)
    /// A malformed `heart-beat` header counts as `0,0`.
    public static let malformedHeartBeat = STOMPLeniency(rawValue: 1 << 6)
    /// A frame with an unknown command is reported and otherwise ignored.
    public static let unknownCommand = STOMPLeniency(rawValue: 1 << 7)
    /// A RECEIPT or CONNECTED with a body.
    public static let unexpectedBody = STOMPLeniency(rawValue: 1 << 8)
    /// A MESSAGE without `message-id`, `destination` or `subscription`.
    ///
    /// The Ruby stompserver sends such.
    public static let missingMessageHeader = STOMPLeniency(rawValue: 1 << 9)
    /// In 1.0 spaces around names and values are trimmed, as that version's examples have them; around a content-length
    /// in every version.
    public static let paddedHeader = STOMPLeniency(rawValue: 1 << 10)
    /// In 1.0 a header without a value.
    public static let emptyValue = STOMPLeniency(rawValue: 1 << 11)

    /// Nothing but the specification.
    public static let strict: STOMPLeniency = []
    /// All of the above: the default for what is received.
    public static let lenient = STOMPLeniency(rawValue: (1 << 12) - 1)
}
