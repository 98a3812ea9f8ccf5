// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a peer has done that RFC 6455, or a limit, does not allow.
struct WebSocketViolation: Error, Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case reservedBits
        case unknownOpcode
        /// A server masks nothing, a client everything.
        case wrongMasking
        case lengthNotMinimal
        case lengthTooLarge
        case messageTooLarge
        case controlFrameTooLong
        case controlFrameFragmented
        /// A continuation of nothing, or a new message within another.
        case fragmentOutOfOrder
        case invalidText
        case invalidClose
    }

    let kind: Kind
    /// A sentence's end: "it sent …".
    let reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// What the Close says that answers it (RFC 6455, section 7.4.1).
    var closeCode: UInt16 {
        switch self.kind {
        case .invalidText: 1007
        case .messageTooLarge: 1009
        default: 1002
        }
    }
}
