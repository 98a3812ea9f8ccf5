// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMPCore

/// How a WebSocket to a server is opened, and what it carries (RFC 6455).
///
/// The path is a part of the endpoint.
public struct STOMPWebSocketOptions: Sendable, Hashable {
    /// What kind of messages we send.
    @nonexhaustive
    public enum Frames: Sendable, Hashable {
        /// Any bytes.
        case binary
        /// UTF-8 only: a body that is not is refused with ``STOMPError/Code/invalidArgument``, and nothing of it is sent.
        case text
    }

    /// Whether what comes as text has to be UTF-8.
    @nonexhaustive
    public enum TextChecking: Sendable, Hashable {
        /// It is taken as bytes. RabbitMQ sends any body as text unless its `web_stomp.ws_frame` is `binary`.
        case lenient
        /// What is not UTF-8 ends the connection with ``STOMPError/Code/protocolViolation``.
        case strict
    }

    /// What kind of messages we send; the broker may send either.
    public var frames = Frames.binary
    /// Whether what comes as text has to be UTF-8.
    public var textChecking = TextChecking.lenient
    /// Further headers of the HTTP request, such as `Authorization`.
    ///
    /// Their values never appear in a description, an error or an event.
    public var headers: STOMPHeaders = [:]
    /// The most bytes that one message of ours has.
    ///
    /// A STOMP frame may span several messages, and one may hold several frames. Some servers take small messages only.
    public var outgoingMessageSize = 64 * 1024
    /// The most bytes that a received message may have; beyond that the connection ends with
    /// ``STOMPError/Code/protocolViolation``.
    ///
    /// Nothing is kept of a message but the STOMP frames in it, which ``STOMPConfiguration/limits`` bounds.
    public var messageLimit = 256 * 1024 * 1024
    /// The most bytes of the server's answer to the request.
    public var answerLimit = 16 * 1024

    /// Binary messages, no further headers.
    public init() {}
}

extension STOMPWebSocketOptions: CustomStringConvertible, CustomReflectable {
    /// The kind of messages and the names of the headers, without their values.
    public var description: String {
        let names = self.headers.fields.map(\.name.rawValue).joined(separator: ", ")
        return "\(self.frames) frames" + (names.isEmpty ? "" : ", headers \(names)")
    }

    /// As the description: `dump` and loggers look in here.
    public var customMirror: Mirror {
        Mirror(self, children: ["description": self.description], displayStyle: .struct)
    }
}
