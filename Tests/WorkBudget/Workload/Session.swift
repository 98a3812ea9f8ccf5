// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPTransport

/// A connection of the library's own, and the broker's end of it.
enum Session {
    /// Connects through memory, lends both, disconnects.
    static func with(_ body: (STOMPConnection, Peer) async throws -> Void) async throws {
        var configuration = STOMPConfiguration()
        configuration.clock = StandingClock()
        configuration.heartBeat = .none
        configuration.livenessExecutor = nil
        // The pipe does not run dry between two turns of the reader, and takes what is written at once.
        let listener = InMemoryListener(pipeCapacity: 1024 * 1024)
        async let answering: Void = Self.answer(listener)
        try await STOMPConnection.withConnection(to: .inMemory(listener), configuration: configuration) { connection in
            guard let peer = Self.peer else { throw WorkBudget.Wrong(description: "there is no peer") }
            try await body(connection, peer)
        }
        try await answering
    }

    /// Set when the client has connected, before it gets an answer.
    ///
    /// Everything runs on one thread.
    private nonisolated(unsafe) static var peer: Peer?

    private static func answer(_ listener: InMemoryListener) async throws {
        let peer = Peer(try await listener.accept())
        self.peer = peer
        await peer.answer()
    }
}
