// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import TestSupport
import Testing

/// Brokers of the tests' own that also listen for TLS: they are slow to start, so the tests run one after the other.
@Suite("TLS with real brokers", .serialized, .timeLimit(.minutes(10)))
struct BrokerTLSTests {
    /// A broker with TLS, for the time of one test.
    private func with(
        _ kind: BrokerKind,
        certificate: String = "server",
        isMutual: Bool = false,
        _ body: @escaping @Sendable (BrokerProcess) async throws -> Void
    ) async throws {
        let certificates = try Certificates.shared()
        let broker = try await BrokerProcess.start(
            kind,
            settings: [
                "BROKER_CERTIFICATES": certificates.folder, "BROKER_SERVER": certificate,
                "BROKER_MUTUAL": "\(isMutual)",
                "BROKER_PLUGINS": "rabbitmq_stomp,rabbitmq_web_stomp,rabbitmq_auth_mechanism_ssl",
            ]
        )
        let log: @Sendable () -> String = { broker.log() }
        await withLimit(.seconds(300), log: log) {
            for name in kind == .activeMQ ? ["tls", "mutual-tls"] : ["tls", "web-tls"] {
                let port = try #require(broker.ports[name])
                // The ports for TLS may come after the plain one, at which the broker counts as started.
                let isThere: Bool? = try await onOwnThread {
                    poll(for: .seconds(120)) { (try? LoopbackSocket().connect(to: port)).map { true } }
                }
                try #require(isThere == true)
            }
            try await body(broker)
        }
        _ = try await onOwnThread { broker.stop() }
    }

    private static func address(
        _ broker: BrokerProcess,
        port: String = "tls",
        login: String = "guest:guest@",
        host: String = "localhost",
        _ options: [String] = []
    ) throws -> STOMPServer {
        let certificates = try Certificates.shared()
        let all = ["tls.caFile=\(certificates.path("ca.crt"))"] + options
        let place = "\(login)\(host):\(broker.ports[port] ?? 0)"
        return try STOMPServer("stomp+ssl://\(place)?\(all.joined(separator: "&"))")
    }

    /// The options for a certificate of ours.
    private static func identity(_ name: String) throws -> [String] {
        let certificates = try Certificates.shared()
        return ["tls.certFile=\(certificates.path("\(name).crt"))", "tls.keyFile=\(certificates.path("\(name).key"))"]
    }

    /// Sends, receives and acknowledges; returns the version of TLS.
    private static func roundTrip(_ server: STOMPServer, _ kind: BrokerKind) async throws -> String? {
        let queue = STOMPDestination(uniqueDestination(kind, "tls"))
        return try await withSTOMPClient(server, configuration: .patient) { client in
            try await client.withSubscription(to: queue) { messages in
                let text = String(repeating: "x", count: 200_000)
                try await client.send(text, to: queue, receipt: .required)
                try await messages.expectTexts([text])
            }
            return client.tls?.version
        }
    }

    private static func refusal(_ server: STOMPServer) async -> STOMPError? {
        await failure { try await STOMPConnection.withConnection(to: server, configuration: .patient) { _ in } }
    }

    private static func expect(
        _ server: STOMPServer,
        _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let error = await Self.refusal(server)
        #expect(error?.code == .tlsFailed, "\(String(describing: error))", sourceLocation: sourceLocation)
        for word in words {
            let isThere = error?.message.contains(word) == true
            #expect(isThere, "\(word): \(String(describing: error))", sourceLocation: sourceLocation)
        }
    }

