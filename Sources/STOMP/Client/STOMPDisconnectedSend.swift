// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What `send` does while there is no connection.
///
/// It is about sends without a receipt: one with a receipt waits for its connection, or fails at once with ``fail``.
public enum STOMPDisconnectedSend: Sendable, Hashable {
    /// It throws ``STOMPError/Code/notConnected`` at once.
    case fail
    /// It waits, at most ``STOMPConfiguration/connectionWaitTimeout``.
    case wait
    /// It puts the message into a bounded queue and returns; the queue goes out, in order, with the next connection.
    case enqueue(STOMPSendQueueLimits)
}

/// The bounds of the queue of messages that wait for a connection.
public struct STOMPSendQueueLimits: Sendable, Hashable {
    /// What happens to a message for which there is no room.
    public enum Overflow: Sendable, Hashable {
        /// `send` throws ``STOMPError/Code/outboxFull``.
        case refuse
        /// The oldest ones are dropped, which is an event.
        case dropOldest
        /// It is dropped, which is an event.
        case dropNewest
    }

    /// The most messages.
    public var countLimit = 1_000
    /// The most bytes of bodies and headers.
    public var byteLimit = 1024 * 1024
    /// How long a message may wait; then it is dropped at once, which is an event.
    public var timeToLive: Duration = .seconds(30)
    /// What happens beyond the limits.
    public var overflow = Overflow.refuse

    /// The default bounds.
    public init() {}
}
