// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The brokers that a client may connect to, and in what order it tries them.
///
/// A server that failed goes to the end of the order, so that a dead one is not tried first each time.
public struct STOMPServerList: Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The servers, in the order in which they are tried.
    public var servers: [STOMPServer]
    /// Whether the order is drawn by lot, at the start and after each loss.
    public var isRandomized = false
    /// Servers that are preferred: they are tried first, and while connected to another one the client looks for them
    /// and moves back.
    ///
    /// Empty: none.
    public var priorityEndpoints: [STOMPEndpoint] = []
    /// Whether servers on this machine are tried first (`prefer_localhost` of stomp.py).
    public var prefersLocalhost = false
    /// Whether a server on this machine is first tried at 127.0.0.1 (`try_loopback_connect` of stomp.py).
    ///
    /// For TCP without TLS.
    public var triesLoopback = false

    /// How to reconnect, if the text of the list says so; `nil`: as the client is configured.
    public var reconnectPolicy: STOMPReconnectPolicy?
    /// How long a call waits while there is no connection, if the text of the list says so (`timeout`); `nil`: as in
    /// ``STOMPConfiguration/connectionWaitTimeout``.
    public var connectionWaitTimeout: Duration?

    /// These servers.
    ///
    /// A client needs one at least.
    public init(_ servers: [STOMPServer]) {
        self.servers = servers
    }

    /// These servers.
    public init(arrayLiteral servers: STOMPServer...) {
        self.init(servers)
    }

    /// The servers' places, without users and passwords.
    public var description: String {
        self.servers.map(\.endpoint.description).joined(separator: ", ")
    }

    func isPriority(_ index: Int) -> Bool {
        self.priorityEndpoints.contains { $0.isSamePlace(as: self.servers[index].endpoint) }
    }
}
