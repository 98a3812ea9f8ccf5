// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

@testable import STOMPTransport

/// The transports that one test body runs over.
enum TransportKind: String, CaseIterable, Sendable {
    case ipv4
    case ipv6
    case inMemory
    /// Over IPv4.
    case tls

    /// Without IPv6 where the machine has none.
    static let available = Self.allCases.filter { kind in
        kind != .ipv6 || (try? TCPListener.bind(host: "::1")) != nil
    }

    private var host: String { self == .ipv6 ? "::1" : "127.0.0.1" }

    /// A listener and what connects to it; for TLS what lies below it.
    func listen() throws -> (any Listener, @Sendable () async throws(TransportError) -> any ByteTransport) {
        switch self {
        case .ipv4, .ipv6, .tls:
            let listener = try TCPListener.bind(host: self.host)
            let connector = TCPConnector(host: self.host, port: listener.port)
            return (listener, { () async throws(TransportError) in try await connector.connect() })
        case .inMemory:
            let listener = InMemoryListener()
            return (listener, { () async throws(TransportError) in try await listener.connect() })
        }
    }

    /// Both ends of one connection.
    func makePair() async throws -> (client: any ByteTransport, server: any ByteTransport) {
        let (listener, connect) = try self.listen()
        defer { listener.close() }
        let client = try await connect()
        let server = try await listener.accept()
        guard self == .tls else { return (client, server) }
        let clientContext = try TLSContext.make(.client, .client(), password: nil)
        let serverContext = try TLSContext.make(.server, .server(), password: nil)
        async let secureServer = TLSTransport.open(over: server, serverContext)
        return (try await TLSTransport.open(over: client, clientContext, host: "localhost"), try await secureServer)
    }
}
