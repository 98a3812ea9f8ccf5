// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

@testable import STOMPTransport

/// The transports that one test body runs over.
enum TransportKind: String, CaseIterable, Sendable {
    case ipv4
    case ipv6
    case unixSocket
    case inMemory
    /// Over IPv4.
    case tls
    case webSocket
    case webSocketOverTCP

    /// Without IPv6 where the machine has none.
    static let available = Self.allCases.filter { kind in
        kind != .ipv6 || (try? TCPListener.bind(host: "::1")) != nil
    }

    /// Those that are nothing but sockets or pipes.
    static let plain = Self.available.filter { ![.tls, .webSocket, .webSocketOverTCP].contains($0) }

    private var host: String { self == .ipv6 ? "::1" : "127.0.0.1" }

    /// A listener and what connects to it; for TLS what lies below it.
    func listen() throws -> (any Listener, @Sendable () async throws(TransportError) -> any ByteTransport) {
        switch self {
        case .ipv4, .ipv6, .tls:
            let listener = try TCPListener.bind(host: self.host)
            let connector = TCPConnector(host: self.host, port: listener.port)
            return (listener, { () async throws(TransportError) in try await connector.connect() })
        case .unixSocket:
            let listener = try UnixListener.bind(path: uniqueSocketPath())
            let connector = UnixConnector(path: listener.path)
            return (listener, { () async throws(TransportError) in try await connector.connect() })
        case .inMemory:
            let listener = InMemoryListener()
            return (listener, { () async throws(TransportError) in try await listener.connect() })
        case .webSocket, .webSocketOverTCP:
            let (listener, connect) = try (self == .webSocket ? Self.inMemory : .ipv4).listen()
            return (
                WebSocketListener(listener: listener),
                { () async throws(TransportError) in
                    var options = WebSocketOptions()
                    options.host = "localhost"
                    return try await WebSocketTransport.connect(over: connect(), options: options, name: "ws://test")
                }
            )
        }
    }

    /// Both ends of one connection.
    func makePair() async throws -> (client: any ByteTransport, server: any ByteTransport) {
        let (listener, connect) = try self.listen()
        defer { listener.close() }
        guard self != .tls else { return try await Self.secured(connect(), listener.accept()) }
        // At the same time: a handshake needs both.
        async let server = listener.accept()
        let client = try await connect()
        return (client, try await server)
    }
}

extension TransportKind {
    private static func secured(
        _ client: any ByteTransport,
        _ server: any ByteTransport
    ) async throws -> (client: any ByteTransport, server: any ByteTransport) {
        let clientContext = try TLSContext.make(.client, .client(), password: nil)
        let serverContext = try TLSContext.make(.server, .server(), password: nil)
        async let secureServer = TLSTransport.open(over: server, serverContext)
        return (try await TLSTransport.open(over: client, clientContext, host: "localhost"), try await secureServer)
    }
}

/// Accepts WebSockets, one handshake after the other.
private final class WebSocketListener: Listener {
    let listener: any Listener

    init(listener: any Listener) {
        self.listener = listener
    }

    func accept() async throws(TransportError) -> any ByteTransport {
        try await WebSocketTransport.accept(over: self.listener.accept(), path: nil, options: WebSocketOptions())
    }

    func close() {
        self.listener.close()
    }
}

/// A path that no other test uses, short enough for a socket.
func uniqueSocketPath() -> String {
    NSTemporaryDirectory() + "stomp-\(getpid())-\(UInt32.random(in: 0 ... .max))"
}
