// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport

/// How a client or connection behaves.
///
/// Every wait and every buffer in it has a bound.
public struct STOMPConfiguration: Sendable {
    /// The versions that are offered; the broker chooses the highest it has (STOMP 1.2, Protocol Negotiation).
    public var versions: Set<STOMPVersion> = Set(STOMPVersion.all)
    /// `CONNECT`, or `STOMP`, which helps protocol sniffers and which 1.0 brokers do not know.
    public var connectCommand = STOMPCommand.connect
    /// Further headers of CONNECT, such as `client-id`.
    ///
    /// They never replace the client's own.
    public var connectHeaders: STOMPHeaders = [:]
    /// What is promised to the broker and asked of it.
    public var heartBeat = STOMPHeartBeat()
    /// What the broker may do that the specification does not allow.
    ///
    /// Lenient, since real brokers do.
    public var leniency = STOMPLeniency.lenient
    /// Bounds on received frames.
    public var limits = STOMPLimits()
    /// The broker's habits; `nil`: taken from its CONNECTED frame.
    public var dialect: STOMPDialect?
    /// Whether bodies are sent with `content-length`.
    public var contentLength = STOMPContentLength.included

    /// When to connect again, and when to give up; a server list with a policy of its own has precedence.
    public var reconnect = STOMPReconnectPolicy()
    /// What `send` without a receipt does while there is no connection.
    public var sendWhileDisconnected = STOMPDisconnectedSend.wait
    /// Asked for login and passcode at each attempt, within its ``connectTimeout``; `nil`, or an answer of `nil`: those of
    /// the server.
    ///
    /// It is cancelled at that time, and when the client ends; then it must return: its end is awaited, by the next attempt
    /// and by ``STOMPClient/run()``, since nothing of a client outlives that.
    public var credentials: (@Sendable (STOMPCredentialsRequest) async throws -> STOMPLogin?)?

    /// How long one connection attempt may take, from the name look-up to CONNECTED.
    public var connectTimeout: Duration = .seconds(10)
    /// How long a call waits while there is no connection, counted from its start.
    public var connectionWaitTimeout: Duration = .seconds(30)
    /// How long a RECEIPT may take.
    public var receiptTimeout: Duration = .seconds(30)
    /// How long a call waits for room in the outbox.
    public var outboxTimeout: Duration = .seconds(30)
    /// How long the farewells of a shutdown may take together: UNSUBSCRIBE, outstanding receipts and DISCONNECT.
    ///
    /// Also how long UNSUBSCRIBE alone may take, when a single subscription ends; on RabbitMQ, where that takes several
    /// answers of the broker, how long each of them may take.
    public var shutdownTimeout: Duration = .seconds(5)
    /// How long a graceful shutdown waits for handlers that have a message: until their loops ask for the next one.
    public var handlerTimeout: Duration = .seconds(30)

    /// Calls wait for room while so many bytes wait to be written: the outbox never holds more than this and one frame.
    public var outboxLimit = 1024 * 1024
    /// What each subscription may hold.
    public var subscription = STOMPSubscriptionOptions()
    /// The longest time for which the socket is not read because consumers are behind.
    ///
    /// RabbitMQ resets a connection that does not read for 30 s.
    public var maximumPause: Duration = .seconds(5)
    /// After how long at its limit, unread, a subscription is reported as ``STOMPEvent/slowConsumer(subscription:)``.
    public var slowConsumerTimeout: Duration = .seconds(30)

    /// Where time comes from; tests give a manual clock.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// Runs heart-beat and watchdog; `nil` in simulations, where everything runs on one executor.
    package var livenessExecutor: (any TaskExecutor)?

    /// Where chance comes from; simulations give a seeded generator.
    package var random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()

    /// The defaults, chosen to lose nothing and to hang nowhere.
    public init() {
        self.livenessExecutor = IOThread.shared
    }
}

