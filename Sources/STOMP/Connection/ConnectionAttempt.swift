// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

/// What an attempt to open a connection goes by.
///
/// One object, and no large values in it: the task that waits for the attempt keeps the memory that it needed meanwhile,
/// for as long as it drives the connection.
final class ConnectionAttempt: Sendable {
    /// What only attempts of a client have.
    struct Circumstances: Sendable {
        /// How long to wait before it.
        let delay: Duration
        /// Its number since the start or the last stable connection.
        let number: Int
        /// When it must have succeeded; `nil`: no limit beyond the configuration's.
        let deadline: Duration?
        /// Why the one before failed, or the last connection ended.
        let previousError: STOMPError?
    }

    let servers: [STOMPServer]
    let index: Int
    /// `nil`: for a connection without a client, whose configuration's provider of credentials is not asked.
    let circumstances: Circumstances?
    let shared: SharedConfiguration
    let time: TimeSource
    let events: EventHub

    init(
        to servers: [STOMPServer],
        _ index: Int = 0,
        circumstances: Circumstances? = nil,
        configuration: SharedConfiguration,
        time: TimeSource,
        events: EventHub
    ) {
        self.servers = servers
        self.index = index
        self.circumstances = circumstances
        self.shared = configuration
        self.time = time
        self.events = events
    }

    var server: STOMPServer { self.servers[self.index] }
    var configuration: STOMPConfiguration { self.shared.value }

    /// Connects and opens a session, in time.
    ///
    /// Whoever calls this must call ``STOMPConnection/run()``.
    func open() async throws(STOMPError) -> STOMPConnection {
        let (deadline, late) = self.limit()
        return try await withDeadline(deadline, of: self.time, timeout: late) { () throws(STOMPError) in
            try await self.openSession()
        }
    }

    /// Until when it may take, and what to say then.
    @inline(never)
    private func limit() -> (deadline: Duration, error: STOMPError) {
        var timeout = self.configuration.connectTimeout
        let now = self.time.now
        if let deadline = self.circumstances?.deadline { timeout = min(timeout, max(deadline - now, .zero)) }
        return (now + timeout, self.late(after: timeout))
    }

    private func late(after timeout: Duration) -> STOMPError {
        let endpoint = self.server.endpoint
        let hint = endpoint.isSecure ? " A port for plain STOMP is silent towards TLS: is it the TLS port?" : ""
        return STOMPError(.connectTimedOut, "\(endpoint) gave no CONNECTED within \(timeout).\(hint)")
    }

    private func openSession() async throws(STOMPError) -> STOMPConnection {
        var server = self.server
        if let login = try await self.login() { server.login = login }
        let transport = try await server.connect(versions: self.configuration.versions, time: self.time)
        do throws(STOMPError) {
            var handshake = Handshake(transport: transport, server: server, configuration: self.configuration)
            let session = try await handshake.run()
            if let warning = server.tlsWarning { self.events.send(.warning(warning)) }
            return STOMPConnection(handshake, session: session, of: self)
        } catch {
            transport.close()
            throw error
        }
    }

    private func login() async throws(STOMPError) -> STOMPLogin? {
        guard let provider = self.configuration.credentials, let circumstances = self.circumstances else { return nil }
        let request = STOMPCredentialsRequest(
            endpoint: self.server.endpoint,
            attempt: circumstances.number,
            previousError: circumstances.previousError
        )
        do {
            return try await provider(request)
        } catch {
            if Task.isCancelled { throw .cancelled }
            throw STOMPError(.connectFailed, "The provider of credentials failed: \(error)")
        }
    }
}

/// A configuration behind a reference: it is large, and much that lives as long as a connection has it.
final class SharedConfiguration: Sendable {
    let value: STOMPConfiguration

    /// With durations that can be computed with.
    init(_ configuration: STOMPConfiguration) {
        self.value = configuration.bounded
    }
}
