// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// When a client connects again, and when it gives up.
///
/// Attempts come in rounds: a round tries each server of the list once, without a pause between them; the delays are
/// between rounds, and before the first round after a loss.
///
/// The default: at the start one round, then the error; after a loss no limit, with delays of 10 ms that double up to
/// 30 s, each up to a fifth shorter by chance.
public struct STOMPReconnectPolicy: Sendable {
    /// A number of attempts; for a list of servers, of rounds.
    public enum Attempts: Sendable, Hashable {
        /// Until the client is shut down, or ``STOMPReconnectPolicy/timeout`` is over.
        case unlimited
        /// At most so many; 0: none.
        case limited(Int)
    }

    /// What one attempt is, for the delays and for the limits.
    public enum Pace: Sendable, Hashable {
        /// Each server of the list once.
        case eachRound
        /// One server.
        case eachServer
    }

    /// What a broker's refusal of CONNECT means, such as a wrong password.
    public enum Refusal: Sendable, Hashable {
        /// Trying again would change nothing, and may lock an account: the client ends with the error.
        case final
        /// The attempt counts like any other that failed.
        case retried
    }

    /// The delays between attempts.
    public var delay = Delay.exponential()
    /// How many attempts follow a loss, counted since the last stable connection; ``Attempts/limited(_:)`` with 0: the
    /// client ends with the connection.
    public var maximumAttempts = Attempts.unlimited
    /// How many attempts there are until the first connection, the first one counted; there is always one.
    public var maximumAttemptsAtStart = Attempts.limited(1)
    /// What one attempt is.
    public var pace = Pace.eachRound
    /// After how long the client gives up, counted from the start and from each loss; `nil`: no limit.
    public var timeout: Duration?
    /// How long a connection must live to count as stable; if the delay before it was longer, that long.
    ///
    /// Only after a stable connection do delays and counts start from the beginning: a broker that accepts connections
    /// and kills them at once is so not asked every few milliseconds.
    public var minimumStableTime: Duration = .seconds(5)
    /// What a refused login means until the first connection.
    public var refusalAtStart = Refusal.final
    /// What a refused login means later: a broker that restarts may refuse what it accepted before.
    public var refusalLater = Refusal.retried
    /// After so many failed attempts, and each time so many more, there is a ``STOMPEvent/warning(_:)``; `nil`: never.
    public var warnAfterReconnectAttempts: Int? = 10

    /// The default policy.
    public init() {}

    /// Reconnects after these delays, without a limit unless one is given.
    ///
    /// The start is as in ``init()``.
    public init(_ delay: Delay, maximumAttempts: Attempts = .unlimited) {
        self.delay = delay
        self.maximumAttempts = maximumAttempts
    }
}
