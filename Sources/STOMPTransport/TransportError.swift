// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Why bytes cannot move, or a connection cannot be made.
package struct TransportError: Error, Sendable, CustomStringConvertible {
    /// What a caller may want to tell apart.
    package enum Kind: Sendable {
        /// The host's name has no address, or asking for it failed.
        case resolution
        /// The peer answered that nothing listens there.
        case refused
        /// No way to the peer, or no answer from it.
        case unreachable
        /// The stream, listener or attempt has ended: by either side, or by cancellation.
        case closed
        /// The system could not do it: out of descriptors, an address in use, no permission.
        case system
        /// Host or port, there or here, cannot be an address.
        case invalidAddress
        /// The peer answered, but does not open what was asked of it: no WebSocket there, another protocol.
        case handshake
        /// The peer broke the rules of the layer, or went beyond a limit.
        case violation
        /// What shall be written cannot be carried: text frames carry UTF-8 only.
        case unsendable
        /// The system does not let the socket have an option, or the local address, that is asked for.
        case option
        /// No session: what the peer has shown or said, or what we have been given to show, will not do.
        case tlsFailed
        /// There is no library for it.
        case tlsUnavailable
        /// The stream ended without the session's own end: cut by somebody, or by a peer that crashed.
        case truncated
    }

    package var kind: Kind
    /// The system's number, if there is one.
    package var errno: Int32?
    /// A sentence: what failed, for which peer, in the system's words.
    package var message: String

    package init(kind: Kind, errno: Int32? = nil, message: String) {
        self.kind = kind
        self.errno = errno
        self.message = message
    }

    package var description: String { self.message }
}
