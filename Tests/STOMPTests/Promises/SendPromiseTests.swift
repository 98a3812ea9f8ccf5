// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import TestSupport
import Testing

@testable import STOMP

@Suite("What send promises", .timeLimit(.minutes(5)))
struct SendPromiseTests {
    /// More than the pipe to the peer takes, so that the outbox stays full until the peer reads.
    private static let large = [UInt8](repeating: 120, count: 300 * 1024)
    private static let largeFrame =
        "SEND\ndestination:q\ncontent-length:307200\n\n" + String(repeating: "x", count: 300 * 1024) + "\0"

    private func fullSession(ending: ScriptedSession.Ending = .disconnect) -> ScriptedSession {
        var session = ScriptedSession(ending: ending)
        session.configuration.outboxLimit = 1_000
        return session
    }

    @Test("returns: when the frame is in the outbox, whether the peer reads or not")
    func returns() async throws {
        let hasReturned = Signal()
        try await ScriptedSession().run { peer in
            await hasReturned.wait()
            try await peer.expect(Self.largeFrame)
            try await peer.expectSend("a")
        } client: { connection in
            try await connection.send(Self.large, to: "q", contentType: nil)
            try await connection.send("a", to: "/queue/q")
            hasReturned.raise()
        }
    }

    @Test("what was not sent when the connection ends is lost, which is an event with a count")
    func lost() async throws {
        let hasReturned = Signal()
        try await ScriptedSession(ending: .loss).run { peer in
            await hasReturned.wait()
            peer.hangUp()
        } client: { connection in
            var events = connection.events.listen().makeAsyncIterator()
            try await connection.send(Self.large, to: "q", contentType: nil)
            try await connection.send("a", to: "/queue/q")
            hasReturned.raise()
            guard case .framesLost(let count) = await events.next() else {
                Issue.record("There is no event.")
                return
            }
            #expect(count == 2)
        }
    }

    /// Sends when there is no room, until it is too late for that.
    private func sendInVain(receipt: STOMPReceipt) async throws {
        let session = self.fullSession()
        let hasFailed = Signal()
        try await session.run { peer in
            await hasFailed.wait()
            try await peer.expect(Self.largeFrame)
            try await peer.expectSend("b")
        } client: { connection in
            try await connection.send(Self.large, to: "q", contentType: nil)
            let sending = Task { try await connection.send("a", to: "q", receipt: receipt) }
            await connection.waitForRoomWaiter()
            session.clock.advance(by: .seconds(30))
            #expect(await failure { try await sending.value }?.code == .outboxFull)
            #expect(!connection.outbox.isAwaitingPeer)
            hasFailed.raise()
            try await connection.send("b", to: "/queue/q")
        }
    }

    @Test("throws: .outboxFull when there was no room in time; nothing is sent")
    func outboxFull() async throws {
        try await self.sendInVain(receipt: .none)
    }

    @Test("throws: .outboxFull for a send with a receipt too, which leaves no waiter")
    func outboxFullWithReceipt() async throws {
        try await self.sendInVain(receipt: .required)
    }

    @Test("throws: .notConnected after the connection was lost")
    func notConnected() async throws {
        let error = try await ScriptedSession(ending: .loss).run { peer in
            peer.hangUp()
        } client: { connection in
            // The connection's end shows in its receipts.
            let first = await failure { try await connection.send("a", to: "q", receipt: .required) }
            #expect(first?.code == .connectionLost || first?.code == .notConnected)
            let codes = [
                await failure { try await connection.send("a", to: "q") }?.code,
                await failure { try await connection.send([1], to: "q") }?.code,
                await failure { try await connection.send("a", to: "q", receipt: .required) }?.code,
                await failure { _ = try await connection.subscribe(to: "q") }?.code,
                await failure { _ = try await connection.begin() }?.code,
            ]
            #expect(codes.allSatisfy { $0 == .notConnected })
        }
        #expect(error?.code == .connectionLost)
    }

    @Test("throws: .notConnected from the client too, when its connection was lost")
    func notConnectedClient() async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nversion:1.2\n\n\0")
            try await peer.expectSend("a", receipt: 1)
            peer.hangUp()
        } client: { peer in
            let client = STOMPClient(STOMPServer(peer.endpoint), configuration: .patient(\.reconnect, .never))
            let running = Task { try await client.run() }
            let error = await failure { try await client.send("a", to: "/queue/q", receipt: .required) }
            #expect(error?.code == .connectionLost)
            #expect(await failure { try await running.value }?.code == .connectionLost)
            #expect(await self.codes(client) == [.notConnected])
        }
    }

    private func codes(_ client: STOMPClient) async -> Set<STOMPError.Code?> {
        [
            await failure { try await client.send("b", to: "q") }?.code,
            await failure { try await client.send("b", to: "q", receipt: .required) }?.code,
            await failure { _ = try await client.subscribe(to: "q") }?.code,
            await failure { _ = try await client.begin() }?.code,
        ]
    }

    @Test("throws: .closed from a client that was shut down")
    func closedClient() async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nversion:1.2\n\n\0")
            try await peer.endSession()
        } client: { peer in
            let client = try await withSTOMPClient(STOMPServer(peer.endpoint), configuration: .patient) { $0 }
            #expect(await self.codes(client) == [.closed])
        }
    }

    @Test("cancelled: not sent while it waits for room")
    func cancelled() async throws {
        let isDone = Signal()
        let session = self.fullSession()
        try await session.run { peer in
            await isDone.wait()
            try await peer.expect(Self.largeFrame)
            try await peer.expectSend("after")
        } client: { connection in
            try await connection.send(Self.large, to: "q", contentType: nil)
            for receipt in [STOMPReceipt.none, .required] {
                let sending = Task { try await connection.send("a", to: "q", receipt: receipt) }
                await connection.waitForRoomWaiter()
                sending.cancel()
                #expect(await failure { try await sending.value }?.code == .cancelled)
            }
            #expect(!connection.outbox.isAwaitingPeer)
            isDone.raise()
            try await connection.send("after", to: "/queue/q")
        }
    }

    @Test("cancelled before: a send is whole or not at all")
    func cancelledBefore() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expectSend("whole")
            try await peer.expectSend("after")
        } client: { connection in
            let sending = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                // There is room, so it does not wait.
                try await connection.send("whole", to: "/queue/q")
                try await connection.send("not at all", to: "/queue/q", receipt: .required)
            }
            #expect(await failure { try await sending.value }?.code == .cancelled)
            try await connection.send("after", to: "/queue/q")
        }
    }
}
