// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("A connection that is about to end", .timeLimit(.minutes(5)))
struct DrainingTests {
    /// A connection that drains, since one receipt is outstanding; `body` is to confirm that.
    private func withDraining(
        prepare: (ConnectedPair) async throws -> Void = { _ in },
        _ body: (ConnectedPair, _ sent: String) async throws -> Void
    ) async throws {
        try await ConnectedPair.with { pair in
            try await prepare(pair)
            let outstanding = Task { try await pair.connection.send("", to: "/outstanding", receipt: .required) }
            let frame = try await pair.peer.receiveFrame()
            let goodbye = Task { await pair.connection.disconnect() }
            await self.waitUntilDraining(pair)
            try await body(pair, frame)
            try await outstanding.value
            #expect(try await pair.confirmFrame().hasPrefix("DISCONNECT"))
            await goodbye.value
            #expect(try await pair.end.value() == nil)
        }
    }

    private func waitUntilDraining(_ pair: ConnectedPair) async {
        await eventually { pair.outbox.state.withLock { !$0.quiet.isEmpty } }
    }

    private func confirm(_ frame: String, _ pair: ConnectedPair) async throws {
        try await pair.peer.send("RECEIPT\nreceipt-id:\(try #require(frame.header("receipt")))\n\n\0")
    }

    @Test("begins nothing new, and says that it is closing")
    func refuses() async throws {
        try await self.withDraining { pair, outstanding in
            let connection = pair.connection
            let errors = [
                await failure { try await connection.send("a", to: "/q") },
                await failure { try await connection.send([1], to: "/q") },
                await failure { try await connection.send("a", to: "/q", receipt: .required) },
                await failure { _ = try await connection.subscribe(to: "/q") },
                await failure { _ = try await connection.begin() },
                await failure { try await connection.withTransaction { _ in } },
            ]
            for error in errors {
                #expect(error?.code == .closed)
                #expect(error?.message.contains("closing") == true)
            }
            #expect(pair.peer.hasReceivedNothing)
            try await self.confirm(outstanding, pair)
        }
    }

    @Test("still answers what was received, and waits for the receipts of that")
    func answers() async throws {
        let handling = Shared<(STOMPSubscription, [STOMPMessage])?>(nil)
        try await self.withDraining { pair in
            let subscription = try await pair.subscribe(ack: .clientIndividual)
            try await pair.deliver((1...3).map { ConnectedPair.message("", number: $0) }.joined())
            let taken = try await subscription.take(3)
            handling.withLock { $0 = (subscription, taken) }
        } _: { pair, outstanding in
            let (_, messages) = try #require(handling.withLock { $0 })
            try await messages[0].ack()
            #expect(try await pair.peer.receiveFrame().hasPrefix("ACK\nid:1\n"))
            try await messages[1].nack()
            #expect(try await pair.peer.receiveFrame().hasPrefix("NACK\nid:2\n"))
            let last = Task { try await messages[2].ack(receipt: .required) }
            let ack = try await pair.peer.receiveFrame()
            #expect(ack.hasPrefix("ACK\nid:3\n"))
            try await self.confirm(outstanding, pair)
            await pair.waitUntilRead()
            #expect(!pair.outbox.isClosing)
            try await self.confirm(ack, pair)
            try await last.value
        }
    }

    @Test("still ends a subscription, with a receipt")
    func unsubscribes() async throws {
        let subscription = Shared<STOMPSubscription?>(nil)
        try await self.withDraining { pair in
            let new = try await pair.subscribe()
            subscription.withLock { $0 = new }
        } _: { pair, outstanding in
            let ending = try #require(subscription.withLock { $0 })
            async let ended: Void = ending.unsubscribe()
            let farewell = try await pair.peer.receiveFrame()
            #expect(farewell.hasPrefix("UNSUBSCRIBE"))
            try await self.confirm(outstanding, pair)
            #expect(!pair.outbox.isClosing)
            try await self.confirm(farewell, pair)
            try await ended
        }
    }

    @Test("goes on with transactions that were begun, and ends them", arguments: [STOMPCommand.commit, .abort])
    func transactions(command: STOMPCommand) async throws {
        let begun = Shared<STOMPTransaction?>(nil)
        try await self.withDraining { pair in
            let transaction = try await pair.connection.begin(id: "t")
            begun.withLock { $0 = transaction }
            _ = try await pair.peer.receiveFrame()
        } _: { pair, outstanding in
            let transaction = try #require(begun.withLock { $0 })
            try await transaction.send("a", to: "/q")
            #expect(try await pair.peer.receiveFrame().header("transaction") == "t")
            let ended = Task {
                if command == .commit { try await transaction.commit() } else { try await transaction.abort() }
            }
            let frame = try await pair.peer.receiveFrame()
            #expect(frame.hasPrefix(command.rawValue))
            try await self.confirm(outstanding, pair)
            await pair.waitUntilRead()
            #expect(!pair.outbox.isClosing)
            try await self.confirm(frame, pair)
            try await ended.value
        }
    }

