// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Whether a call waits for the broker's RECEIPT (STOMP 1.2, receipt).
public struct STOMPReceipt: Sendable, Hashable {
    /// What becomes of a send whose connection ends before the receipt has come: the broker may have it, or not.
    public enum Loss: Sendable, Hashable {
        /// It throws ``STOMPError/Code/connectionLost``.
        case fail
        /// A ``STOMPClient`` sends it again by the next connection, before anything that was sent after it: at least once.
        ///
        /// Give it a header by which the receiver knows it again; not `message-id`, which RabbitMQ refuses.
        ///
        /// After an ERROR that names nobody it is not sent again, but throws ``STOMPError/Code/serverError``: it may be what
        /// the broker does not stand.
        case resend
    }

    @usableFromInline
    package enum Kind: Sendable, Hashable {
        case none
        case required(within: Duration?, onLoss: Loss)
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
    public static let required = STOMPReceipt(.required(within: nil, onLoss: .fail))

    /// The call returns when the broker has confirmed the frame, or throws ``STOMPError/Code/receiptTimedOut``.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait, on each connection; `nil`: ``STOMPConfiguration/receiptTimeout``.
    ///   - onLoss: what happens if the connection ends before; matters for `send` only.
    /// - Returns: a receipt that is required.
    public static func required(within timeout: Duration? = nil, onLoss: Loss = .fail) -> STOMPReceipt {
        STOMPReceipt(.required(within: timeout?.bounded, onLoss: onLoss))
    }
}

/// Whether frames with a body carry `content-length` (STOMP 1.2, content-length).
public enum STOMPContentLength: Sendable, Hashable {
    /// Always: bodies may hold any octets.
    case included
    /// Never: on ActiveMQ this makes a TextMessage of a body. A body with a NUL is then an error.
    case omitted
}
