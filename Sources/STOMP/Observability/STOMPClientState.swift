// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Where a client stands.
///
/// Read it from ``STOMPClient/state``; each change comes with an event, in the same order.
@nonexhaustive
public enum STOMPClientState: Sendable {
    /// ``STOMPClient/run()`` has not been called.
    case idle
    /// An attempt to connect is under way; attempts count from 1 since the start or the last stable connection.
    case connecting(STOMPEndpoint, attempt: Int)
    /// A session is open, and its subscriptions are being renewed.
    case resuming(STOMPSessionInfo)
    /// Calls go to the broker.
    case connected(STOMPSessionInfo)
    /// The connection has ended, and what follows is being decided; `nil`: as wished.
    case disconnected(STOMPError?)
    /// The next attempt comes after this time.
    case waiting(Duration, because: STOMPError)
    /// ``STOMPClient/run()`` has ended; `nil`: as wished.
    case closed(STOMPError?)
}
