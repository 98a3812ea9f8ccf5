// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport

extension STOMPServerList {
    /// The list as it is tried on this machine; its names are asked for only if they matter.
    package func settled() -> STOMPServerList {
        self.prefersLocalhost || self.triesLoopback ? self.settled(localNames: LocalNames.current()) : self
    }

    /// The list as it is tried on a machine with these names and addresses: what ``prefersLocalhost`` and
    /// ``triesLoopback`` mean.
    ///
    /// - Parameter localNames: host names and addresses of this machine; `localhost` and loopback addresses need not be
    ///   among them.
    /// - Returns: a list in which both are settled.
    package func settled(localNames: Set<String>) -> STOMPServerList {
        let names = Set(localNames.map { $0.lowercased() })
        let isLocal = { (server: STOMPServer) in
            server.endpoint.host.map { Self.isLoopback($0) || names.contains($0.lowercased()) } ?? false
        }
        var list = self
        if self.prefersLocalhost {
            list.servers = self.servers.filter(isLocal) + self.servers.filter { !isLocal($0) }
        }
        if self.triesLoopback {
            var loopbacks: [STOMPServer] = []
            for server in list.servers where isLocal(server) {
                guard let loopback = Self.loopback(of: server),
                    !(list.servers + loopbacks).contains(where: { Self.isLoopback($0, port: loopback.port) })
                else { continue }
                loopbacks.append(loopback.server)
                // The same broker by another way.
                if self.priorityEndpoints.contains(where: { $0.isSamePlace(as: server.endpoint) }) {
                    list.priorityEndpoints.append(loopback.server.endpoint)
                }
            }
            list.servers = loopbacks + list.servers
        }
        list.prefersLocalhost = false
        list.triesLoopback = false
        return list
    }

    private static func loopback(of server: STOMPServer) -> (server: STOMPServer, port: Int)? {
        guard case .tcp(_, let port) = server.endpoint.kind else { return nil }
        var loopback = server
        loopback.endpoint = .tcp("127.0.0.1", port: port)
        return (loopback, port)
    }

    private static func isLoopback(_ server: STOMPServer, port: Int) -> Bool {
        guard case .tcp(let host, port) = server.endpoint.kind else { return false }
        return self.isLoopback(host)
    }

    private static func isLoopback(_ host: String) -> Bool {
        let host = host.lowercased()
        return host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }
}
