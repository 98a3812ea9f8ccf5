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
/// Without a configuration it is the default one, with two minutes for connecting instead of ten seconds, and for each
/// farewell instead of five.
///
/// - Throws: what `body` throws; else as `withSTOMPClient` with a server.
public func withSTOMPClient<Value>(
    connectedTo broker: STOMPBroker,
    login: STOMPLogin? = nil,
    configuration: STOMPConfiguration? = nil,
    _ body: (STOMPClient) async throws -> Value
) async throws -> Value {
    var patient = STOMPConfiguration()
    // Beside a thousand other tests that start at once, ten seconds may pass before it is this one's turn.
    patient.connectTimeout = .seconds(120)
    patient.shutdownTimeout = .seconds(120)
    let configuration = configuration ?? patient
    return try await withSTOMPClient(STOMPServer(broker.endpoint, login: login), configuration: configuration, body)
}
