// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// What to do next while there is no connection: a value that time, chance and outcomes are told to.
///
/// The supervisor calls ``start(at:)`` once; then, for each attempt, ``attemptFailed(_:at:)`` or
/// ``connected(at:)`` followed by ``lost(_:at:)``.
package struct ReconnectSchedule: Sendable {
    /// The next attempt.
    package struct Attempt: Sendable, Hashable {
        /// Which server, as an index of the list.
        package let server: Int
        /// How long to wait before it.
        package let delay: Duration
        /// Its number since the start or the last stable connection, from 1.
        package let number: Int
        /// When it must have succeeded, on the clock of `now`; `nil`: no limit beyond that of one attempt.
        package let deadline: Duration?
        /// For an event, when it is time for one.
        package let warning: String?
    }

    /// What to do.
    package enum Decision: Sendable {
        /// Wait, then connect.
        case attempt(Attempt)
        /// End with this error.
        case giveUp(STOMPError)
    }

    private let policy: STOMPReconnectPolicy
    private let names: [String]
    private var random: any RandomNumberGenerator & Sendable
    private var order: ServerOrder

    /// Servers of the current round that were not tried yet.
    private var round: [Int] = []
    private var current: Int?
    private var connectedSince: Duration?
    private var isStarting = true
    private var hasReconnected = false
    /// The start, or the loss of the last stable connection.
    private var since: Duration = .zero
    private var delayCount = 0
    private var lastDelay: Duration = .zero
    private var attemptCount = 0
    private var failedRounds = 0
    private var probeCount = 0

    /// - Parameters:
    ///   - servers: the list, settled for this machine.
    ///   - policy: used unless the list has its own.
    ///   - random: where chance comes from.
    package init(
        _ servers: STOMPServerList,
        policy: STOMPReconnectPolicy,
        random: any RandomNumberGenerator & Sendable
    ) {
        self.policy = servers.reconnectPolicy ?? policy
        self.names = servers.servers.map(\.endpoint.description)
        self.order = ServerOrder(servers)
        self.random = random
    }

    /// The first attempt; without a delay.
    package mutating func start(at now: Duration) -> Decision {
        self.since = now
        self.order.shuffleIfRandomized(using: &self.random)
        self.round = self.order.round
        return self.attempt(after: .zero)
            ?? .giveUp(STOMPError(.invalidArgument, "The list of servers is empty; it needs one at least."))
    }

    /// The attempt did not lead to CONNECTED.
    package mutating func attemptFailed(_ error: STOMPError, at now: Duration) -> Decision {
        if let current = self.current {
            self.order.failed(current)
            // No later attempt can do better; the other servers still can.
            if Self.isHopeless(error) { self.order.remove(current) }
        }
        let refusal = self.isStarting ? self.policy.refusalAtStart : self.policy.refusalLater
        if self.isRefusal(error), refusal == .final { return .giveUp(error) }
        if let deadline = self.deadline, now >= deadline { return self.giveUp(error) }
        if self.policy.pace == .eachRound,
            let next = self.attempt(after: .zero, warning: self.dueWarning(error))
        {
            return next
        }
        self.failedRounds += 1
        return self.nextRound(error, at: now)
    }

    /// The attempt led to CONNECTED.
    package mutating func connected(at now: Duration) {
        self.connectedSince = now
        self.hasReconnected = !self.isStarting
        self.isStarting = false
        self.probeCount = 0
    }

    /// The connection has ended, not as wished.
    package mutating func lost(_ error: STOMPError, at now: Duration) -> Decision {
        let age = self.connectedSince.map { now - $0 } ?? .zero
        let isStable = age >= max(self.lastDelay, self.policy.minimumStableTime)
        self.connectedSince = nil
        if isStable {
            self.delayCount = 0
            self.lastDelay = .zero
        }
        if isStable || !self.hasReconnected {
            self.since = now
            self.attemptCount = 0
            self.failedRounds = 0
        } else {
            // What was connected for a moment only counts as one more failed attempt.
            self.failedRounds += 1
        }
        self.order.shuffleIfRandomized(using: &self.random)
        if let current = self.current { self.order.failed(current) }
        self.round = []
        return self.nextRound(error, at: now)
    }

    // MARK: - Rounds

    private mutating func nextRound(_ error: STOMPError, at now: Duration) -> Decision {
        let maximum = self.isStarting ? self.policy.maximumAttemptsAtStart : self.policy.maximumAttempts
        if case .limited(let count) = maximum, self.failedRounds >= (self.isStarting ? max(1, count) : count) {
            return self.giveUp(error)
        }
        let situation = STOMPReconnectPolicy.Situation(
            precedingDelays: self.delayCount,
            elapsed: now - self.since,
            reason: error
        )
        guard let (delay, base) = self.policy.delay.next(situation, using: &self.random) else {
            return self.giveUp(error)
        }
        if let deadline = self.deadline, now + delay >= deadline { return self.giveUp(error) }
        self.delayCount += 1
        self.lastDelay = base
        let warning = self.dueWarning(error)
        if self.round.isEmpty { self.round = self.order.round }
        return self.attempt(after: delay, warning: warning) ?? self.giveUp(error)
    }

    private mutating func attempt(after delay: Duration, warning: String? = nil) -> Decision? {
        guard !self.round.isEmpty else { return nil }
        let server = self.round.removeFirst()
        self.current = server
        self.attemptCount += 1
        return .attempt(
            Attempt(
                server: server,
                delay: delay,
                number: self.attemptCount,
                deadline: self.deadline,
                warning: warning
            )
        )
    }

    private var deadline: Duration? {
        // Bounded, since it is added to.
        self.policy.timeout.map { self.since + min($0, .seconds(3_000_000_000)) }
    }

    private func dueWarning(_ error: STOMPError) -> String? {
        guard let threshold = self.policy.warnAfterReconnectAttempts, threshold > 0, self.attemptCount > 0,
            self.attemptCount.isMultiple(of: threshold)
        else { return nil }
        return "\(self.attemptCount) attempts to connect led to no lasting connection. \(self.blame(error))"
    }

    // MARK: - Errors

    private func isRefusal(_ error: STOMPError) -> Bool {
        switch error.code {
        case .connectRefused, .unsupportedVersion: true
        // A certificate is each server's own: the others may have a better one.
        case .tlsFailed: self.names.count == 1
        default: false
        }
    }

    private static func isHopeless(_ error: STOMPError) -> Bool {
        switch error.code {
        case .notSupported, .invalidArgument, .tlsUnavailable: true
        default: false
        }
    }

    /// The last error as it is, or, after several attempts, with their number.
    private func giveUp(_ error: STOMPError) -> Decision {
        guard self.attemptCount > 1 else { return .giveUp(error) }
        let message = "Gave up after \(self.attemptCount) attempts. \(self.blame(error))"
        return .giveUp(STOMPError(error.code, message, frame: error.frame, cause: error))
    }

    private func blame(_ error: STOMPError) -> String {
        guard self.names.count > 1, let current = self.current else { return error.message }
        return "The last, of \(self.names[current]): \(error.message)"
    }
}

