// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Makes servers of a file's values and the environment's.
struct SettingsAssembly {
    private static let defaultPort = 6_163

    private let values: [SettingsKey: SettingsValue]
    private let file: String?
    private let environment: SettingsEnvironment
    private(set) var warnings: [STOMPSettings.Warning]

    init(text: SettingsText?, environment: SettingsEnvironment) {
        self.values = text?.values ?? [:]
        self.file = text?.file
        self.warnings = text?.warnings ?? []
        self.environment = environment
    }

    mutating func servers() throws(STOMPError) -> STOMPServerList {
        // Also what is overridden must be right.
        let pool = try self.pool()
        let policy = try self.policy()
        let isRandomized = try self.values[.randomize]?.flag ?? false
        if let url = self.environment.url { return try self.list(at: url) }
        var list: STOMPServerList
        if let pool, self.environment.server == nil {
            list = STOMPServerList(pool)
            self.warnUnused(self.environment.port, because: "the file has a pool, with a port for each server")
        } else {
            if let pool, let server = self.environment.server {
                // Without a word about TLS, passwords would go out in the clear.
                if pool.contains(where: \.endpoint.isSecure) {
                    throw server.place.error(
                        "takes the place of the file's whole pool, which has servers with TLS; "
                            + "set STOMP_URL=stomp+ssl://HOST:PORT instead"
                    )
                }
                self.warnings.append(server.place.warning("takes the place of the file's whole pool"))
            }
            list = [try self.singleServer()]
        }
        list.isRandomized = isRandomized
        list.reconnectPolicy = policy
        return list
    }

    // MARK: - Servers

    private mutating func singleServer() throws(STOMPError) -> STOMPServer {
        guard let host = self.environment.server ?? self.values[.host] else {
            throw SettingsPlace(file: self.file).error(
                "There is no server: set STOMP_URL or STOMP_SERVER, or plugin.stomp.host in a file"
            )
        }
        // Checked even if overridden.
        _ = try self.values[.host]?.host
        _ = try self.values[.port]?.port
        let port = try (self.environment.port ?? self.values[.port])?.port ?? Self.defaultPort
        let login = self.login(self.values[.user], self.values[.password])
        return try self.server(try host.host, port, login) { .tls($0) }
    }

    private mutating func pool() throws(STOMPError) -> [STOMPServer]? {
        let numbered = self.values.filter { $0.key.poolNumber != nil }
        guard let sizeValue = self.values[.poolSize] else {
            if let stray = Self.first(numbered) { throw stray.place.error("needs plugin.stomp.pool.size") }
            return nil
        }
        if let stray = Self.first(self.values.filter(\.key.isOfSingleServer)) {
            throw stray.place.error(
                "is for a single server, but there is plugin.stomp.pool.size; leave one of them out"
            )
        }
        let size = try sizeValue.poolSize
        if let stray = Self.first(numbered.filter { ($0.key.poolNumber ?? 0) > size }) {
            throw stray.place.error("is beyond plugin.stomp.pool.size")
        }
        var servers: [STOMPServer] = []
        for number in 1...size {
            guard let host = self.values[.poolHost(number)] else {
                throw sizeValue.place.error("says \(size), but there is no plugin.stomp.pool.host\(number)")
            }
            let port = try self.values[.poolPort(number)]?.port ?? Self.defaultPort
            let login = self.login(self.values[.poolUser(number)], self.values[.poolPassword(number)])
            servers.append(try self.server(try host.host, port, login) { .poolTLS(number, $0) })
        }
        return servers
    }

    private mutating func server(
        _ host: String,
        _ port: Int,
        _ login: STOMPLogin?,
        tls key: (SettingsKey.TLSPart) -> SettingsKey
    ) throws(STOMPError) -> STOMPServer {
        guard try self.values[key(.use)]?.flag ?? false else {
            for part in SettingsKey.TLSPart.allCases where part != .use {
                self.warnUnused(self.values[key(part)], because: "TLS is not switched on for this server")
            }
            return STOMPServer(.tcp(host, port: port), login: login)
        }
        var server = STOMPServer(.tls(host, port: port), login: login)
        let authority = self.values[key(.authority)]
        if let authority { server.tls.trust = [.certificates(.file(authority.text))] }
        server.tls.certificateChain = self.values[key(.certificate)].map { .file($0.text) }
        server.tls.privateKey = self.values[key(.key)].map { .file($0.text) }
        if let privateKey = self.values[key(.key)], server.tls.certificateChain == nil {
            throw privateKey.place.error("needs the certificate (.cert) beside it")
        }
        guard let fallback = self.values[key(.fallback)], try fallback.flag else { return server }
        if authority == nil {
            server.tls.verification = .noneAcceptingAnyServer
            self.warnings.append(
                fallback.place.warning("takes any server for the broker; give its authority (.ca) instead")
            )
        } else {
            self.warnings.append(fallback.place.warning("is not used: there is an authority to verify with"))
        }
        return server
    }

    /// The one that stands first in the file.
    private static func first(_ values: [SettingsKey: SettingsValue]) -> SettingsValue? {
        values.values.min { ($0.place.line ?? 0) < ($1.place.line ?? 0) }
    }

    private mutating func login(_ user: SettingsValue?, _ password: SettingsValue?) -> STOMPLogin? {
        let password = self.environment.password ?? password
        guard let user = self.environment.user ?? user else {
            self.warnUnused(password, because: "there is no user")
            return nil
        }
        return STOMPLogin(user.text, passcode: password?.text ?? "")
    }

    private mutating func warnUnused(_ value: SettingsValue?, because reason: String) {
        guard let value else { return }
        let warning = value.place.warning("is not used: \(reason)")
        if !self.warnings.contains(warning) { self.warnings.append(warning) }
    }

    // MARK: - The whole from one address

    private mutating func list(at url: SettingsValue) throws(STOMPError) -> STOMPServerList {
        var list: STOMPServerList
        do throws(STOMPError) {
            list = try STOMPServerList(url.text)
        } catch {
            throw STOMPError(.invalidSettings, "STOMP_URL: \(error.message)", cause: error)
        }
        self.warnUnused(self.environment.server, because: "STOMP_URL names the servers")
        self.warnUnused(self.environment.port, because: "STOMP_URL names the servers")
        guard list.servers.contains(where: { $0.login == nil }) else {
            self.warnUnused(self.environment.user, because: "STOMP_URL has users")
            self.warnUnused(self.environment.password, because: "STOMP_URL has users")
            return list
        }
        for index in list.servers.indices where list.servers[index].login == nil {
            list.servers[index].login = self.login(nil, nil)
        }
        return list
    }

    // MARK: - The policy

    private func policy() throws(STOMPError) -> STOMPReconnectPolicy {
        var policy = STOMPReconnectPolicy.rubyStomp
        let initial = try self.values[.initialReconnectDelay]?.seconds ?? .milliseconds(10)
        let maximum = try self.values[.maximumReconnectDelay]?.seconds ?? .seconds(30)
        let multiplier = try self.values[.backOffMultiplier]?.multiplier ?? 2
        let isExponential = try self.values[.useExponentialBackOff]?.flag ?? true
        policy.delay =
            isExponential
            ? .exponential(initial: initial, multiplier: multiplier, maximum: maximum, jitter: 0) : .fixed(initial)
        if let attempts = try self.values[.maximumReconnectAttempts]?.attempts {
            policy.maximumAttempts = attempts
            policy.maximumAttemptsAtStart = attempts
        }
        policy.timeout = try self.values[.timeout]?.timeout
        return policy
    }
}
