// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
package import STOMPTransport

/// Where bytes go to.
public struct STOMPEndpoint: Sendable, CustomStringConvertible {
    private enum Kind: Sendable {
        case tcp(host: String, port: Int)
        case inMemory(InMemoryListener)
    }

    private let kind: Kind

    /// A TCP port.
    ///
    /// The host is a name, or an IPv4 or IPv6 address.
    public static func tcp(_ host: String, port: Int = 61_613) -> STOMPEndpoint {
        STOMPEndpoint(kind: .tcp(host: host, port: port))
    }

    /// A broker inside this process.
    package static func inMemory(_ listener: InMemoryListener) -> STOMPEndpoint {
        STOMPEndpoint(kind: .inMemory(listener))
    }

    /// Host and port, such as `localhost:61613`.
    public var description: String {
        switch self.kind {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .inMemory: "in-memory"
        }
    }

    func connect() async throws(STOMPError) -> any ByteTransport {
        do throws(TransportError) {
            switch self.kind {
            case .tcp(let host, let port): return try await TCPConnector(host: host, port: port).connect()
            case .inMemory(let listener): return try await listener.connect()
            }
        } catch {
            if Task.isCancelled { throw .cancelled }
            throw STOMPError(.connectFailed, error.message, cause: error)
        }
    }
}

/// Who we are to the broker.
public struct STOMPLogin: Sendable, Hashable, CustomStringConvertible {
    /// The `login` header.
    public var login: String
    /// The `passcode` header.
    ///
    /// It never appears in a description, an error or an event.
    public var passcode: String

    /// A login with its passcode.
    public init(_ login: String, passcode: String) {
        self.login = login
        self.passcode = passcode
    }

    /// The login, without the passcode.
    public var description: String {
        "\(self.login):(hidden)"
    }
}

/// A broker: where it is, and what CONNECT says to it.
public struct STOMPServer: Sendable {
    /// Where it listens.
    public var endpoint: STOMPEndpoint
    /// The `login` and `passcode` headers, if any.
    public var login: STOMPLogin?
    /// The `host` header (STOMP 1.2, CONNECT).
    ///
    /// `/` is RabbitMQ's default virtual host, and the other brokers in use ignore the header; RabbitMQ refuses a host
    /// name that it does not know.
    public var virtualHost = "/"

    /// The broker at this endpoint.
    public init(_ endpoint: STOMPEndpoint, login: STOMPLogin? = nil) {
        self.endpoint = endpoint
        self.login = login
    }
}
