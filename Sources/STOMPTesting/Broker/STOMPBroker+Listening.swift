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
            case webSocket(port: Int, path: String?, frames: STOMPWebSocketOptions.Frames)
            case unixSocket(path: String)
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
            Listening(kind: .webSocket(port: port, path: path, frames: frames))
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
        var listeners: [BoundListener] = []
        do throws(TransportError) {
            switch self.kind {
            case .inMemory:
                break
            case .loopback(let ports):
                for port in ports { listeners.append(BoundListener(tcp: try TCPListener.bind(port: port))) }
            case .webSocket(let port, let path, let frames):
                var options = WebSocketOptions()
                options.kind = frames == .text ? .text : .binary
                listeners.append(
                    BoundListener(tcp: try TCPListener.bind(port: port)) { [options] stream throws(TransportError) in
                        try await WebSocketTransport.accept(over: stream, path: path, options: options)
                    }
                )
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
