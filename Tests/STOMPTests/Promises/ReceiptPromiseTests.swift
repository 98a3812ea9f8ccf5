// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("What send with a receipt promises", .timeLimit(.minutes(5)))
struct ReceiptPromiseTests {
    @Test("returns: when the broker has confirmed it, and not before")
    func returns() async throws {
        let hasReturned = Locked(false)
        try await ScriptedSession().run { peer in
            try await peer.expectSend("a", receipt: 1)
            #expect(!hasReturned.withLock { $0 })
            try await peer.confirm(1)
            try await peer.expectSend("b")
            #expect(hasReturned.withLock { $0 })
        } client: { connection in
            try await connection.send("a", to: "/queue/q", receipt: .required)
            hasReturned.withLock { $0 = true }
            try await connection.send("b", to: "/queue/q")
        }
    }

    @Test("throws: .receiptTimedOut at its own deadline; the connection lives and a late RECEIPT is an event")
    func timedOut() async throws {
        let session = ScriptedSession()
        try await session.run { peer in
            try await peer.expectSend("a", receipt: 1)
            try await session.clock.waitForSleepers(1)
            session.clock.advance(by: .seconds(30))
            try await peer.expectSend("b", receipt: 2)
            try await peer.confirm(1)
            try await peer.confirm(2)
        } client: { connection in
            var events = connection.events.listen().makeAsyncIterator()
            let error = await failure { try await connection.send("a", to: "/queue/q", receipt: .required) }
            #expect(error?.code == .receiptTimedOut)
            #expect(error?.isRetriable == true)
            try await connection.send("b", to: "/queue/q", receipt: .required)
            guard case .unexpectedFrame(let frame) = await events.next() else {
                Issue.record("There is no event.")
                return
            }
            #expect(frame.headers[.receiptID] == "1")
        }
    }

    @Test("each wait has its own deadline, also one that is earlier than those before it")
    func deadlines() async throws {
        let session = ScriptedSession()
        let isSeen = Signal()
        let isLate = Signal()
        try await session.run { peer in
            try await peer.expectSend("long", receipt: 1)
            isSeen.raise()
            try await peer.expectSend("short", receipt: 2)
            try await session.clock.waitForSleepers(1)
            session.clock.advance(by: .seconds(2))
            await isLate.wait()
            try await peer.confirm(1)
        } client: { connection in
            async let long: Void = connection.send("long", to: "/queue/q", receipt: .required(within: .seconds(60)))
            await isSeen.wait()
            let error = await failure {
                try await connection.send("short", to: "/queue/q", receipt: .required(within: .seconds(2)))
            }
            #expect(error?.code == .receiptTimedOut)
            isLate.raise()
            try await long
        }
    }

    @Test("throws: .connectionLost when the connection ends before, since the outcome is unknown")
    func connectionLost() async throws {
        let error = try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expectSend("a", receipt: 1)
            peer.hangUp()
        } client: { connection in
            let error = await failure { try await connection.send("a", to: "/queue/q", receipt: .required) }
            #expect(error?.code == .connectionLost)
            #expect(error?.message.contains("outcome is unknown") == true)
            #expect(await failure { try await connection.send("b", to: "/queue/q") }?.code == .notConnected)
        }
        #expect(error?.code == .connectionLost)
    }

    @Test("cancelled: the wait is forgotten, the connection lives, and the late RECEIPT is an event")
    func cancelled() async throws {
        let isSeen = Signal()
        try await ScriptedSession().run { peer in
            try await peer.expectSend("a", receipt: 1)
            isSeen.raise()
            try await peer.expectSend("b", receipt: 2)
            try await peer.confirm(1)
            try await peer.confirm(2)
        } client: { connection in
            var events = connection.events.listen().makeAsyncIterator()
            let sending = Task { try await connection.send("a", to: "/queue/q", receipt: .required) }
            await isSeen.wait()
            sending.cancel()
            #expect(await failure { try await sending.value }?.code == .cancelled)
            #expect(!connection.outbox.isAwaitingPeer)
            try await connection.send("b", to: "/queue/q", receipt: .required)
            guard case .unexpectedFrame(let frame) = await events.next() else {
                Issue.record("There is no event.")
                return
            }
            #expect(frame.headers[.receiptID] == "1")
        }
    }

    @Test("DISCONNECT does not wait for a receipt whose wait was cancelled")
    func cancelledBeforeDisconnect() async throws {
        let isSeen = Signal()
        try await ScriptedSession().run { peer in
            try await peer.expectSend("a", receipt: 1)
            isSeen.raise()
        } client: { connection in
            let sending = Task { try await connection.send("a", to: "/queue/q", receipt: .required) }
            await isSeen.wait()
            sending.cancel()
            _ = await sending.result
        }
    }
}

@Suite("What ack and nack promise", .timeLimit(.minutes(5)))
struct AcknowledgementPromiseTests {
    @Test("cancelled: the wait for the receipt is forgotten, the message stays answered, the connection lives")
    func cancelledWait() async throws {
        let isSeen = Signal()
        try await ScriptedSession().runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.expect("ACK\nid:a1\nreceipt:2\n\n\0")
            isSeen.raise()
            try await peer.expectSend("after")
        } client: { connection, subscription in
            let message = try await subscription.take(1)[0]
            let answering = Task { try await message.ack(receipt: .required) }
            await isSeen.wait()
            answering.cancel()
            #expect(await failure { try await answering.value }?.code == .cancelled)
            #expect(await failure { try await message.ack() }?.code == .alreadyAcknowledged)
            try await connection.send("after", to: "/queue/q")
        }
    }

    @Test("throws: .receiptTimedOut and .connectionLost tell that the outcome is unknown")
    func unknownOutcome() async throws {
        let session = ScriptedSession(ending: .loss)
        try await session.runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            try await peer.sendMessage("m2", ack: "a2")
            try await peer.expect("ACK\nid:a1\nreceipt:2\n\n\0")
            try await session.clock.waitForSleepers(1)
            session.clock.advance(by: .seconds(30))
            try await peer.expect("NACK\nid:a2\nreceipt:3\n\n\0")
            peer.hangUp()
        } client: { _, subscription in
            let messages = try await subscription.take(2)
            #expect(await failure { try await messages[0].ack(receipt: .required) }?.code == .receiptTimedOut)
            #expect(await failure { try await messages[1].nack(receipt: .required) }?.code == .connectionLost)
            #expect(await failure { try await messages[1].nack() }?.code == .staleAcknowledgement)
        }
    }

    @Test("cancelled or out of time while the outbox is full: nothing is written, and it can be answered later")
    func noRoom() async throws {
        var session = ScriptedSession()
        session.configuration.outboxLimit = 1_000
        let clock = session.clock
        let isDone = Signal()
        try await session.runSubscribed { peer in
            try await peer.sendMessage("m1", ack: "a1")
            await isDone.wait()
            _ = try await peer.receiveFrame()
            try await peer.expect("ACK\nid:a1\n\n\0")
        } client: { connection, subscription in
            let message = try await subscription.take(1)[0]
            try await connection.send([UInt8](repeating: 120, count: 300 * 1024), to: "q")
            let answering = Task { try await message.ack() }
            answering.cancel()
            #expect(await failure { try await answering.value }?.code == .cancelled)
            let late = Task { try await message.nack() }
            await connection.waitForRoomWaiter()
            clock.advance(by: .seconds(30))
            #expect(await failure { try await late.value }?.code == .outboxFull)
            isDone.raise()
            try await message.ack()
        }
    }
}
