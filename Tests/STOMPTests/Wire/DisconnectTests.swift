// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import Testing

@testable import STOMP

@Suite("DISCONNECT", .timeLimit(.minutes(5)))
struct DisconnectTests {
    @Test(
        "S12-DIS-1 S10-DIS-3 DISCONNECT carries a receipt, and the client closes when it is in",
        arguments: STOMPVersion.all
    )
    func receipt(version: STOMPVersion) async throws {
        try await ScriptedSession(version: version, ending: .loss).run { peer in
            try await peer.expect("DISCONNECT\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.expectHangUp()
        } client: { _ in
        }
    }

    @Test("outstanding receipts are waited for before DISCONNECT")
    func receiptsFirst() async throws {
        let session = ScriptedSession()
        let hasSent = Signal()
        try await session.run { peer in
            try await peer.expectSend("a", receipt: 1)
            hasSent.raise()
            // The deadline of the receipt, and that of the goodbye.
            try await session.clock.waitForSleepers(2)
            #expect(peer.hasReceivedNothing)
            try await peer.confirm(1)
        } client: { connection in
            async let sent: Void = connection.send("a", to: "/queue/q", receipt: .required)
            await hasSent.wait()
            await connection.disconnect()
            try await sent
        }
    }

    @Test("receipts that do not come are waited for no longer than the goodbye may take")
    func receiptsMissing() async throws {
        let session = ScriptedSession(ending: .loss)
        let hasSent = Signal()
        try await session.run { peer in
            try await peer.expectSend("a", receipt: 1)
            hasSent.raise()
            try await session.clock.waitForSleepers(2)
            session.clock.advance(by: .seconds(5))
            try await peer.expect("DISCONNECT\nreceipt:2\n\n\0")
            // Nor longer than that for the last receipt.
            session.clock.advance(by: .seconds(5))
            try await peer.expectHangUp()
        } client: { connection in
            async let sent: Void = connection.send("a", to: "/queue/q", receipt: .required)
            await hasSent.wait()
            await connection.disconnect()
            do {
                try await sent
                Issue.record("Nobody has confirmed it.")
            } catch {
                #expect((error as? STOMPError)?.code == .connectionLost)
            }
        }
    }

    @Test("S12-LNG-1 the end of the stream instead of the RECEIPT is no failure")
    func endOfStream() async throws {
        let error = try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect("DISCONNECT\nreceipt:1\n\n\0")
            peer.hangUp()
        } client: { _ in
        }
        #expect(error == nil)
    }

