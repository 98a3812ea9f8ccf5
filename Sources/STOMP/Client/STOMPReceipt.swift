// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Whether a call waits for the broker's RECEIPT (STOMP 1.2, receipt).
public struct STOMPReceipt: Sendable, Hashable {
    @usableFromInline
    package enum Kind: Sendable, Hashable {
        case none
        case required(within: Duration?)
    }

    @usableFromInline
    package let kind: Kind

    private init(_ kind: Kind) {
        self.kind = kind
    }

    /// The call returns when the frame is in the outbox.
    ///
    /// If the connection ends before it is sent, it is lost.
    public static let none = STOMPReceipt(.none)

    /// The call returns when the broker has confirmed the frame, waiting at most
    /// ``STOMPConfiguration/receiptTimeout``.
    public static let required = STOMPReceipt(.required(within: nil))

    /// The call returns when the broker has confirmed the frame, or throws ``STOMPError/Code/receiptTimedOut``.
    public static func required(within timeout: Duration) -> STOMPReceipt {
        STOMPReceipt(.required(within: timeout.bounded))
    }
}

/// Whether frames with a body carry `content-length` (STOMP 1.2, content-length).
public enum STOMPContentLength: Sendable, Hashable {
    /// Always: bodies may hold any octets.
    case included
    /// Never: on ActiveMQ this makes a TextMessage of a body. A body with a NUL is then an error.
    case omitted
}
