// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("How a subscription ends", .timeLimit(.minutes(5)))
struct SubscriptionEndTests {
    private func ids(_ subscription: STOMPSubscription) async throws -> [String] {
        var ids: [String] = []
        for try await message in subscription { ids.append(message.messageID) }
        return ids
    }

    private func deliver(_ count: Int, _ pair: ConnectedPair) async throws {
        for number in 0..<count { try await pair.deliver(ConnectedPair.message("", number: number)) }
    }

    @Test("With its last copy: UNSUBSCRIBE follows, without a wait")
    func lastCopy() async throws {
        try await ConnectedPair.with { pair in
            var subscription: STOMPSubscription? = try await pair.subscribe(ack: .client)
            var copy = subscription
            var iterator = subscription?.makeAsyncIterator()
            subscription = nil
            copy = nil
            #expect(copy == nil)
            try await self.deliver(1, pair)
            #expect(try await iterator?.next()?.messageID == "0")
            iterator = nil
            #expect(try await pair.peer.receiveFrame() == "UNSUBSCRIBE\nid:s\n\n\0")
            // What was under way is an event and no error.
            try await self.deliver(1, pair)
            let id = try await pair.event { event -> String? in
                if case .unexpectedMessage(let id) = event { id } else { nil }
            }
            #expect(id == "s")
            // The id is free again.
            let again = try await pair.subscribe()
            #expect(again.id == "s")
        }
    }

    @Test("With its scope: also after an error and a cancellation", arguments: ["returns", "throws", "is cancelled"])
    func scope(body: String) async throws {
        struct Oops: Error {}
        try await ConnectedPair.with { pair in
            let isInside = Completion()
            let task = Task {
                try await pair.connection.withSubscription(to: "/q", ack: .auto, id: "s") { subscription in
                    isInside.resolve(.success(()))
                    switch body {
                    case "returns": return 1
                    case "throws": throw Oops()
                    default:
                        for try await _ in subscription {}
                        try Task.checkCancellation()
                        return 2
                    }
                }
            }
            try await pair.confirmFrame()
            try await isInside.value()
            if body == "is cancelled" { task.cancel() }
            #expect(try await pair.confirmFrame().hasPrefix("UNSUBSCRIBE\nid:s\nreceipt:"))
            switch body {
            case "returns": #expect(try await task.value == 1)
            case "throws": await #expect(throws: Oops.self) { try await task.value }
            default: await #expect(throws: CancellationError.self) { try await task.value }
            }
        }
    }

    @Test("unsubscribe() by another task ends a loop that waits; a second one does nothing")
    func unsubscribe() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            let loop = Task { try await self.ids(subscription) }
            await eventually { subscription.handle.storage.demand.isWaiting }
            async let unsubscribed: Void = subscription.unsubscribe()
            try await pair.confirmFrame()
            try await unsubscribed
            #expect(try await loop.value == [])
            try await subscription.unsubscribe()
            #expect(pair.peer.hasReceivedNothing)
            #expect(try await self.ids(subscription) == [])
        }
    }

    @Test("With the connection's error: every new loop throws it again; auto delivers first what is buffered")
    func connectionLost() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            try await self.deliver(3, pair)
            pair.peer.hangUp()
            _ = try await pair.end.value()
            var ids: [String] = []
            for _ in 0..<3 {
                let error = await #expect(throws: STOMPError.self) {
                    for try await message in subscription { ids.append(message.messageID) }
                }
                #expect(error?.code == .connectionLost)
            }
            #expect(ids == ["0", "1", "2"])
        }
    }

    @Test("With the connection's error, client modes: what is buffered comes by another connection")
    func connectionLostUnacknowledged() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe(ack: .clientIndividual)
            try await self.deliver(3, pair)
            var iterator = subscription.makeAsyncIterator()
            let first = try #require(await iterator.next())
            pair.peer.hangUp()
            _ = try await pair.end.value()
            let error = await #expect(throws: STOMPError.self) { try await self.ids(subscription) }
            #expect(error?.code == .connectionLost)
            let stale = await #expect(throws: STOMPError.self) { try await first.ack() }
            #expect(stale?.code == .staleAcknowledgement)
        }
    }

    @Test("With an ERROR that names it")
    func namedByAnError() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            try await pair.deliver("ERROR\nmessage:no\nsubscription:s\n\n\0")
            let error = await #expect(throws: STOMPError.self) { try await self.ids(subscription) }
            #expect(error?.code == .rejected)
            #expect(!pair.outbox.isClosing)
        }
    }

    @Test("With disconnect(): auto delivers what is buffered and then ends, client modes just end")
    func disconnected() async throws {
        for (mode, expected) in [(STOMPAckMode.auto, ["0", "1"]), (.client, [])] {
            try await ConnectedPair.with { pair in
                let subscription = try await pair.subscribe(ack: mode)
                try await self.deliver(2, pair)
                async let done: Void = pair.connection.disconnect()
                try await pair.confirmFrame()
                await done
                _ = try await pair.end.value()
                #expect(try await self.ids(subscription) == expected)
                #expect(try await self.ids(subscription) == [])
            }
        }
    }

    @Test("What came after a consumer was cancelled is delivered before the end", arguments: [false, true])
    func bufferedAfterCancellation(isPolite: Bool) async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe()
            let storage = subscription.handle.storage
            // The stock stream has ended with its consumer, and nobody has asked for another one.
            let consumer = Task { try await self.ids(subscription) }
            await eventually { storage.demand.isWaiting }
            consumer.cancel()
            #expect(try await consumer.value == [])
            try await self.deliver(3, pair)
            if isPolite {
                async let done: Void = pair.connection.disconnect()
                try await pair.confirmFrame()
                await done
            } else {
                pair.peer.hangUp()
            }
            let end = try await pair.end.value()
            #expect((end == nil) == isPolite)
            var ids: [String] = []
            do {
                for try await message in subscription { ids.append(message.messageID) }
                #expect(isPolite)
            } catch let error as STOMPError {
                #expect(!isPolite && error.code == .connectionLost)
            }
            #expect(ids == ["0", "1", "2"])
        }
    }

    @Test("A cancellation and the end at the same time lose nothing that is buffered")
    func cancellationAndEnd() async throws {
        for _ in 0..<200 {
            try await ConnectedPair.with { pair in
                let subscription = try await pair.subscribe()
                let seen = Shared<[String]>([])
                let consumer = Task {
                    for try await message in subscription { seen.withLock { $0.append(message.messageID) } }
                }
                await eventually { subscription.handle.storage.demand.isWaiting }
                try await pair.peer.send(ConnectedPair.message("", number: 1))
                consumer.cancel()
                try await pair.peer.send(ConnectedPair.message("", number: 2))
                pair.peer.hangUp()
                _ = await consumer.result
                _ = try await pair.end.value()
                await #expect(throws: STOMPError.self) {
                    for try await message in subscription { seen.withLock { $0.append(message.messageID) } }
                }
                try #require(seen.withLock { $0 } == ["1", "2"])
            }
        }
    }
}
