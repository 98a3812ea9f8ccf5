// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMP
import STOMPTesting
import TestSupport
import Testing

/// What carries the bytes: the one body of each test runs over all of them.
enum Wire: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case inMemory = "in memory"
    case tcp = "TCP"
    case unixSocket = "Unix-domain socket"
    case webSocket = "WebSocket"
    case webSocketText = "WebSocket in text frames"
    case tls = "TLS"
    case secureWebSocket = "WebSocket over TLS"

    var testDescription: String { self.rawValue }

    /// Whether any bytes can be sent.
    var carriesBinary: Bool { self != .webSocketText }

    /// Each wire with each version.
    static let versions: [(Wire, STOMPVersion)] = Self.allCases.flatMap { wire in
        STOMPVersion.all.map { (wire, $0) }
    }

    /// Where a broker, or a peer, of one test listens, and how it is reached there.
    func listening() throws -> (
        STOMPBroker.Listening, @Sendable (_ inMemory: STOMPEndpoint, _ port: Int?) -> STOMPServer
    ) {
        switch self {
        case .inMemory:
            return (.inMemory, { inMemory, _ in STOMPServer(inMemory) })
        case .tcp:
            return (.loopback(), { STOMPServer(.tcp("127.0.0.1", port: $1 ?? 0)) })
        case .unixSocket:
            let path = NSTemporaryDirectory() + "stomp-wire-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            return (.unixSocket(path), { _, _ in STOMPServer(.unixSocket(path)) })
        case .tls:
            let trust = try Self.trust
            return (
                .tls(try Self.identity),
                { _, port in
                    var server = STOMPServer(.tls("localhost", port: port ?? 0))
                    server.tls.trust = trust
                    return server
                }
            )
        case .secureWebSocket:
            let trust = try Self.trust
            return (
                .secureWebSocket(path: "/stomp", try Self.identity),
                { _, port in
                    var server = STOMPServer(.secureWebSocket("localhost", port: port ?? 0, path: "/stomp"))
                    server.tls.trust = trust
                    return server
                }
            )
        case .webSocket, .webSocketText:
            let frames: STOMPWebSocketOptions.Frames = self == .webSocketText ? .text : .binary
            return (
                .webSocket(path: "/stomp", frames: frames),
                { _, port in
                    var server = STOMPServer(.webSocket("127.0.0.1", port: port ?? 0, path: "/stomp?who=test"))
                    server.webSocketOptions.frames = frames
                    server.webSocketOptions.textChecking = .strict
                    return server
                }
            )
        }
    }

    private static var trust: [STOMPTLSConfiguration.Trust] {
        get throws { [.certificates(.file(try Certificates.shared().path("ca.crt")))] }
    }

    private static var identity: STOMPTLSConfiguration {
        get throws {
            var configuration = STOMPTLSConfiguration()
            configuration.certificateChain = .file(try Certificates.shared().path("server.crt"))
            configuration.privateKey = .file(try Certificates.shared().path("server.key"))
            return configuration
        }
    }

    /// Runs `body` with a broker that is reached over this wire.
    func withBroker(
        _ configuration: STOMPBroker.Configuration = STOMPBroker.Configuration(),
        _ body: (STOMPBroker, STOMPServer) async throws -> Void
    ) async throws {
        let (listening, server) = try self.listening()
        try await withSTOMPBroker(configuration, listening: listening) { broker in
            try await body(broker, server(broker.endpoint, broker.port))
        }
    }

    /// Runs a client against a script, over this wire.
    func withPeer(
        _ script: @escaping @Sendable (ScriptedPeer) async throws -> Void,
        client: @escaping @Sendable (STOMPServer) async throws -> Void
    ) async throws {
        let (listening, server) = try self.listening()
        try await withScriptedPeer(listening: listening, script) { peer in
            try await client(server(peer.endpoint, peer.port))
        }
    }
}

extension STOMPConfiguration {
    /// One that offers these versions, for the real clock.
    static func patient(_ versions: Set<STOMPVersion> = Set(STOMPVersion.all)) -> STOMPConfiguration {
        var configuration = STOMPConfiguration.patient
        configuration.versions = versions
        configuration.heartBeat = .none
        configuration.reconnect = .never
        return configuration
    }
}

extension STOMPSubscription {
    /// The next message.
    func next() async throws -> STOMPMessage {
        for try await message in self { return message }
        throw STOMPError(.subscriptionEnded, "The subscription ended.")
    }
}

/// The code of the error that `body` throws; nil when it throws none, or another kind.
func code(of body: () async throws -> Void) async -> STOMPError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? STOMPError)?.code
    }
}
