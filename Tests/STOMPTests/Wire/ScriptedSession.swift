// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

/// One connection to a scripted peer: opens the session, runs the test's two sides, and ends the session.
///
/// Time stands still unless a test moves `clock`. After the script, the very next frame must be the one that ends the
/// session, so that a test also shows which bytes were not written.
struct ScriptedSession: Sendable {
    enum Ending {
        /// The client says DISCONNECT, and the peer confirms it.
        case disconnect
        /// The script has ended the connection, or made the client end it.
        case loss
    }

    var version = STOMPVersion.v12
    /// The `server` header of CONNECTED, by which the client knows the dialect.
    var server: String?
    var ending = Ending.disconnect
    var clock = ManualClock()
    var configuration = STOMPConfiguration()

    /// - Returns: why the connection ended, unless that was wished.
    @discardableResult
    func run(
        _ script: @escaping @Sendable (ScriptedPeer) async throws -> Void,
        client: @escaping @Sendable (STOMPConnection) async throws -> Void
    ) async throws -> STOMPError? {
        try await withScriptedPeer { peer in
            try await self.open(peer)
            try await script(peer)
            if self.ending == .disconnect { try await peer.endSession() }
        } client: { peer in
            let hasRun = Locked(false)
            do {
                try await STOMPConnection.withConnection(to: peer.endpoint, configuration: self.settings) {
                    connection in
                    do {
                        try await client(connection)
                        hasRun.withLock { $0 = true }
                    } catch {
                        Issue.record(error, "The client's side has failed.")
                        peer.hangUp()
                        throw error
                    }
                }
                return nil
            } catch let error as STOMPError where hasRun.withLock({ $0 }) && self.ending == .loss {
                return error
            }
        }
    }

    /// As ``run(_:client:)``, inside a subscription with the id 1 to `/queue/q`, which uses up the receipt 1.
    @discardableResult
    func runSubscribed(
        ack: STOMPAckMode = .clientIndividual,
        headers: STOMPHeaders = [:],
        _ script: @escaping @Sendable (ScriptedPeer) async throws -> Void,
        client: @escaping @Sendable (STOMPConnection, STOMPSubscription) async throws -> Void
    ) async throws -> STOMPError? {
        try await self.run { peer in
            try await peer.expect(
                "SUBSCRIBE\nid:1\ndestination:/queue/q\nack:\(ack.rawValue)\nreceipt:1\n\n\0"
            )
            try await peer.confirm(1)
            try await script(peer)
            guard self.ending == .disconnect else { return }
            let destination = self.version == .v10 ? "destination:/queue/q\n" : ""
            try await peer.expect("UNSUBSCRIBE\nid:1\n\(destination)receipt:")
            try await peer.confirm(peer.receiveRestOfReceipt())
        } client: { connection in
            try await connection.withSubscription(to: "/queue/q", ack: ack) { subscription in
                try await client(connection, subscription)
            }
        }
    }

    private var settings: STOMPConfiguration {
        var settings = self.configuration
        settings.clock = self.clock
        settings.versions = [self.version]
        settings.heartBeat = .none
        return settings
    }

    private func open(_ peer: ScriptedPeer) async throws {
        try await peer.accept()
        let accepted = self.version == .v10 ? "" : "accept-version:\(self.version)\n"
        try await peer.expect("CONNECT\n\(accepted)host:/\n\n\0")
        let server = self.server.map { "server:\($0)\n" } ?? ""
        try await peer.send("CONNECTED\nversion:\(self.version)\n\(server)\n\0")
    }
}

extension ScriptedPeer {
    func confirm(_ receipt: Int) async throws {
        try await self.send("RECEIPT\nreceipt-id:\(receipt)\n\n\0")
    }

    /// What follows `receipt:` when that is a frame's last header.
    func receiveRestOfReceipt() async throws -> Int {
        var digits = ""
        while true {
            let byte = try await self.receiveBytes(count: 1)
            guard byte != [10] else { break }
            digits += String(decoding: byte, as: UTF8.self)
        }
        try await self.expect("\n\0")
        return try #require(Int(digits), "A receipt is a number, not \(digits).")
    }

    /// DISCONNECT must be the next frame, and the end of the connection must follow its confirmation.
    func endSession() async throws {
        try await self.expect("DISCONNECT\nreceipt:")
        try await self.confirm(self.receiveRestOfReceipt())
        try await self.expectHangUp()
    }

    /// A SEND of `text` to `/queue/q` must be the next frame.
    func expectSend(_ text: String, receipt: Int? = nil) async throws {
        let header = receipt.map { "receipt:\($0)\n" } ?? ""
        try await self.expect(
            "SEND\ndestination:/queue/q\ncontent-type:text/plain\n\(header)content-length:\(text.utf8.count)\n\n\(text)\0"
        )
    }

    /// A MESSAGE of the subscription 1; `ack` is sent in 1.2 only.
    func sendMessage(_ id: String, ack: String? = nil, subscription: String = "1") async throws {
        let header = ack.map { "ack:\($0)\n" } ?? ""
        try await self.send(
            "MESSAGE\nsubscription:\(subscription)\nmessage-id:\(id)\n\(header)destination:/queue/q\n\n\(id)\0"
        )
    }
}

extension STOMPSubscription {
    /// The next so many messages.
    func take(_ count: Int) async throws -> [STOMPMessage] {
        var iterator = self.makeAsyncIterator()
        var messages: [STOMPMessage] = []
        while messages.count < count {
            messages.append(try #require(try await iterator.next(), "The subscription has ended."))
        }
        return messages
    }
}

extension STOMPConnection {
    /// Returns when some call waits for room in the outbox, and so has its deadline.
    nonisolated func waitForRoomWaiter() async {
        while self.outbox.state.withLock({ $0.room.isEmpty }) { await Task.yield() }
    }
}

/// The error that `body` throws.
func failure(
    of body: () async throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
) async -> STOMPError? {
    await #expect(throws: STOMPError.self, sourceLocation: sourceLocation) { try await body() }
}
