// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

extension STOMPServer {
    /// Connects; without a limit of its own, the caller cancels.
    ///
    /// - Parameters:
    ///   - versions: what a WebSocket offers as its subprotocols.
    ///   - time: what a race of several addresses goes by.
    /// - Returns: the connected stream.
    /// - Throws: ``STOMPError/Code/connectFailed``, which names each address's failure;
    ///   ``STOMPError/Code/tlsFailed`` and ``STOMPError/Code/tlsUnavailable``; ``STOMPError/Code/invalidArgument`` for what
    ///   can never be an address.
    func connect(versions: Set<STOMPVersion>, time: TimeSource) async throws(STOMPError) -> any ByteTransport {
        do throws(TransportError) {
            switch self.endpoint.kind {
            case .tcp(let host, let port):
                return try await self.connectTCP(host, port, time)
            case .tls(let host, let port):
                return try await self.secured(try await self.connectTCP(host, port, time), host: host)
            case .webSocket(let host, let port, let path):
                let socket = try await self.connectTCP(host, port, time)
                return try await self.openWebSocket(over: socket, host, port, path, versions)
            case .secureWebSocket(let host, let port, let path):
                let secured = try await self.secured(try await self.connectTCP(host, port, time), host: host)
                return try await self.openWebSocket(over: secured, host, port, path, versions)
            case .unixSocket(let path):
                return try await UnixConnector(path: path).connect()
            case .inMemory(let place):
                return try await place.listener.connect()
            }
        } catch {
            if Task.isCancelled { throw .cancelled }
            throw STOMPError(STOMPError.Code(connecting: error.kind), error.message, cause: error)
        }
    }

    private func connectTCP(
        _ host: String,
        _ port: Int,
        _ time: TimeSource
    ) async throws(TransportError) -> any ByteTransport {
        let (next, nextPort) = self.proxy.map { ($0.host, $0.port) } ?? (host, port)
        let connector = TCPConnector(host: next, port: nextPort, options: TCPOptions(self.socketOptions)) { delay in
            await time.sleep(until: time.now + delay)
        }
        let socket = try await connector.connect()
        if let proxy = self.proxy {
            let credentials = proxy.login.map { (user: $0.login, password: $0.passcode) }
            try await HTTPTunnel(host: host, port: port, credentials: credentials).open(over: socket)
        }
        return socket
    }
}

extension TCPOptions {
    init(_ options: STOMPSocketOptions) {
        self.init()
        self.keepAlive = options.keepAlive.map { KeepAlive(idle: $0.idle, interval: $0.interval, count: $0.count) }
        self.localHost = options.localAddress?.host
        self.localPort = options.localAddress?.port ?? 0
    }
}
