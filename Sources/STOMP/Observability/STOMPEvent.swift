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
    /// So many frames at most were still unsent when the connection ended.
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
