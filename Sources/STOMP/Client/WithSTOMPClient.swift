// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Connects, runs `body` with the client, and shuts down: outstanding receipts are waited for, the session is ended with
/// DISCONNECT, the socket is closed, and every task has ended when this returns.
///
/// - Parameters:
///   - server: the broker.
///   - configuration: how the client behaves.
///   - body: what to do while connected.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws; else why no connection could be made, or why it ended before `body` did.
public func withSTOMPClient<Value>(
    _ server: STOMPServer,
    configuration: STOMPConfiguration = STOMPConfiguration(),
    _ body: (STOMPClient) async throws -> Value
) async throws -> Value {
    try await withSTOMPClient([server], configuration: configuration, body)
}

/// As ``withSTOMPClient(_:configuration:_:)-(STOMPServer,_,_)``, with one of several brokers at a time.
public func withSTOMPClient<Value>(
    _ servers: STOMPServerList,
    configuration: STOMPConfiguration = STOMPConfiguration(),
    _ body: (STOMPClient) async throws -> Value
) async throws -> Value {
    let client = STOMPClient(servers, configuration: configuration)
    return try await withThrowingTaskGroup(of: STOMPError?.self) { group in
        group.addTask(name: "stomp.run") {
            do throws(STOMPError) {
                try await client.run()
                return nil
            } catch {
                return error
            }
        }
        do {
            // Bounded by the connection attempt: `run()` ends it.
            _ = try await client.connection(until: nil)
            let value = try await body(client)
            client.beginShutdownOfScope()
            // What ended the connection before its time would else pass unnoticed.
            if let error = try await group.next() ?? nil, error.code != .cancelled { throw error }
            return value
        } catch {
            client.beginShutdownOfScope()
            _ = try? await group.next()
            throw error
        }
    }
}

/// As ``withSTOMPClient(_:configuration:_:)-(STOMPServer,_,_)``, with an address such as
/// `stomp://guest:guest@localhost:61613`.
///
/// - Throws: also ``STOMPError/Code/invalidURI``.
public func withSTOMPClient<Value>(
    _ uri: String,
    configuration: STOMPConfiguration = STOMPConfiguration(),
    _ body: (STOMPClient) async throws -> Value
) async throws -> Value {
    try await withSTOMPClient(STOMPServerList(uri), configuration: configuration, body)
}
