// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMPCore

extension STOMPBroker {
    /// What a broker allows and how it behaves; the defaults suit most tests.
    public struct Configuration: Sendable {
        /// The versions it speaks.
        public var versions: Set<STOMPVersion> = Set(STOMPVersion.all)
        /// The passcodes of those who may connect, by login; `nil`: anybody may.
        ///
        /// Others get an ERROR with the message "Bad CONNECT".
        public var logins: [String: String]?
        /// The names that CONNECT's `host` header may have; `nil`: any.
        ///
        /// They are only checked: all sessions see the same queues. A 1.0 client that sends no `host` is let in.
        public var virtualHosts: Set<String>?
        /// How often it sends something to a client that wants heart-beats; zero: never.
        ///
        /// A client that asks for a longer interval gets that.
        public var outgoingHeartBeat: Duration = .seconds(10)
        /// How often a client that can must send something; zero: never.
        ///
        /// A client that offers a longer interval is held to that. After twice the agreed interval without a byte the
        /// broker cuts the connection, as brokers do: without an ERROR.
        public var incomingHeartBeat: Duration = .seconds(10)
        /// What CONNECTED says in its `server` header.
        public var serverName = "swift-stomp-broker/1.0"
        /// How many messages a subscription in a client ack mode may hold unsettled if its SUBSCRIBE says nothing about
        /// it in `prefetch-count` or `activemq.prefetchSize`; `nil`: no bound.
        public var defaultPrefetch: Int?
        /// How often a message may come again after a NACK, the next NACK taking it out of its queue; `nil`: no limit.
        ///
        /// What comes back because a connection or subscription has ended does not count.
        public var redeliveryLimit: Int?
        /// Where messages go that were refused beyond ``redeliveryLimit``, with a header `original-destination`; `nil`:
        /// they are gone.
        public var deadLetterQueue: String?
        /// Bounds on received frames; beyond them the answer is an ERROR.
        public var limits = STOMPLimits()
        /// Deviations from the protocol that clients may allow themselves: none, so that tests find them.
        public var leniency: STOMPLeniency = .strict
        /// The clock of the heart-beats, and of the 5 seconds in which a connection that is being closed must take its
        /// last bytes.
        public var clock: any Clock<Duration> = ContinuousClock()
        /// The most that one queue may hold, waiting or delivered and not settled; also the most that the open
        /// transactions of a connection may hold.
        ///
        /// A SEND beyond it is answered with an ERROR. A topic has such a queue for each of its subscribers; there the
        /// newest message is discarded, for that subscriber only, and counted in
        /// ``STOMPBroker/discardedMessageCount``.
        public var maximumQueueByteCount = 256 * 1024 * 1024
        /// How many bytes may wait for a client that does not read, give or take one frame.
        ///
        /// From there on its messages stay in their queues, other subscribers of a queue get them instead, and no more
        /// frames are read from it until it has taken half of what waits.
        public var maximumConnectionBacklog = 4 * 1024 * 1024
        /// How many settlements, and how many received frames, are remembered; older ones are forgotten.
        public var historyLimit = 10_000

        /// The default configuration.
        public init() {}
    }
}