// MARK: - Moving back to a priority server

extension ReconnectSchedule {
    /// Where and when to look for a priority server; `nil` while connected to one, or if there is none.
    ///
    /// After the delay the supervisor tries to connect there, beside the connection that it has. If that fails it asks
    /// again; if it works it calls ``moveBack(to:)``.
    package mutating func nextProbe(at now: Duration) -> Attempt? {
        guard self.connectedSince != nil, let current = self.current else { return nil }
        let servers = self.order.preferred(to: current)
        guard !servers.isEmpty else { return nil }
        let situation = STOMPReconnectPolicy.Situation(
            precedingDelays: self.probeCount,
            elapsed: now - self.since,
            reason: STOMPError(.notConnected, "There is no connection to a priority server.")
        )
        guard let (delay, _) = self.policy.delay.next(situation, using: &self.random) else { return nil }
        self.probeCount += 1
        return Attempt(
            server: servers[(self.probeCount - 1) % servers.count],
            // A probe is a courtesy, so never as hasty as a first attempt.
            delay: max(delay, .seconds(1)),
            number: self.probeCount,
            deadline: nil,
            warning: nil
        )
    }

    /// A priority server answers again: the connection that there was has been ended, or will be, for this one.
    ///
    /// Counts as a new attempt: ``attemptFailed(_:at:)`` or ``connected(at:)`` follow.
    package mutating func moveBack(to server: Int, at now: Duration) -> Attempt {
        self.connectedSince = nil
        self.since = now
        self.delayCount = 0
        self.lastDelay = .zero
        self.attemptCount = 1
        self.failedRounds = 0
        self.round = self.order.round.filter { $0 != server }
        self.current = server
        return Attempt(server: server, delay: .zero, number: 1, deadline: nil, warning: nil)
    }
}
