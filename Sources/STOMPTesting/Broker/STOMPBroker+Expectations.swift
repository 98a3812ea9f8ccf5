// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMPCore

extension STOMPBroker {
    /// How a subscriber has settled a message; the text is the message's body.
    public enum Settlement: Sendable, Hashable {
        /// With an ACK, also one that covers several messages, and in a transaction when that is committed.
        case acknowledged(String)
        /// With a NACK.
        case negativelyAcknowledged(String)
    }

    /// A message that is in the broker.
    public struct Message: Sendable, Hashable {
        /// Where it was sent to.
        public let destination: String
        /// What subscribers see of the sender's headers.
        public let headers: STOMPHeaders
        /// The body.
        public let body: [UInt8]
        /// Whether it has been delivered before and has come back.
        public let isRedelivered: Bool

        /// The body as text; what is not UTF-8 is replaced.
        public var text: String {
            String(decoding: self.body, as: UTF8.self)
        }

        init(_ content: QueuedMessage) {
            self.destination = content.message.destination
            self.headers = content.message.headers
            self.body = content.message.body
            self.isRedelivered = content.isRedelivered
        }
    }

    // MARK: - What is

    /// How the messages of a destination were settled, in this order.
    ///
    /// Messages of `auto` subscriptions do not appear here: nobody settles them. The last
    /// ``Configuration/historyLimit`` settlements of all destinations are remembered. An ack without a receipt may be
    /// on its way still: see ``settled(in:count:)``.
    public func settled(in destination: String) async -> [Settlement] {
        guard let destination = BrokerDestination(destination) else { return [] }
        return await self.engine.look { $0.history.settlements(in: destination) }
    }

    /// What waits in a queue, the next to be delivered first; for a topic, what waits for any of its subscribers.
    public func messages(in destination: String) async -> [Message] {
        guard let destination = BrokerDestination(destination) else { return [] }
        return await self.engine.look { $0.waiting(in: destination).map { Message($0) } }
    }

    /// What was delivered and is not settled yet, in the order of delivery.
    public func unacknowledged(in destination: String) async -> [Message] {
        guard let destination = BrokerDestination(destination) else { return [] }
        return await self.engine.look { $0.unacknowledged(in: destination).map { Message($0.content) } }
    }

    /// How many subscriptions there are to this destination, in these words: wildcards are not expanded.
    public func subscriptionCount(for destination: String) async -> Int {
        guard let destination = BrokerDestination(destination) else { return 0 }
        return await self.engine.look { $0.subscriptionCount(for: destination) }
    }

    /// How many sessions are open: connections on which CONNECTED was sent.
    public var connectionCount: Int {
        get async { await self.engine.look { $0.clients.count } }
    }

    /// How many messages were discarded because nobody could be told that there is no room: copies for a topic's slow
    /// subscriber, and dead letters.
    public var discardedMessageCount: Int {
        get async { await self.engine.look { $0.discardedCount } }
    }

    /// The frames that clients have sent, in the order in which they were handled, passcodes left out.
    ///
    /// The last ``Configuration/historyLimit`` frames, as long as their bodies have no more than 16 MiB together.
    public var receivedFrames: [STOMPFrame] {
        get async { await self.engine.receivedFrames }
    }

    // MARK: - What will be

    /// Waits until `count` messages of a destination have been settled, and returns the first `count` settlements.
    ///
    /// `count` can be ``Configuration/historyLimit`` at most.
    ///
    /// - Throws: ``STOMPError/Code/cancelled``; ``STOMPError/Code/closed`` if the broker ends before.
    public func settled(in destination: String, count: Int) async throws(STOMPError) -> [Settlement] {
        let place = try Self.requireName(destination)
        try await self.engine.wait { $0.history.count(in: place) >= count }
        return Array(await self.settled(in: destination).prefix(count))
    }

    /// Waits until `count` messages wait in a queue, and returns the first `count` of them.
    ///
    /// - Throws: ``STOMPError/Code/cancelled``; ``STOMPError/Code/closed`` if the broker ends before.
    public func messages(in destination: String, count: Int) async throws(STOMPError) -> [Message] {
        let place = try Self.requireName(destination)
        try await self.engine.wait { $0.waitingCount(in: place) >= count }
        return Array(await self.messages(in: destination).prefix(count))
    }

    /// Waits until there are at least `count` subscriptions to this destination.
    ///
    /// - Throws: ``STOMPError/Code/cancelled``; ``STOMPError/Code/closed`` if the broker ends before.
    public func waitForSubscription(to destination: String, count: Int = 1) async throws(STOMPError) {
        let place = try Self.requireName(destination)
        try await self.engine.wait { $0.subscriptionCount(for: place) >= count }
    }

    /// Waits until at least `count` sessions are open.
    ///
    /// - Throws: ``STOMPError/Code/cancelled``; ``STOMPError/Code/closed`` if the broker ends before.
    public func waitForConnections(_ count: Int) async throws(STOMPError) {
        try await self.engine.wait { $0.clients.count >= count }
    }

    /// Waits until no session is open.
    ///
    /// - Throws: ``STOMPError/Code/cancelled``.
    public func waitForDisconnection() async throws(STOMPError) {
        try await self.engine.wait { $0.clients.isEmpty }
    }

    private static func requireName(_ destination: String) throws(STOMPError) -> BrokerDestination {
        guard let name = BrokerDestination(destination) else {
            throw STOMPError(.invalidArgument, "The destination \"\(destination)\" has no name.")
        }
        return name
    }
}
