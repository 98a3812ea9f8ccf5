// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// How a WebSocket is opened and what it carries.
package struct WebSocketOptions: Sendable {
    /// As in the Host field of the request.
    package var host = ""
    package var path = "/"
    /// Offered, the best first.
    package var protocols: [String] = []
    /// Further fields of the request.
    package var fields: [(name: String, value: String)] = []
    package var kind = WebSocketFrameKind.binary
    /// Whether what comes as text has to be UTF-8.
    package var checksText = false
    /// The most bytes that one message is made of.
    package var outgoingMessageSize = 64 * 1024
    /// The most bytes that a message may have that comes.
    package var messageLimit = 256 * 1024 * 1024
    /// The most bytes that the other end may say in HTTP.
    package var headLimit = 16 * 1024
    /// Where keys and masks come from.
    package var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()

    /// Binary messages, the path "/".
    package init() {}
}
