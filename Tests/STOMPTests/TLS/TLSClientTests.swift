// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import STOMPTransport
import TestSupport
import Testing

@testable import STOMP

extension STOMPTLSConfiguration {
    /// That of a broker, or of a client with a certificate of its own.
    static func named(_ name: String) throws -> STOMPTLSConfiguration {
        let certificates = try Certificates.shared()
        var configuration = try Self.client()
        configuration.certificateChain = .file(certificates.path("\(name).crt"))
        configuration.privateKey = .file(certificates.path("\(name).key"))
        return configuration
    }

    /// That of a client that trusts the test authority.
    static func client() throws -> STOMPTLSConfiguration {
        var configuration = STOMPTLSConfiguration()
        configuration.trust = [.certificates(.file(try Certificates.shared().path("ca.crt")))]
        return configuration
    }
}

@Suite("A client over TLS", .timeLimit(.minutes(5)))
struct TLSClientTests {
    private static let patient = STOMPConfiguration.patient

    private static func server(_ broker: STOMPBroker, _ configuration: STOMPTLSConfiguration) throws -> STOMPServer {
        var server = STOMPServer(.tls("localhost", port: try #require(broker.port)))
        server.tls = configuration
        return server
    }

    /// The error of one attempt.
    private static func failure(_ server: STOMPServer) async -> STOMPError? {
        do {
            try await STOMPConnection.withConnection(to: server, configuration: Self.patient) { _ in }
            return nil
        } catch {
            return error as? STOMPError
        }
    }

    @Test("Messages go to the broker and come back, and the session says how", arguments: ["1.2", "1.3"])
    func roundTrip(version: String) async throws {
        try await withSTOMPBroker(listening: .tls(.named("server"))) { broker in
            var configuration = try STOMPTLSConfiguration.client()
            configuration.maximumVersion = .init(rawValue: version)
            let server = try Self.server(broker, configuration)
            try await withSTOMPClient(server, configuration: Self.patient) { client in
                let tls = try #require(client.tls)
                #expect(tls.version == "TLSv\(version)")
                #expect(!tls.cipher.isEmpty)
                let certificate = try #require(tls.peerCertificate)
                #expect(certificate.subject == "CN=localhost,O=swift-stomp")
                #expect(certificate.notBefore < certificate.notAfter)
                try await client.withSubscription(to: "/queue/a") { messages in
                    let large = String(repeating: "0123456789", count: 50_000)
                    try await client.send(large, to: "/queue/a", receipt: .required)
                    for try await message in messages {
                        #expect(try message.text == large)
                        try await message.ack(receipt: .required)
                        break
                    }
                }
            }
            #expect(try await broker.settled(in: "/queue/a", count: 1).count == 1)
        }
    }

    @Test("Without TLS there is no session of it")
    func plain() async throws {
        try await withSTOMPBroker { broker in
            try await withSTOMPClient(connectedTo: broker) { client in #expect(client.tls == nil) }
        }
    }

    @Test(
        "A certificate that will not do is .tlsFailed, with whose it is and why",
        arguments: [
            ("expired", "expired at 2021-01-01"), ("wronghost", "DNS:elsewhere.example"),
            ("selfsigned", "signed by itself"), ("badclient", "CN=other authority"),
        ]
    )
    func refused(name: String, words: String) async throws {
        try await withSTOMPBroker(listening: .tls(.named(name))) { broker in
            let error = try #require(await Self.failure(try Self.server(broker, .client())))
            #expect(error.code == .tlsFailed)
            #expect(!error.isRetriable)
            #expect(error.message.contains(words), "\(error)")
        }
    }

    @Test("The server's name can be another than the address's")
    func serverName() async throws {
        try await withSTOMPBroker(listening: .tls(.named("wronghost"))) { broker in
            var configuration = try STOMPTLSConfiguration.client()
            configuration.serverName = "elsewhere.example"
            #expect(await Self.failure(try Self.server(broker, configuration)) == nil)
        }
    }

    @Test("A broker that wants certificates lets in who has one, and the others learn what is missing")
    func clientCertificates() async throws {
        let listening = STOMPBroker.Listening.tls(try .named("server"), clientCertificates: .required)
        try await withSTOMPBroker(listening: listening) { broker in
            for version in [STOMPTLSConfiguration.Version.tls12, .tls13] {
                var good = try STOMPTLSConfiguration.named("client")
                var (none, bad) = (try STOMPTLSConfiguration.client(), try STOMPTLSConfiguration.named("badclient"))
                good.maximumVersion = version
                none.maximumVersion = version
                bad.maximumVersion = version
                #expect(await Self.failure(try Self.server(broker, good)) == nil)
                let missing = try #require(await Self.failure(try Self.server(broker, none)))
                #expect(missing.code == .tlsFailed, "\(missing)")
                #expect(missing.message.contains("tls.certFile"))
                let refused = try #require(await Self.failure(try Self.server(broker, bad)))
                #expect(refused.code == .tlsFailed, "\(refused)")
                #expect(refused.message.contains("unknown_ca") && refused.message.contains("CN=mallory"))
            }
        }
    }

    @Test("An encrypted key takes its password from text, file or callback")
    func passwords() async throws {
        let certificates = try Certificates.shared()
        let listening = STOMPBroker.Listening.tls(try .named("server"), clientCertificates: .required)
        try await withSTOMPBroker(listening: listening) { broker in
            var configuration = try STOMPTLSConfiguration.named("client")
            configuration.privateKey = .file(certificates.path("client.pkcs8.key"))
            let passwords: [STOMPTLSConfiguration.Password] = [
                .text(Certificates.password), .file(certificates.path("password")),
                .callback { Certificates.password },
            ]
            for password in passwords {
                configuration.privateKeyPassword = password
                #expect(await Self.failure(try Self.server(broker, configuration)) == nil, "\(password)")
            }
            for password in [nil, .text("hunter2"), .file("/nowhere")] as [STOMPTLSConfiguration.Password?] {
                configuration.privateKeyPassword = password
                let error = try #require(await Self.failure(try Self.server(broker, configuration)))
                #expect(error.code == .tlsFailed)
                #expect(!"\(error)".contains("hunter2"))
            }
        }
    }

    @Test("Plain STOMP to a TLS port, and TLS to a plain port, are told")
    func wrongPorts() async throws {
        try await withSTOMPBroker(listening: .tls(.named("server"))) { broker in
            let error = try #require(await Self.failure(STOMPServer(.tcp("127.0.0.1", port: broker.port ?? 0))))
            // OpenSSL's server closes without an alert; RabbitMQ's and ActiveMQ's send one, as below.
            #expect([.connectFailed, .tlsFailed, .connectionLost].contains(error.code), "\(error)")
        }
        for alert in [[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x0A], [0x15]] as [[UInt8]] {
            let listener = try TCPListener.bind()
            async let failure = Self.failure(STOMPServer(.tcp("127.0.0.1", port: listener.port)))
            let peer = try await listener.accept()
            var alert = alert
            _ = try alert.withUnsafeMutableBytes { bytes in try peer.write(UnsafeRawBufferPointer(bytes)) }
            let error = try #require(await failure)
            #expect(error.code == .tlsFailed)
            #expect(error.message.contains("stomp+ssl://"))
        }
        let listener = try TCPListener.bind()
        var server = STOMPServer(.tls("localhost", port: listener.port))
        server.tls = try .client()
        async let failure = Self.failure(server)
        let peer = try await listener.accept()
        var answer = Array("ERROR\nmessage:no\n\n\0".utf8)
        _ = try answer.withUnsafeMutableBytes { bytes in try peer.write(UnsafeRawBufferPointer(bytes)) }
        let error = try #require(await failure)
        #expect(error.code == .tlsFailed)
        #expect(error.message.contains("plain STOMP"))
    }

    @Test("A port that is silent towards TLS ends in time, with a hint")
    func silence() async throws {
        let listener = try TCPListener.bind()
        let clock = ManualClock()
        var configuration = STOMPConfiguration()
        configuration.clock = clock
        var server = STOMPServer(.tls("localhost", port: listener.port))
        server.tls = try .client()
        let (there, patience) = (server, configuration)
        async let failure: STOMPError? = {
            do {
                try await STOMPConnection.withConnection(to: there, configuration: patience) { _ in }
                return nil
            } catch {
                return error as? STOMPError
            }
        }()
        let peer = try await listener.accept()
        await peer.waitUntilReadable()
        clock.advance(by: .seconds(11))
        let error = try #require(await failure)
        #expect(error.code == .connectTimedOut)
        #expect(error.message.contains("is it the TLS port?"))
    }

    @Test("Not to verify is a warning each time, unless the server's key is pinned")
    func warning() async throws {
        try await withSTOMPBroker(listening: .tls(.named("selfsigned"))) { broker in
            var configuration = STOMPTLSConfiguration()
            configuration.verification = .noneAcceptingAnyServer
            var pin: STOMPTLSConfiguration.PublicKeyPin?
            for isPinned in [false, true] {
                if let pin, isPinned { configuration.pins = [pin] }
                let client = STOMPClient(try Self.server(broker, configuration), configuration: Self.patient)
                let events = client.events
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await client.run() }
                    try await client.send("x", to: "/queue/x", receipt: .required)
                    pin = client.tls?.peerCertificate?.pin
                    client.beginGracefulShutdown()
                    try await group.waitForAll()
                }
                var warnings: [String] = []
                for await event in events { if case .warning(let text) = event { warnings.append(text) } }
                #expect(warnings.count == (isPinned ? 0 : 1))
                #expect(warnings.allSatisfy { $0.contains("not checked") })
            }
            configuration.pins = [try .init(String(repeating: "ab", count: 32))]
            #expect(await Self.failure(try Self.server(broker, configuration))?.message.contains("pinned") == true)
        }
    }
}
