// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

/// What an attempt to open a connection goes by.
///
/// One object, and in it a shared configuration: the task that waits for the attempt keeps the memory that it needed
/// meanwhile, for as long as it drives the connection.
final class ConnectionAttempt: Sendable {
    let server: STOMPServer
    /// For which attempt the configuration's provider is asked, if there is one.
    let credentials: STOMPCredentialsRequest?
    /// Whether another connection may take the subscriptions of this one over.
    let keepsSubscriptions: Bool
    let shared: SharedConfiguration
    /// How long it may take, if less than the configuration says.
    let timeout: Duration
    let time: TimeSource
    let events: EventHub

    init(
        to server: STOMPServer,
        credentials: STOMPCredentialsRequest? = nil,
        keepsSubscriptions: Bool = false,
        configuration: SharedConfiguration,
        timeout: Duration? = nil,
        time: TimeSource,
        events: EventHub
    ) {
        self.server = server
        self.credentials = credentials
        self.keepsSubscriptions = keepsSubscriptions
        self.shared = configuration
        self.timeout = timeout.map { min($0, configuration.value.connectTimeout) } ?? configuration.value.connectTimeout
        self.time = time
        self.events = events
    }

    var configuration: STOMPConfiguration { self.shared.value }

    /// Connects and opens a session, in time.
    ///
    /// Whoever calls this must call ``STOMPConnection/run()``.
    func open() async throws(STOMPError) -> STOMPConnection {
        let deadline = self.time.now + self.timeout
        return try await withDeadline(deadline, of: self.time, timeout: self.late) { () throws(STOMPError) in
            try await self.openSession()
        }
    }

    private var late: STOMPError {
        let endpoint = self.server.endpoint
        let hint = endpoint.isSecure ? " A port for plain STOMP is silent towards TLS: is it the TLS port?" : ""
        return STOMPError(.connectTimedOut, "\(endpoint) gave no CONNECTED within \(self.timeout).\(hint)")
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
        guard let provider = self.configuration.credentials, let request = self.credentials else { return nil }
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