/// Heart-beats: what is offered in CONNECT, and how patient we are (STOMP 1.2, Heart-beating).
public struct STOMPHeartBeat: Sendable, Hashable {
    /// We can send something at least this often; zero: no promise.
    ///
    /// Whole milliseconds.
    public var outgoing: Duration = .seconds(10)
    /// We want to hear something at least this often; zero: not wanted.
    ///
    /// Whole milliseconds.
    public var incoming: Duration = .seconds(10)
    /// A broker that is silent for this many times the agreed interval counts as dead.
    ///
    /// ActiveMQ's first beat comes after twice the interval, so less than 2 drops healthy connections there.
    public var tolerance = 3.0
    /// In a 1.0 session, which has no heart-beats, send an EOL at least this often; for ActiveMQ's
    /// `transport.defaultHeartBeat`.
    ///
    /// `nil`: send none, since some 1.0 brokers stop answering after one.
    public var legacyKeepAlive: Duration?

    /// The defaults: 10 s both ways.
    public init() {}

    /// Heart-beats of these intervals.
    public init(outgoing: Duration, incoming: Duration) {
        self.outgoing = outgoing
        self.incoming = incoming
    }

    /// No heart-beats.
    public static let none = STOMPHeartBeat(outgoing: .zero, incoming: .zero)

    package var header: HeartBeatHeader {
        HeartBeatHeader(outgoing: Self.milliseconds(self.outgoing), incoming: Self.milliseconds(self.incoming))
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        guard duration > .zero else { return 0 }
        // Some eleven days; what is beyond Int64 seconds has no components.
        let (seconds, attoseconds) = min(duration, .seconds(1_000_000)).components
        // A wish for less than a millisecond must not become "none".
        return Int(max(1, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
    }
}

/// What one subscription may hold, and what happens beyond that.
///
/// Messages come in batches: those of one read, which may be one message. A batch counts with the memory that it keeps
/// alive: a block of 128 KiB, or of 512 KiB when more comes at once, or of the size of its only message, if that is larger
/// than 128 KiB. When it uses less than an eighth of 128 KiB, less than half of what it shares with other subscriptions, or
/// less than three quarters of 512 KiB, it is a copy of just its bytes. To that come 320 bytes for each batch and 32 for each message.
///
/// A batch counts from when it was read until its last message was handed out and the next one is asked for. What you
/// hold after that does not count: a message keeps the memory of its batch alive while it is held and, in client modes,
/// until it is answered. So beyond ``hardLimit``, at most ``messageCredit`` times 512 KiB and the messages' own bytes are
/// kept for unanswered messages, if the broker heeds the credit; where it has no prefetch header (see ``STOMPDialect``),
/// nothing but your answers bounds them. Keep ``STOMPMessage/detached()`` copies of messages that you hold for long.
public struct STOMPSubscriptionOptions: Sendable, Hashable {
    /// What happens to a subscription that is at its hard limit.
    public enum Overflow: Sendable, Hashable {
        /// It ends with ``STOMPError/Code/subscriptionOverflow``; the connection and the others go on.
        case failSubscription
        /// The oldest buffered messages are dropped. For ``STOMPAckMode/auto`` only.
        case dropOldest
        /// What comes is dropped. For ``STOMPAckMode/auto`` only.
        case dropNewest
    }

    /// In client modes: how many messages the broker may have sent that are not acknowledged; set in the broker's own
    /// prefetch header.
    public var messageCredit = 100
    /// From so many buffered bytes on, and then until half of them are taken, reading from the socket may pause, unless
    /// another subscription's consumer waits or a receipt is awaited.
    public var softLimit = 4 * 1024 * 1024
    /// The most bytes that may be buffered; one larger message is taken if nothing else is.
    public var hardLimit = 32 * 1024 * 1024
    /// What happens at the hard limit.
    public var overflow = Overflow.failSubscription

    /// The default options.
    public init() {}
}
