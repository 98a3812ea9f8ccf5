// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What every call of this package throws.
///
/// ``code`` is for programs, ``message`` for people: it says what happened and what to do about it. Secrets never
/// appear in either.
public struct STOMPError: Error, Sendable, CustomStringConvertible {
    /// Kept behind one reference, so that results and optionals of errors stay small on the paths without any.
    private final class Storage: Sendable {
        let code: Code
        let message: String
        let frame: STOMPFrame?
        let cause: (any Error)?

        init(_ code: Code, _ message: String, _ frame: STOMPFrame?, _ cause: (any Error)?) {
            self.code = code
            self.message = message
            self.frame = frame
            self.cause = cause
        }
    }

    private let storage: Storage

    /// An error of these parts.
    public init(_ code: Code, _ message: String, frame: STOMPFrame? = nil, cause: (any Error)? = nil) {
        self.storage = Storage(code, message, frame, cause)
    }

    /// What went wrong.
    public var code: Code { self.storage.code }
    /// What went wrong and what to do next, as a sentence.
    public var message: String { self.storage.message }
    /// The ERROR frame that is behind this error, if one.
    public var frame: STOMPFrame? { self.storage.frame }
    /// The error behind this one, if one.
    public var cause: (any Error)? { self.storage.cause }

    /// Whether the same call may succeed later without a change to the program or its settings.
    ///
    /// For a `send` that ended in ``Code/connectionLost`` or ``Code/receiptTimedOut`` the outcome is unknown: sending
    /// again may deliver the message twice.
    public var isRetriable: Bool {
        self.code.isRetriable
    }

    /// One line for a log: the code, the message and the cause.
    public var description: String {
        var text = "\(self.code): \(self.message)"
        if let cause = self.cause {
            // A cause that the message quotes is not said again.
            let description = "\(cause)"
            if !self.message.contains(description) { text += " (cause: \(description))" }
        }
        return text
    }
}

