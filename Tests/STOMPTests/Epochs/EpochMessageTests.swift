// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Messages across connections", .timeLimit(.minutes(5)))
struct EpochMessageTests {
    /// Waits until all that was sent is with the subscription.
    private func untilBuffered(_ run: EpochRun, _ peer: EpochRun.Peer) async throws {
        guard let connection = run.client.current else { return }
        await eventually { connection.transport.unreadByteCount == 0 }
        // What came before a receipt is handed over before it.
        async let send: Void = run.client.send("mark", to: "/queue/mark", receipt: .required)
        while try await peer.confirmFrame().header("destination") != "/queue/mark" {}
        try await send
    }

    @Test("B-1 In auto mode what was buffered before the loss is still handed out, before what comes later")
    func auto() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(ack: .auto, at: first)
            for number in 0..<3 { try await first.deliver("\(number)", number: number) }
            try await self.untilBuffered(run, first)
            #expect(try await subscription.take(1)[0].text == "0")
            let second = try await run.next(after: first)
            try await second.confirmFrame()
            try await second.deliver("3", number: 3)
            #expect(try await subscription.take(3).map { try $0.text } == ["1", "2", "3"])
        }
    }

    @Test(
        "B-13 In client modes what was buffered is given up, and comes again",
        arguments: [STOMPAckMode.client, .clientIndividual]
    )
    func client(mode: STOMPAckMode) async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(ack: mode, at: first)
            for number in 0..<3 { try await first.deliver("\(number)", number: number) }
            try await self.untilBuffered(run, first)
            let old = try await subscription.take(1)[0]
            let second = try await run.next(after: first)
            try await second.confirmFrame()
            for number in 0..<3 { try await second.deliver("again \(number)", number: number) }
            let new = try await subscription.take(3)
            #expect(try new.map { try $0.text } == ["again 0", "again 1", "again 2"])
            // The old one has the id of a new one, which it must not answer.
            #expect(await failure { try await old.ack() }?.code == .staleAcknowledgement)
            #expect(await failure { try await old.nack() }?.code == .staleAcknowledgement)
            #expect(await failure { try await old.ack(receipt: .required) }?.code == .staleAcknowledgement)
            #expect(second.hasReceivedNothing)
            try await new[0].ack()
            #expect(try await second.receiveFrame() == "ACK\nid:0\n\n\0")
        }
    }

    @Test("B-13 A message of a lost connection can be answered neither while there is none nor while it is resumed")
    func staleMeanwhile() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(at: first)
            try await first.deliver("a")
            let message = try await subscription.take(1)[0]
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            #expect(await failure { try await message.ack() }?.code == .staleAcknowledgement)
            await run.pass(.seconds(1))
            let second = try await run.session()
            let frame = try await second.receiveFrame()
            #expect(await failure { try await message.ack() }?.code == .staleAcknowledgement)
            #expect(second.hasReceivedNothing)
            try await second.confirm(try #require(frame.header("receipt")))
            await run.untilConnected()
            // By its id, it is not known to the new connection either.
            let code = await failure { try await run.client.ack(id: "0", subscription: "1") }?.code
            #expect(code == .alreadyAcknowledged)
            #expect(second.hasReceivedNothing)
        }
    }

    @Test("B-1 A consumer that was cancelled between the connections leaves all to the next loop")
    func cancelledBetween() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(ack: .auto, at: first)
            try await first.deliver("0")
            try await self.untilBuffered(run, first)
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            let loop = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                var count = 0
                for try await _ in subscription { count += 1 }
                return count
            }
            #expect(try await loop.value == 0)
            await run.pass(.seconds(1))
            let second = try await run.session()
            try await second.confirmFrame()
            try await second.deliver("1", number: 1)
            #expect(try await subscription.take(2).map { try $0.text } == ["0", "1"])
        }
    }
}