    @Test("closes in the critical section that finds nothing outstanding: nothing gets in between")
    func closesAtOnce() async throws {
        try await self.withDraining { pair, outstanding in
            let id = try #require(UInt64(outstanding.header("receipt") ?? ""))
            #expect(!pair.outbox.isClosing)
            #expect(pair.outbox.confirm([id]).isEmpty)
            #expect(pair.outbox.isClosing)
        }
    }

    @Test("closes too when the last wait is given up")
    func givenUp() async throws {
        try await ConnectedPair.with { pair in
            let outstanding = Task { try await pair.connection.send("", to: "/outstanding", receipt: .required) }
            _ = try await pair.peer.receiveFrame()
            let goodbye = Task { await pair.connection.disconnect() }
            await self.waitUntilDraining(pair)
            outstanding.cancel()
            #expect(await failure { try await outstanding.value }?.code == .cancelled)
            #expect(pair.outbox.isClosing)
            #expect(try await pair.confirmFrame().hasPrefix("DISCONNECT"))
            await goodbye.value
        }
    }

    @Test("sends what waited for room before it says DISCONNECT")
    func waitingForRoom() async throws {
        let body = String(repeating: "x", count: 2_000)
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 1_000)) { pair in
            try await pair.connection.send(body, to: "/1")
            let plain = Task { try await pair.connection.send(body, to: "/2") }
            await eventually { pair.outbox.state.withLock { $0.room.count } == 1 }
            let confirmed = Task { try await pair.connection.send(body, to: "/3", receipt: .required) }
            await eventually { pair.outbox.state.withLock { $0.room.count } == 2 }
            let goodbye = Task { await pair.connection.disconnect() }
            await self.waitUntilDraining(pair)
            for number in 1...3 {
                #expect(try await pair.confirmFrame().header("destination") == "/\(number)")
            }
            #expect(try await pair.confirmFrame().hasPrefix("DISCONNECT"))
            try await plain.value
            try await confirmed.value
            await goodbye.value
        }
    }

    @Test("at its limit refuses what still waits for room, and says DISCONNECT")
    func limit() async throws {
        let body = String(repeating: "x", count: 2_000)
        try await ConnectedPair.with(capacity: 64, configuration: .with(\.outboxLimit, 1_000)) { pair in
            try await pair.connection.send(body, to: "/1")
            let late = Task { try await pair.connection.send(body, to: "/2") }
            await eventually { pair.outbox.state.withLock { $0.room.count } == 1 }
            let goodbye = Task { await pair.connection.disconnect() }
            // The sender's deadline, and that of the goodbye.
            try await pair.clock.waitForSleepers(2)
            pair.clock.advance(by: .seconds(5))
            #expect(await failure { try await late.value }?.code == .closed)
            #expect(try await pair.peer.receiveFrame().header("destination") == "/1")
            #expect(try await pair.confirmFrame().hasPrefix("DISCONNECT"))
            await goodbye.value
        }
    }

    @Test("says DISCONNECT once, however many ask for it")
    func twice() async throws {
        let second = Shared<Task<Void, Never>?>(nil)
        try await self.withDraining { pair, outstanding in
            second.withLock { $0 = Task { await pair.connection.disconnect() } }
            await eventually { pair.outbox.state.withLock { $0.quiet.count } == 2 }
            try await self.confirm(outstanding, pair)
        }
        // Either of them may be the one that waits for the receipt.
        await second.withLock { $0 }?.value
    }

    @Test("disconnect(): returns when the session is over and the socket closed, whether or not there is an answer")
    func disconnect() async throws {
        try await ConnectedPair.with { pair in
            let goodbye = Task { await pair.connection.disconnect() }
            #expect(try await pair.confirmFrame().hasPrefix("DISCONNECT"))
            await goodbye.value
            try await pair.peer.expectHangUp()
        }
        try await ConnectedPair.with { pair in
            let outstanding = Task { try await pair.connection.send("", to: "/q", receipt: .required) }
            _ = try await pair.peer.receiveFrame()
            let goodbye = Task { await pair.connection.disconnect() }
            // The receipt's deadline, and that of the goodbye.
            try await pair.clock.waitForSleepers(2)
            pair.clock.advance(by: .seconds(5))
            #expect(try await pair.peer.receiveFrame().hasPrefix("DISCONNECT"))
            pair.clock.advance(by: .seconds(5))
            await goodbye.value
            try await pair.peer.expectHangUp()
            #expect(await failure { try await outstanding.value }?.code == .connectionLost)
        }
    }
}