extension STOMPError {
    /// The kinds of ``STOMPError``.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case invalidArgument, invalidURI, invalidSettings, notSupported
            case tlsFailed, tlsUnavailable
            case notConnected, connectFailed, connectTimedOut, connectRefused, unsupportedVersion, alreadyRunning
            case connectionLost, heartBeatLost, serverError, protocolViolation
            case headerLineTooLong, tooManyHeaders, headersTooLarge, bodyTooLarge
            case rejected, receiptTimedOut, outboxFull, closed, cancelled
            case staleAcknowledgement, alreadyAcknowledged, notAcknowledgeable
            case alreadyIterating, subscriptionOverflow, subscriptionEnded
            case transactionLost, transactionInDoubt, transactionEnded
            case invalidText
        }

        private let kind: Kind

        private init(_ kind: Kind) {
            self.kind = kind
        }

        /// The code's name, such as `connectionLost`.
        public var description: String {
            self.kind.rawValue
        }

        var isRetriable: Bool {
            switch self.kind {
            case .notConnected, .connectFailed, .connectTimedOut, .connectionLost, .heartBeatLost, .receiptTimedOut,
                .outboxFull, .transactionLost, .subscriptionOverflow:
                true
            default:
                false
            }
        }

        /// An argument cannot be used: a bad header, destination, id, address or option.
        ///
        /// Nothing was written.
        public static let invalidArgument = Code(.invalidArgument)
        /// A server's address cannot be read.
        public static let invalidURI = Code(.invalidURI)
        /// A file with settings, or a variable of the environment, cannot be read.
        public static let invalidSettings = Code(.invalidSettings)
        /// The negotiated version, the broker or this package does not have this; nothing was written.
        public static let notSupported = Code(.notSupported)
        /// There is no connection; nothing was written.
        public static let notConnected = Code(.notConnected)
        /// No connection could be made: name resolution, refusal, network.
        public static let connectFailed = Code(.connectFailed)
        /// There is no TLS session: one side does not accept the other's certificate, or they have no version or cipher
        /// in common, or what TLS was to be set up with cannot be used.
        ///
        /// The message says which, and what to do.
        public static let tlsFailed = Code(.tlsFailed)
        /// There is no TLS here: OpenSSL 3 is not installed, or cannot be loaded.
        public static let tlsUnavailable = Code(.tlsUnavailable)
        /// CONNECTED did not come in time.
        public static let connectTimedOut = Code(.connectTimedOut)
        /// The broker answered CONNECT with an ERROR, such as a wrong passcode; see ``STOMPError/frame``.
        public static let connectRefused = Code(.connectRefused)
        /// No common version of the protocol.
        public static let unsupportedVersion = Code(.unsupportedVersion)
        /// `run()` was called a second time.
        public static let alreadyRunning = Code(.alreadyRunning)
        /// The connection ended.
        ///
        /// For a frame that was under way the outcome is unknown.
        public static let connectionLost = Code(.connectionLost)
        /// Nothing came from the broker for longer than the agreed heart-beats allow.
        public static let heartBeatLost = Code(.heartBeatLost)
        /// The broker sent an ERROR that ends the connection; see ``STOMPError/frame``.
        public static let serverError = Code(.serverError)
        /// The peer broke the protocol.
        public static let protocolViolation = Code(.protocolViolation)
        /// A received line is longer than ``STOMPLimits/headerLineLimit``.
        public static let headerLineTooLong = Code(.headerLineTooLong)
        /// A received frame has more headers than ``STOMPLimits/headerCountLimit``.
        public static let tooManyHeaders = Code(.tooManyHeaders)
        /// A received frame's headers are larger than ``STOMPLimits/headerBlockLimit``.
        public static let headersTooLarge = Code(.headersTooLarge)
        /// A received body is larger than ``STOMPLimits/bodyLimit``.
        public static let bodyTooLarge = Code(.bodyTooLarge)
        /// The broker refused this very frame with an ERROR that names it; see ``STOMPError/frame``.
        ///
        /// Or it did not take back what a subscription that ended has given back.
        public static let rejected = Code(.rejected)
        /// The RECEIPT did not come in time; the outcome is unknown.
        public static let receiptTimedOut = Code(.receiptTimedOut)
        /// The outbox had no room within the deadline; nothing of this frame was written.
        public static let outboxFull = Code(.outboxFull)
        /// The connection or client is shut down or about to be; nothing was written.
        public static let closed = Code(.closed)
        /// The calling task was cancelled.
        public static let cancelled = Code(.cancelled)
        /// The message came by a connection that is gone; the broker delivers it again.
        ///
        /// Nothing was written.
        public static let staleAcknowledgement = Code(.staleAcknowledgement)
        /// The message was acknowledged before, perhaps by a cumulative ack.
        ///
        /// Nothing was written.
        public static let alreadyAcknowledged = Code(.alreadyAcknowledged)
        /// The message's subscription is `auto` or has ended, or no such delivery is known.
        ///
        /// Nothing was written.
        public static let notAcknowledgeable = Code(.notAcknowledgeable)
        /// Two tasks iterate one subscription at the same time.
        public static let alreadyIterating = Code(.alreadyIterating)
        /// More was received than the subscription's buffer may hold.
        public static let subscriptionOverflow = Code(.subscriptionOverflow)
        /// The subscription has ended.
        public static let subscriptionEnded = Code(.subscriptionEnded)
        /// The connection ended before COMMIT: nothing of the transaction was done.
        public static let transactionLost = Code(.transactionLost)
        /// The connection ended during COMMIT: whether it was done is unknown.
        public static let transactionInDoubt = Code(.transactionInDoubt)
        /// The transaction was committed or aborted before.
        public static let transactionEnded = Code(.transactionEnded)
        /// The body is not text in its stated encoding.
        public static let invalidText = Code(.invalidText)
    }
}
