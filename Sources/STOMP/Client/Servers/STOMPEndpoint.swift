// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

package import STOMPTransport

/// Where bytes go to.
public struct STOMPEndpoint: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// How bytes get there.
    package enum Kind: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case tls(host: String, port: Int)
        case webSocket(host: String, port: Int, path: String)
        case secureWebSocket(host: String, port: Int, path: String)
        case unixSocket(path: String)
        case inMemory(InMemoryPlace)
    }

    /// A listener, compared by identity.
    package struct InMemoryPlace: Sendable, Hashable {
        let listener: InMemoryListener

        package static func == (lhs: Self, rhs: Self) -> Bool { lhs.listener === rhs.listener }

        package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self.listener)) }
    }

    package let kind: Kind

    /// A TCP port.
    ///
    /// The host is a name, or an IPv4 or IPv6 address.
    public static func tcp(_ host: String, port: Int = 61_613) -> STOMPEndpoint {
        STOMPEndpoint(kind: .tcp(host: host, port: port))
    }

    /// A TCP port that speaks TLS; ``STOMPServer/tls`` says how.
    public static func tls(_ host: String, port: Int = 61_614) -> STOMPEndpoint {
        STOMPEndpoint(kind: .tls(host: host, port: port))
    }

    /// A WebSocket; the path starts with `/`, and is sent as it is written here, also what follows a `?`.
    ///
    /// RabbitMQ's is at port 15674 and the path `/ws`.
    public static func webSocket(_ host: String, port: Int = 80, path: String = "/") -> STOMPEndpoint {
        STOMPEndpoint(kind: .webSocket(host: host, port: port, path: path))
    }

    /// A WebSocket over TLS; the path starts with `/`.
    ///
    /// As ``webSocket(_:port:path:)``; ``STOMPServer/tls`` says who is trusted.
    public static func secureWebSocket(_ host: String, port: Int = 443, path: String = "/") -> STOMPEndpoint {
        STOMPEndpoint(kind: .secureWebSocket(host: host, port: port, path: path))
    }

    /// A Unix-domain socket at this path, relative to the working directory unless it starts with `/`.
    ///
    /// It may have some hundred bytes: 107 on Linux, 103 on Darwin.
    public static func unixSocket(_ path: String) -> STOMPEndpoint {
        STOMPEndpoint(kind: .unixSocket(path: path))
    }

    /// A broker inside this process.
    package static func inMemory(_ listener: InMemoryListener) -> STOMPEndpoint {
        STOMPEndpoint(kind: .inMemory(InMemoryPlace(listener: listener)))
    }

    /// Host and port, such as `localhost:61613`; for what is not plain TCP the scheme as well.
    ///
    /// The query of a WebSocket is left out: it may be a secret.
    public var description: String {
        switch self.kind {
        case .tcp(let host, let port): Self.describe(host, port)
        case .tls(let host, let port): "ssl://\(Self.describe(host, port))"
        case .webSocket(let host, let port, let path): "ws://\(Self.describe(host, port))\(Self.withoutQuery(path))"
        case .secureWebSocket(let host, let port, let path):
            "wss://\(Self.describe(host, port))\(Self.withoutQuery(path))"
        case .unixSocket(let path): "unix:\(path)"
        case .inMemory: "in-memory"
        }
    }

    static func describe(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func withoutQuery(_ path: String) -> Substring {
        path.prefix { $0 != "?" }
    }

    /// As the description: `dump` and loggers look in here, and the query of a WebSocket may be a secret.
    public var customMirror: Mirror {
        Mirror(self, children: ["description": self.description], displayStyle: .struct)
    }

    /// Whether both are the same place; the case of letters in a host makes no difference.
    func isSamePlace(as other: STOMPEndpoint) -> Bool {
        self == other || (self.host != nil && self.description.lowercased() == other.description.lowercased())
    }

    /// Another path of the same server; nil for what is no WebSocket.
    func webSocket(path: String) -> STOMPEndpoint? {
        switch self.kind {
        case .webSocket(let host, let port, _): .webSocket(host, port: port, path: path)
        case .secureWebSocket(let host, let port, _): .secureWebSocket(host, port: port, path: path)
        case .tcp, .tls, .unixSocket, .inMemory: nil
        }
    }

    /// The path of a WebSocket.
    var webSocketPath: String? {
        switch self.kind {
        case .webSocket(_, _, let path), .secureWebSocket(_, _, let path): path
        case .tcp, .tls, .unixSocket, .inMemory: nil
        }
    }

    /// The name or address, where there is one.
    package var host: String? {
        switch self.kind {
        case .tcp(let host, _), .tls(let host, _), .webSocket(let host, _, _), .secureWebSocket(let host, _, _): host
        case .unixSocket, .inMemory: nil
        }
    }
}
