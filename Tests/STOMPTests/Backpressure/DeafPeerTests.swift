// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("A peer that beats and never reads", .timeLimit(.minutes(5)))
struct DeafPeerTests {
    /// Five seconds pass, and the peer beats.
    private func fiveSeconds(_ peer: ScriptedPeer.Connection, _ clock: ManualClock) async throws {
        try await peer.send("\n")
        clock.advance(by: .seconds(5))
        for _ in 0..<20 { await Task.yield() }
    }

    /// How much the kernel takes is not ours to say, so time goes on until the call has ended.
    private func outcome(
        _ peer: ScriptedPeer.Connection,
        _ clock: ManualClock,
        of call: @escaping @Sendable () async throws -> Void
    ) async throws -> STOMPError.Code? {
        let result = Shared<(isThere: Bool, code: STOMPError.Code?)>((false, nil))
        let task = Task {
            do {
                try await call()
                result.withLock { $0 = (true, nil) }
            } catch {
                let code = (error as? STOMPError)?.code
                result.withLock { $0 = (true, code) }
            }
        }
        while !result.withLock({ $0.isThere }) { try await self.fiveSeconds(peer, clock) }
        await task.value
        return result.withLock { $0.code }
    }

    @Test("Over TCP, when the kernel's buffers are full: calls end at their deadlines, and the connection can be left")
    func overTCP() async throws {
        let clock = ManualClock()
        let listener = try TCPListener.bind()
        defer { listener.close() }
        let configuration = STOMPConfiguration.with(\.clock, clock)
        async let opened = STOMPConnection.open(
            to: STOMPServer(.tcp("127.0.0.1", port: listener.port)),
            configuration: configuration,
            time: TimeSource(clock),
            events: EventHub()
        )
        let peer = ScriptedPeer.Connection(try await listener.accept())
        _ = try await peer.receiveFrame()
        try await peer.send("CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0")
        let connection = try await opened
        let running = Task { await connection.run() }
        async let subscribing = connection.subscribe(to: "/q", id: "s")
        let id = try await peer.receiveFrame().header("receipt") ?? ""
        try await peer.send("RECEIPT\nreceipt-id:\(id)\n\n\0")
        let subscription = try await subscribing

        // From here on the peer reads nothing.
        let body = [UInt8](repeating: 120, count: 256 * 1024)
        let filling = Task { while true { try await connection.send(body, to: "/fill") } }
        await connection.waitForRoomWaiter()
        #expect(try await self.outcome(peer, clock) { try await filling.value } == .outboxFull)
        let confirmed = try await self.outcome(peer, clock) {
            try await connection.send(body, to: "/q", receipt: .required)
        }
        // Where the time runs out depends on whether the kernel has taken some more.
        #expect(confirmed == .receiptTimedOut || confirmed == .outboxFull)
        #expect(try await self.outcome(peer, clock) { try await subscription.unsubscribe() } == .receiptTimedOut)
        #expect(!connection.outbox.isClosing)
        #expect(try await self.outcome(peer, clock) { await connection.disconnect() } == nil)
        #expect(await running.value == nil)
        peer.hangUp()
    }
}
