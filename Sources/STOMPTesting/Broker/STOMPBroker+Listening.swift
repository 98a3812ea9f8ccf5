// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMP
import STOMPCore
import STOMPTransport

extension STOMPBroker {
    /// Where a broker, or a scripted peer, can be reached.
    public struct Listening: Sendable, Hashable {
        private enum Kind: Hashable {
            case inMemory
            case loopback(ports: [Int])
            case tls(port: Int, Security)
            case webSocket(port: Int, path: String?, frames: STOMPWebSocketOptions.Frames, Security?)
            case unixSocket(path: String)
        }

        fileprivate struct Security: Hashable {
            let configuration: STOMPTLSConfiguration
            let clientCertificates: ClientCertificates
        }

        /// Whether a broker asks clients for certificates; their authorities are those of
        /// ``STOMP/STOMPTLSConfiguration/trust``.
        public enum ClientCertificates: Sendable, Hashable {
            /// It does not.
            case notAsked
            /// Who has none is let in; who has one of another authority is not.
            case optional
            /// Who has none is not let in.
            case required
        }

        private let kind: Kind

        /// From inside the process only; this is always there.
        public static let inMemory = Listening(kind: .inMemory)

        /// Also by TCP at 127.0.0.1; port 0 lets the system choose one.
        public static func loopback(port: Int = 0) -> Listening {
            Listening(kind: .loopback(ports: [port]))
        }

        /// Also by TCP at several ports of 127.0.0.1, as the nodes of a cluster would; 0 lets the system choose one.
        ///
        /// ``STOMPBroker/stopListening(at:)`` makes a dead node of one. A scripted peer listens at the first only.
        public static func loopback(ports: [Int]) -> Listening {
            Listening(kind: .loopback(ports: ports))
        }

        /// Also by TLS at 127.0.0.1; port 0 lets the system choose one.
        ///
        /// - Parameters:
        ///   - port: the port.
        ///   - configuration: the broker's certificate and key, and the authorities of its clients; read when the broker
        ///     is made. The key's password cannot be one that is asked for.
        ///   - clientCertificates: whether clients have to show one.
        /// - Returns: where to listen.
        public static func tls(
            port: Int = 0,
            _ configuration: STOMPTLSConfiguration,
            clientCertificates: ClientCertificates = .notAsked
        ) -> Listening {
            Listening(
                kind: .tls(
                    port: port,
                    Security(configuration: configuration, clientCertificates: clientCertificates)
                )
            )
        }

        /// Also by WebSocket at 127.0.0.1; port 0 lets the system choose one.
        ///
        /// - Parameters:
        ///   - port: the port.
        ///   - path: the path that is served, without a query; `nil`: any.
        ///   - frames: what it sends; as text only what is UTF-8, the rest as binary.
        /// - Returns: where to listen.
        public static func webSocket(
            port: Int = 0,
            path: String? = nil,
            frames: STOMPWebSocketOptions.Frames = .binary
        ) -> Listening {
            Listening(kind: .webSocket(port: port, path: path, frames: frames, nil))
        }

        /// Also by WebSocket over TLS at 127.0.0.1; port 0 lets the system choose one.
        ///
        /// - Parameters:
        ///   - port: the port.
        ///   - path: the path that is served, without a query; `nil`: any.
        ///   - frames: what it sends; as text only what is UTF-8, the rest as binary.
        ///   - configuration: as for ``tls(port:_:clientCertificates:)``.
        ///   - clientCertificates: whether clients have to show one.
        /// - Returns: where to listen.
        public static func secureWebSocket(
            port: Int = 0,
            path: String? = nil,
            frames: STOMPWebSocketOptions.Frames = .binary,
            _ configuration: STOMPTLSConfiguration,
            clientCertificates: ClientCertificates = .notAsked
        ) -> Listening {
            let security = Security(configuration: configuration, clientCertificates: clientCertificates)
            return Listening(kind: .webSocket(port: port, path: path, frames: frames, security))
        }

        /// Also by a Unix-domain socket at this path.
        ///
        /// The file is made, and removed at the end; one that a dead process has left there is replaced.
        public static func unixSocket(_ path: String) -> Listening {
            Listening(kind: .unixSocket(path: path))
        }
    }
}

extension STOMPBroker.Listening {
    /// The listeners beside the one in memory.
    func bind() throws(STOMPError) -> [BoundListener] {
        // First what cannot be undone by closing.
        let opening = try self.opening
        var listeners: [BoundListener] = []
        do throws(TransportError) {
            switch self.kind {
            case .inMemory:
                break
            case .loopback(let ports):
                for port in ports { listeners.append(BoundListener(tcp: try TCPListener.bind(port: port))) }
            case .tls(let port, _), .webSocket(let port, _, _, _):
                listeners.append(BoundListener(tcp: try TCPListener.bind(port: port), opening: opening))
            case .unixSocket(let path):
                listeners.append(BoundListener(try UnixListener.bind(path: path)))
            }
            return listeners
        } catch {
            for listener in listeners { listener.close() }
            throw STOMPError(
                error.kind == .invalidAddress ? .invalidArgument : .connectFailed,
                error.message,
                cause: error
            )
        }
    }

    /// What a connection goes through before it carries STOMP, layer by layer.
    private var opening: BoundListener.Opening? {
        get throws(STOMPError) {
            switch self.kind {
            case .inMemory, .loopback, .unixSocket:
                return nil
            case .tls(_, let security):
                let context = try security.context
                return { stream throws(TransportError) in try await TLSTransport.open(over: stream, context) }
            case .webSocket(_, let path, let frames, let security):
                let context = try security?.context
                var options = WebSocketOptions()
                options.kind = frames == .text ? .text : .binary
                return { [options] stream throws(TransportError) in
                    var lower = stream
                    if let context { lower = try await TLSTransport.open(over: stream, context) }
                    return try await WebSocketTransport.accept(over: lower, path: path, options: options)
                }
            }
        }
    }
}

extension STOMPBroker.Listening.Security {
    fileprivate var context: TLSContext {
        get throws(STOMPError) {
            do {
                var options = try TLSOptions(self.configuration)
                switch self.clientCertificates {
                case .notAsked: options.clientCertificates = .none
                case .optional: options.clientCertificates = .optional
                case .required: options.clientCertificates = .required
                }
                let password = try self.configuration.privateKeyPassword?.storedValue
                return try TLSContext.make(.server, options, password: password)
            } catch {
                let isUnavailable = (error as? TransportError)?.kind == .tlsUnavailable
                throw STOMPError(isUnavailable ? .tlsUnavailable : .tlsFailed, "\(error)", cause: error)
            }
        }
    }
}

/// A listener, and what its connections go through before they carry STOMP.
struct BoundListener: Sendable {
    typealias Opening = @Sendable (any ByteTransport) async throws(TransportError) -> any ByteTransport

    let listener: any Listener
    /// Nil where there are no ports.
    let port: Int?
    /// A handshake, which may wait for the client; nil: none.
    let opening: Opening?

    init(tcp listener: TCPListener, opening: Opening? = nil) {
        self.listener = listener
        self.port = listener.port
        self.opening = opening
    }

    init(_ listener: any Listener) {
        self.listener = listener
        self.port = nil
        self.opening = nil
    }

    func close() {
        self.listener.close()
    }
}
