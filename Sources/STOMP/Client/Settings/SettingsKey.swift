// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The keys of a settings file.
enum SettingsKey: Hashable {
    case connector
    case host, port, user, password
    case tls(TLSPart)
    case poolSize
    case poolHost(Int)
    case poolPort(Int)
    case poolUser(Int)
    case poolPassword(Int)
    case poolTLS(Int, TLSPart)
    case initialReconnectDelay, maximumReconnectDelay, useExponentialBackOff, backOffMultiplier
    case maximumReconnectAttempts, randomize, timeout

    /// What is said about TLS with one server.
    enum TLSPart: String, CaseIterable, Hashable {
        /// Whether it is used.
        case use = ""
        case authority = ".ca"
        case certificate = ".cert"
        case key = ".key"
        /// Whether to go on without verification where no authority is given.
        case fallback = ".fallback"
    }

    static let maximumPoolSize = 1_000

    private static let plainKeys: [String: SettingsKey] = [
        "connector": .connector,
        "plugin.stomp.host": .host,
        "plugin.stomp.port": .port,
        "plugin.stomp.user": .user,
        "plugin.stomp.password": .password,
        "plugin.stomp.pool.size": .poolSize,
        "plugin.stomp.pool.initial_reconnect_delay": .initialReconnectDelay,
        "plugin.stomp.pool.max_reconnect_delay": .maximumReconnectDelay,
        "plugin.stomp.pool.use_exponential_back_off": .useExponentialBackOff,
        "plugin.stomp.pool.back_off_multiplier": .backOffMultiplier,
        "plugin.stomp.pool.max_reconnect_attempts": .maximumReconnectAttempts,
        "plugin.stomp.pool.randomize": .randomize,
        "plugin.stomp.pool.timeout": .timeout,
    ]

    private static let numberedKeys: [(prefix: String, key: @Sendable (Int) -> SettingsKey)] = [
        ("plugin.stomp.pool.host", { .poolHost($0) }),
        ("plugin.stomp.pool.port", { .poolPort($0) }),
        ("plugin.stomp.pool.user", { .poolUser($0) }),
        ("plugin.stomp.pool.password", { .poolPassword($0) }),
    ]

    init?(_ text: String) {
        if let key = Self.plainKeys[text] ?? Self.tlsKey(text) {
            self = key
            return
        }
        for (prefix, key) in Self.numberedKeys where text.hasPrefix(prefix) {
            let digits = text.dropFirst(prefix.count)
            // "host01" would be a second way to write "host1".
            guard digits.first != "0", let number = digits.wholeNumber, number <= Self.maximumPoolSize else {
                return nil
            }
            self = key(number)
            return
        }
        return nil
    }

    /// `plugin.stomp.ssl`, `plugin.stomp.ssl.ca` and so on; in a pool `plugin.stomp.pool.ssl1`, `plugin.stomp.pool.ssl1.ca`.
    private static func tlsKey(_ text: String) -> SettingsKey? {
        for prefix in ["plugin.stomp.pool.ssl", "plugin.stomp.ssl"] where text.hasPrefix(prefix) {
            let (digits, rest) = text.dropFirst(prefix.count).divided { $0 == "." }
            guard let part = TLSPart(rawValue: String(rest ?? "")) else { return nil }
            if prefix == "plugin.stomp.ssl" { return digits.isEmpty ? .tls(part) : nil }
            guard digits.first != "0", let number = digits.wholeNumber, number <= Self.maximumPoolSize else {
                return nil
            }
            return .poolTLS(number, part)
        }
        return nil
    }

    var isPassword: Bool {
        switch self {
        case .password, .poolPassword: true
        default: false
        }
    }

    var isOfSingleServer: Bool {
        switch self {
        case .host, .port, .user, .password, .tls: true
        default: false
        }
    }

    /// The number of the server in the pool.
    var poolNumber: Int? {
        switch self {
        case .poolHost(let number), .poolPort(let number), .poolUser(let number), .poolPassword(let number),
            .poolTLS(let number, _):
            number
        default: nil
        }
    }
}
