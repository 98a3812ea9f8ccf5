// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A broker's habits beyond the specification.
///
/// Detected from the `server` header of CONNECTED, or set by hand in ``STOMPConfiguration/dialect``.
public struct STOMPDialect: Sendable, Hashable, CustomStringConvertible {
    /// The SUBSCRIBE header that limits what the broker sends ahead.
    public struct Prefetch: Sendable, Hashable {
        /// What the number counts.
        public enum Unit: Sendable, Hashable {
            /// Messages.
            case messages
            /// Bytes.
            case bytes
        }

        /// The header's name.
        public var header: STOMPHeaders.Name
        /// What the header's number counts.
        public var unit: Unit

        /// A prefetch header of this name and unit.
        public init(header: STOMPHeaders.Name, unit: Unit) {
            self.header = header
            self.unit = unit
        }
    }

    /// What the broker does with a NACK.
    public enum NegativeAcknowledgement: Sendable, Hashable {
        /// The message is delivered again, to any consumer; in `client` mode all unanswered ones before it too.
        case redelivers
        /// This message alone goes to a dead-letter queue or is discarded.
        case discards
        /// NACK does not exist there: it is refused locally.
        case unsupported
    }

    /// What an ERROR frame means for the connection.
    public enum ErrorMeaning: Sendable, Hashable {
        /// One that names a pending receipt or a subscription ends that; any other one ends the connection.
        case fatalUnlessAttributed
        /// The broker closes after every ERROR.
        case alwaysFatal
    }

    /// How unanswered messages return to the broker when a subscription ends while the connection lives.
    public enum GivingBack: Sendable, Hashable {
        /// UNSUBSCRIBE returns them.
        case onUnsubscribe
        /// UNSUBSCRIBE strands them until the connection closes, unless they are NACKed in a transaction that is
        /// committed after it: plain NACKs would come straight back. What the broker sends at that very moment is
        /// given back afterwards, as far as the client knows its delivery tags.
        case byTransaction
        /// Only the end of the connection returns them.
        case onDisconnect
    }

    /// Which header of a 1.2 MESSAGE an ACK repeats.
    public enum AcknowledgementHeader: Sendable, Hashable {
        /// `ack`, as the specification has it.
        case ack
        /// `message-id`, for brokers that send no `ack`.
        case messageID
    }

    /// The broker's name.
    public var name: String
    /// How to limit what is sent ahead; `nil`: the broker has no such header.
    public var prefetch: Prefetch?
    /// What NACK does.
    public var negativeAcknowledgement = NegativeAcknowledgement.redelivers
    /// What ERROR means.
    public var errorMeaning = ErrorMeaning.fatalUnlessAttributed
    /// Whether `receipt` headers are answered at all.
    ///
    /// Without, nothing waits for a RECEIPT, and sends that require one are refused.
    public var hasReceipts = true
    /// What leaving a subscription early takes.
    public var givingBack = GivingBack.onUnsubscribe
    /// Which header an ACK repeats in 1.2.
    public var acknowledgementHeader = AcknowledgementHeader.ack
    /// Whether an ACK in 1.0 names the subscription, which the specification does not ask for.
    ///
    /// ActiveMQ otherwise looks for the message in those that have ended, too, and takes the ACK for theirs: then the
    /// message comes again.
    package var namesSubscriptionInLegacyAck = false
    /// How the body of an ERROR begins that only says that a message was under way at UNSUBSCRIBE; the subscription's
    /// id follows.
    package var lateMessageNotice: String?

    /// A dialect that follows the specification.
    public init(name: String) {
        self.name = name
    }

    /// The broker's name.
    public var description: String {
        self.name
    }

    /// The specification and nothing else.
    public static let generic = STOMPDialect(name: "generic")

    /// RabbitMQ.
    public static let rabbitMQ: STOMPDialect = {
        var dialect = STOMPDialect(name: "RabbitMQ")
        dialect.prefetch = Prefetch(header: "prefetch-count", unit: .messages)
        dialect.givingBack = .byTransaction
        dialect.lateMessageNotice = "There is no current subscription with tag 'T_"
        return dialect
    }()

    /// ActiveMQ Classic.
    public static let activeMQ: STOMPDialect = {
        var dialect = STOMPDialect(name: "ActiveMQ")
        dialect.prefetch = Prefetch(header: "activemq.prefetchSize", unit: .messages)
        dialect.negativeAcknowledgement = .discards
        dialect.namesSubscriptionInLegacyAck = true
        return dialect
    }()

    /// ActiveMQ Artemis.
    public static let artemis: STOMPDialect = {
        var dialect = STOMPDialect(name: "Artemis")
        dialect.prefetch = Prefetch(header: "consumer-window-size", unit: .bytes)
        return dialect
    }()

    /// The Ruby stompserver, which speaks 1.0 only and says nothing about itself.
    public static let stompserver: STOMPDialect = {
        var dialect = STOMPDialect(name: "stompserver")
        dialect.negativeAcknowledgement = .unsupported
        dialect.errorMeaning = .alwaysFatal
        dialect.givingBack = .onDisconnect
        return dialect
    }()

    /// The broker of `STOMPTesting`.
    public static let swiftBroker: STOMPDialect = {
        var dialect = STOMPDialect(name: "swift-stomp-broker")
        dialect.prefetch = Prefetch(header: "prefetch-count", unit: .messages)
        return dialect
    }()

    /// The dialect that belongs to a `server` header.
    public static func detected(from server: String?) -> STOMPDialect {
        let name = (server ?? "").lowercased()
        if name.hasPrefix("rabbitmq") { return .rabbitMQ }
        if name.contains("artemis") { return .artemis }
        if name.hasPrefix("activemq") { return .activeMQ }
        if name.hasPrefix("swift-stomp-broker") { return .swiftBroker }
        return .generic
    }
}