    @Test("Messages over TLS 1.2 and 1.3, by name and by address", .realBroker(.rabbitMQ))
    func rabbitMQ() async throws {
        try await self.with(.rabbitMQ) { broker in
            for version in [STOMPTLSConfiguration.Version.tls12, .tls13] {
                var server = try Self.address(broker, Self.identity("client"))
                server.tls.maximumVersion = version
                // Who shows a certificate may not give a password as well.
                server.login = nil
                #expect(try await Self.roundTrip(server, .rabbitMQ) == "TLSv\(version.rawValue)")
            }
            #expect(try await Self.roundTrip(Self.address(broker, host: "127.0.0.1"), .rabbitMQ) == "TLSv1.3")

            // A login by certificate is one by its common name: RabbitMQ looks for that user.
            let stranger = await Self.refusal(try Self.address(broker, login: "", Self.identity("certuser")))
            #expect(stranger?.code == .connectRefused)
            #expect("\(String(describing: stranger))".contains("certuser"))

            await Self.expect(try Self.address(broker, Self.identity("badclient")), "unknown_ca", "CN=mallory")
            await Self.expect(try Self.address(broker, ["tls.serverName=elsewhere"]), "not for elsewhere")
            var unknown = try Self.address(broker)
            unknown.tls.trust = [.system]
            await Self.expect(unknown, "CN=test authority", "not trusted")

            // By WebSocket too.
            let place = "guest:guest@localhost:\(broker.ports["web-tls"] ?? 0)/ws"
            let authority = try Certificates.shared().path("ca.crt")
            for frames in ["binary", "text"] {
                let web = try STOMPServer("wss://\(place)?tls.caFile=\(authority)&ws.frames=\(frames)")
                #expect(try await Self.roundTrip(web, .rabbitMQ) == "TLSv1.3")
            }

            let plain = STOMPServer(.tcp("127.0.0.1", port: broker.ports["tls"] ?? 0))
            await Self.expect(plain, "stomp+ssl://")
        }
    }

    @Test("A broker that wants certificates, and one whose own has expired", .realBroker(.rabbitMQ))
    func mutualRabbitMQ() async throws {
        try await self.with(.rabbitMQ, certificate: "expired", isMutual: true) { broker in
            await Self.expect(try Self.address(broker, Self.identity("client")), "expired at 2021-01-01")
            for version in [STOMPTLSConfiguration.Version.tls12, .tls13] {
                var server = try Self.address(broker)
                server.tls.verification = .noneAcceptingAnyServer
                server.tls.maximumVersion = version
                await Self.expect(server, "tls.certFile")
                let options = try Self.identity("client")
                server = try Self.address(broker, login: "", options)
                server.tls.verification = .noneAcceptingAnyServer
                server.tls.maximumVersion = version
                #expect(try await Self.roundTrip(server, .rabbitMQ) == "TLSv\(version.rawValue)")
            }
        }
    }

    @Test("Messages over TLS 1.2 and 1.3, with and without certificates of clients", .realBroker(.activeMQ))
    func activeMQ() async throws {
        try await self.with(.activeMQ) { broker in
            for version in [STOMPTLSConfiguration.Version.tls12, .tls13] {
                var server = try Self.address(broker)
                server.tls.maximumVersion = version
                #expect(try await Self.roundTrip(server, .activeMQ) == "TLSv\(version.rawValue)")
                var mutual = try Self.address(broker, port: "mutual-tls", Self.identity("client"))
                mutual.tls.maximumVersion = version
                #expect(try await Self.roundTrip(mutual, .activeMQ) == "TLSv\(version.rawValue)")
                var missing = try Self.address(broker, port: "mutual-tls")
                missing.tls.maximumVersion = version
                await Self.expect(missing, "tls.certFile")
                var stranger = try Self.address(broker, port: "mutual-tls", Self.identity("badclient"))
                stranger.tls.maximumVersion = version
                await Self.expect(stranger, "CN=mallory")
            }
            await Self.expect(try Self.address(broker, ["tls.serverName=elsewhere"]), "not for elsewhere")
            let plain = STOMPServer(.tcp("127.0.0.1", port: broker.ports["tls"] ?? 0))
            await Self.expect(plain, "stomp+ssl://")
        }
    }

    @Test(
        "A broker's certificate that will not do",
        .realBroker(.activeMQ),
        arguments: [("expired", "expired at 2021-01-01"), ("wronghost", "DNS:elsewhere.example")]
    )
    func badActiveMQ(name: String, words: String) async throws {
        try await self.with(.activeMQ, certificate: name) { broker in
            await Self.expect(try Self.address(broker), words)
            let trusting = try Self.address(broker, ["tls.verify=none"])
            #expect(try await Self.roundTrip(trusting, .activeMQ) == "TLSv1.3")
        }
    }

    @Test("TLS to a plain port ends in time, and says what may be wrong", .realBroker(.rabbitMQ))
    func plainPort() async throws {
        let broker = try await RealBroker.shared(.rabbitMQ)
        var configuration = STOMPConfiguration()
        configuration.connectTimeout = .seconds(2)
        let error = await failure {
            let server = STOMPServer(.tls("127.0.0.1", port: broker.port))
            try await STOMPConnection.withConnection(to: server, configuration: configuration) { _ in }
        }
        #expect([.connectTimedOut, .tlsFailed, .connectFailed].contains(error?.code))
        #expect(error?.message.contains("TLS") == true)
    }
}