    @Test("an ERROR instead of the RECEIPT is no failure")
    func errorFrame() async throws {
        let error = try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect("DISCONNECT\nreceipt:1\n\n\0")
            try await peer.send("ERROR\nmessage:shutting down\n\n\0")
            try await peer.expectHangUp()
        } client: { _ in
        }
        #expect(error == nil)
    }

    @Test("S12-DIS-2 no frame follows DISCONNECT")
    func nothingAfter() async throws {
        let isSaid = Signal()
        let isTried = Signal()
        try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect("SUBSCRIBE\nid:1\ndestination:/queue/q\nack:client\nreceipt:1\n\n\0")
            try await peer.confirm(1)
            try await peer.sendMessage("m", ack: "a")
            try await peer.expect("BEGIN\ntransaction:tx-1\n\n\0")
            try await peer.expect("DISCONNECT\nreceipt:2\n\n\0")
            isSaid.raise()
            await isTried.wait()
            #expect(peer.hasReceivedNothing)
            try await peer.confirm(2)
            try await peer.expectHangUp()
        } client: { connection in
            let subscription = try await connection.subscribe(to: "/queue/q", ack: .client)
            let message = try await subscription.take(1)[0]
            let transaction = try await connection.begin()
            async let goodbye: Void = connection.disconnect()
            await isSaid.wait()
            let codes = [
                await failure { try await connection.send("a", to: "q") }?.code,
                await failure { try await connection.send("a", to: "q", receipt: .required) }?.code,
                await failure { _ = try await connection.subscribe(to: "q") }?.code,
                await failure { _ = try await connection.begin() }?.code,
                await failure { try await message.ack() }?.code,
                await failure { try await message.nack(receipt: .required) }?.code,
                await failure { try await transaction.send("a", to: "q") }?.code,
                await failure { try await transaction.commit() }?.code,
            ]
            #expect(
                codes == [
                    .closed, .closed, .closed, .closed, .staleAcknowledgement, .staleAcknowledgement, .transactionLost,
                    .transactionLost,
                ]
            )
            try await transaction.abort()
            isTried.raise()
            await goodbye
        }
    }

    @Test("no heart-beat follows DISCONNECT")
    func noBeatAfter() async throws {
        let clock = ManualClock()
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nversion:1.2\nheart-beat:0,1000\n\n\0")
            try await peer.expect("DISCONNECT\nreceipt:1\n\n\0")
            for second in 0..<4 {
                // The heart-beat looks every half interval, whether or not it may write.
                await eventually { clock.nextDeadline?.offset == .milliseconds(500 + 1_000 * second) }
                clock.advance(by: .seconds(1))
            }
            await eventually { clock.nextDeadline?.offset == .milliseconds(4_500) }
            #expect(peer.hasReceivedNothing)
            try await peer.confirm(1)
            try await peer.expectHangUp()
        } client: { peer in
            var configuration = STOMPConfiguration()
            configuration.clock = clock
            configuration.heartBeat = STOMPHeartBeat(outgoing: .seconds(1), incoming: .zero)
            try await STOMPConnection.withConnection(to: peer.endpoint, configuration: configuration) { _ in }
        }
    }

    @Test(
        "S12-DIS-4 messages that come after DISCONNECT are neither delivered nor acknowledged",
        arguments: [STOMPAckMode.auto, .client]
    )
    func messagesAfter(mode: STOMPAckMode) async throws {
        try await ScriptedSession(ending: .loss).run { peer in
            try await peer.expect(
                "SUBSCRIBE\nid:1\ndestination:/queue/q\nack:\(mode.rawValue)\nreceipt:1\n\n\0"
            )
            try await peer.confirm(1)
            try await peer.expect("DISCONNECT\nreceipt:2\n\n\0")
            try await peer.sendMessage("late", ack: mode == .auto ? nil : "a")
            try await peer.confirm(2)
            try await peer.expectHangUp()
        } client: { connection in
            var events = connection.events.listen().makeAsyncIterator()
            let subscription = try await connection.subscribe(to: "/queue/q", ack: mode)
            async let goodbye: Void = connection.disconnect()
            var messages = subscription.makeAsyncIterator()
            #expect(try await messages.next() == nil)
            await goodbye
            guard case .unexpectedMessage("1") = await events.next() else {
                Issue.record("There is no event.")
                return
            }
        }
    }

    @Test("a client whose run() is cancelled still waits for receipts and says DISCONNECT")
    func cancelledRun() async throws {
        let clock = ManualClock()
        let hasSent = Signal()
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nversion:1.2\n\n\0")
            try await peer.expectSend("a", receipt: 1)
            hasSent.raise()
            try await clock.waitForSleepers(2)
            #expect(peer.hasReceivedNothing)
            try await peer.confirm(1)
            try await peer.endSession()
        } client: { peer in
            var configuration = STOMPConfiguration()
            configuration.clock = clock
            let client = STOMPClient(STOMPServer(peer.endpoint), configuration: configuration)
            let running = Task { try await client.run() }
            async let sent: Void = client.send("a", to: "/queue/q", receipt: .required)
            await hasSent.wait()
            running.cancel()
            try await sent
            let error = await failure { try await running.value }
            #expect(error?.code == .cancelled)
            #expect(await failure { try await client.send("a", to: "q") }?.code == .closed)
        }
    }
}
