// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Something rare that an operator wants to know about.
///
/// Read them from ``STOMPClient/events``.
@nonexhaustive
public enum STOMPEvent: Sendable {
    /// An attempt to connect begins; attempts count from 1 since the start or the last stable connection.
    case connecting(STOMPEndpoint, attempt: Int)
    /// A session was opened.
    case connected(STOMPSessionInfo)
    /// After a loss: so many subscriptions go on by the new connection, and calls that waited now go to it.
    case resumed(subscriptionCount: Int)
    /// The connection has ended; `nil`: as wished.
    case disconnected(STOMPError?)
    /// The next attempt to connect comes after this time.
    case reconnecting(after: Duration, because: STOMPError)
    /// A graceful shutdown has come to its end.
    case drained(STOMPDrainReport)
    /// So many messages at most will never be sent, though `send` without a receipt had taken them: they were still in the
    /// outbox when the connection ended, or they waited for one in vain.
    ///
    /// Not counted is what a call tells of (a receipt, the end of a transaction), what is sent again, and what is no
    /// message: an ack that is lost makes the message come again.
    case framesLost(Int)
    /// Reading from the socket pauses because the consumers are behind.
    case readingPaused
    /// Reading goes on.
    case readingResumed
    /// A subscription with a dropping overflow policy was at its hard limit.
    case messagesDropped(subscription: String, count: Int)
    /// A subscription has been at its limit and unread for ``STOMPConfiguration/slowConsumerTimeout``.
    case slowConsumer(subscription: String)
    /// A subscription ended while the connection lives: an overflow, or an ERROR that names it.
    case subscriptionFailed(subscription: String, STOMPError)
    /// A message for no subscription of ours, such as one that was under way at UNSUBSCRIBE.
    case unexpectedMessage(subscription: String?)
    /// A RECEIPT or ERROR for nothing that is pending, or a frame that this version does not know.
    case unexpectedFrame(STOMPFrame)
    /// The configuration will not do what was meant; the text says why.
    case warning(String)
}
