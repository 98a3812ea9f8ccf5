// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMP

extension STOMPBroker {
    /// Where a client of this process reaches the broker without a network.
    public var endpoint: STOMPEndpoint {
        .inMemory(self.inMemoryListener)
    }
}

extension ScriptedPeer {
    /// Where a client of this process reaches the peer without a network.
    public var endpoint: STOMPEndpoint {
        .inMemory(self.inMemoryListener)
    }
}

/// Connects a client to a broker of this process, in memory, and runs `body` with it.
///
/// - Throws: what `body` throws; else as `withSTOMPClient` with a server.
public func withSTOMPClient<Value>(
    connectedTo broker: STOMPBroker,
    login: STOMPLogin? = nil,
    configuration: STOMPConfiguration = STOMPConfiguration(),
    _ body: (STOMPClient) async throws -> Value
) async throws -> Value {
    try await withSTOMPClient(STOMPServer(broker.endpoint, login: login), configuration: configuration, body)
}
