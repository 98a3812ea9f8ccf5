// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The options of a `failover:` address that belong to the whole list.
struct FailoverOptions {
    private static let names: Set<String> = [
        "initialReconnectDelay", "maxReconnectDelay", "useExponentialBackOff", "backOffMultiplier",
        "reconnectDelayExponent", "maxReconnectAttempts", "startupMaxReconnectAttempts", "randomize", "timeout",
        "priorityBackup", "priorityURIs", "warnAfterReconnectAttempts",
    ]

    /// Options of ActiveMQ's own protocol, or of what a STOMP client cannot promise.
    private static let foreignNames: Set<String> = [
        "backup", "backupPoolSize", "maxCacheSize", "trackMessages", "trackTransactionProducers", "updateURIsSupported",
        "updateURIsURL", "reconnectSupported", "rebalanceUpdateURIs",
    ]

    let dialect: STOMPServerList.Dialect
    /// To be applied to each server, without their prefix.
    private(set) var nested: [AddressOption] = []
    private var initialDelay: Duration?
    private var maximumDelay: Duration?
    private var isExponential: Bool?
    private var multiplier: (option: AddressOption, value: Double)?
    private var attempts: STOMPReconnectPolicy.Attempts?
    private var attemptsAtStart: STOMPReconnectPolicy.Attempts?
    private var isRandomized: Bool?
    private var connectionWaitTimeout: Duration?
    private var hasPriority = false
    private var priorityURIs: AddressOption?
    private var warnAfterAttempts: Int?

    init(dialect: STOMPServerList.Dialect) {
        self.dialect = dialect
    }

    static func isKnown(_ name: Substring) -> Bool {
        self.names.contains(String(name)) || name.hasPrefix("nested.")
    }

    mutating func read(_ option: AddressOption) throws(STOMPError) {
        if let nested = option.nested {
            self.nested.append(nested)
            return
        }
        switch option.name {
        case "initialReconnectDelay": self.initialDelay = try option.milliseconds
        case "maxReconnectDelay": self.maximumDelay = try option.milliseconds
        case "useExponentialBackOff": self.isExponential = try option.flag
        case "backOffMultiplier", "reconnectDelayExponent": try self.readMultiplier(option)
        case "maxReconnectAttempts":
            self.attempts = try self.attempts(option, zero: self.dialect == .activeMQ ? .limited(0) : .unlimited)
        case "startupMaxReconnectAttempts": try self.readAttemptsAtStart(option)
        case "randomize": self.isRandomized = try option.flag
        case "timeout": try self.readTimeout(option)
        case "priorityBackup": self.hasPriority = try option.flag
        case "priorityURIs": self.priorityURIs = option
        case "warnAfterReconnectAttempts":
            self.warnAfterAttempts = try option.number(1..., "a whole number, 1 at least")
        default: throw self.unknown(option)
        }
    }

    private func unknown(_ option: AddressOption) -> STOMPError {
        if ServerOption.isKnown(option.name) {
            return option.invalid("belongs to one server; write nested.\(option.name) for all of them")
        }
        if Self.foreignNames.contains(String(option.name)) {
            return option.invalid("is ActiveMQ's and means nothing in STOMP; leave it out")
        }
        return option.invalid(
            "is not known; there are \(Self.names.sorted().joined(separator: ", ")), and nested. with a server's option"
        )
    }

    private mutating func readMultiplier(_ option: AddressOption) throws(STOMPError) {
        if let earlier = self.multiplier {
            throw option.invalid("and \(earlier.option.name) are two names of one option; give one of them")
        }
        guard let number = DecimalNumber(option.value)?.value, (1...1_000).contains(number) else {
            throw option.invalid("needs a number from 1 to 1000, such as 2 or 1.5")
        }
        self.multiplier = (option, number)
    }

    /// Beyond the meaning of 0 everybody agrees: -1 is no limit.
    private func attempts(
        _ option: AddressOption,
        zero: STOMPReconnectPolicy.Attempts?
    ) throws(STOMPError) -> STOMPReconnectPolicy.Attempts? {
        if option.value == "-1" { return .unlimited }
        let number = try option.number(0..., "a whole number, or -1 for no limit")
        return number == 0 ? zero : .limited(number)
    }

    private mutating func readAttemptsAtStart(_ option: AddressOption) throws(STOMPError) {
        // 0: since 5.6 the first attempt and no other; before that, as maxReconnectAttempts.
        self.attemptsAtStart = try self.attempts(option, zero: self.dialect == .activeMQ ? .limited(1) : nil)
    }

    private mutating func readTimeout(_ option: AddressOption) throws(STOMPError) {
        if option.value == "-1" {
            self.connectionWaitTimeout = .seconds(3_000_000_000)
            return
        }
        guard let number = option.value.wholeNumber, (1...3_000_000_000_000).contains(number) else {
            throw option.invalid("needs a whole number of milliseconds, 1 at least, or -1 for no limit")
        }
        self.connectionWaitTimeout = .milliseconds(number)
    }

    func apply(to list: inout STOMPServerList) throws(STOMPError) {
        list.isRandomized = self.isRandomized ?? (self.dialect != .ruby)
        list.connectionWaitTimeout = self.connectionWaitTimeout
        list.reconnectPolicy = self.policy
        try self.applyPriority(to: &list)
    }

    private func applyPriority(to list: inout STOMPServerList) throws(STOMPError) {
        guard let option = self.priorityURIs else {
            if self.hasPriority { list.priorityEndpoints = list.servers.prefix(1).map(\.endpoint) }
            return
        }
        guard self.hasPriority else { throw option.invalid("needs priorityBackup=true") }
        for part in option.value.split(separator: ",", omittingEmptySubsequences: false) {
            let endpoint = try STOMPServer(address: part).endpoint
            guard list.servers.contains(where: { $0.endpoint.isSamePlace(as: endpoint) }) else {
                throw part.invalid("the option priorityURIs names a server that is not in the list")
            }
            list.priorityEndpoints.append(endpoint)
        }
    }

    private var policy: STOMPReconnectPolicy? {
        let isGiven =
            [self.initialDelay, self.maximumDelay].contains { $0 != nil } || self.isExponential != nil
            || self.multiplier != nil || self.attempts != nil || self.attemptsAtStart != nil
            || self.warnAfterAttempts != nil
        guard isGiven else { return nil }
        var policy = STOMPReconnectPolicy()
        let initial = self.initialDelay ?? .milliseconds(10)
        policy.delay =
            self.isExponential == false
            ? .fixed(initial)
            : .exponential(
                initial: initial,
                multiplier: self.multiplier?.value ?? 2,
                maximum: self.maximumDelay ?? .seconds(30)
            )
        if let attempts = self.attempts {
            policy.maximumAttempts = attempts
            // Everywhere the number of all attempts; and at the start there is always one.
            policy.maximumAttemptsAtStart = attempts == .limited(0) ? .limited(1) : attempts
        }
        if let attemptsAtStart = self.attemptsAtStart { policy.maximumAttemptsAtStart = attemptsAtStart }
        if let warnAfterAttempts = self.warnAfterAttempts { policy.warnAfterReconnectAttempts = warnAfterAttempts }
        return policy
    }
}
