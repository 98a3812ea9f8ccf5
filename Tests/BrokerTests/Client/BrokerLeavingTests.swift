// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

/// The ways to leave a subscription early.
enum LeavingWay: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case endOfScope
    case unsubscribe
    case throwing
    case cancellation
    case lastReference

    var testDescription: String { self.rawValue }
}

@Suite("Leaving a subscription of a real broker", .realBrokers)
struct BrokerLeavingTests {
    private struct Left: Error {}

    @Test(
        "Who leaves after one of ten messages gives nine to another connection at once",
        arguments: BrokerSession.givingBack,
        LeavingWay.allCases
    )
    func nineOfTen(session: BrokerSession, way: LeavingWay) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("leaving")
            try await fixture.withClient { leaver in
                for number in 1...10 {
                    try await leaver.send("\(number)", to: queue, receipt: number == 10 ? .required : .none)
                }
                // RabbitMQ's queue sends on its own time, beside the receipts: what is still under way at UNSUBSCRIBE stays
                // with the leaver's connection. So there all ten have come before one is acknowledged.
                let count = session.kind == .rabbitMQ || way == .lastReference ? 10 : 1
                try await self.leave(queue, leaver, session.oneByOne, way, after: count)
                // The leaver's connection lives on meanwhile.
                try await fixture.withClient { other in
                    try await other.withSubscription(to: queue, ack: session.oneByOne) { rest in
                        try await rest.expectTexts((2...10).map { "\($0)" })
                    }
                    try await fixture.expectEmpty(queue, other)
                }
                await leaver.expectAlive(fixture.queue("other"))
            }
        }
    }

    private func leave(
        _ queue: STOMPDestination,
        _ client: STOMPClient,
        _ mode: STOMPAckMode,
        _ way: LeavingWay,
        after count: Int
    ) async throws {
        func acknowledgeFirst(_ messages: STOMPSubscription) async throws {
            let received = try await messages.take(count)
            #expect(try received[0].text == "1")
            try await received[0].ack()
        }
        switch way {
        case .endOfScope:
            try await client.withSubscription(to: queue, ack: mode) { messages in
                try await acknowledgeFirst(messages)
            }
        case .unsubscribe:
            let messages = try await client.subscribe(to: queue, ack: mode)
            try await acknowledgeFirst(messages)
            try await messages.unsubscribe()
            var iterator = messages.makeAsyncIterator()
            let next = try await iterator.next()
            #expect(next == nil)
        case .throwing:
            do {
                try await client.withSubscription(to: queue, ack: mode) { messages in
                    try await acknowledgeFirst(messages)
                    throw Left()
                }
            } catch is Left {}
        case .cancellation:
            let (signs, sign) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await client.withSubscription(to: queue, ack: mode) { messages in
                    try await acknowledgeFirst(messages)
                    sign.yield()
                    try await RealTime.pass(.seconds(3_600))
                }
            }
            for await _ in signs { break }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        case .lastReference:
            let messages = try await client.subscribe(to: queue, ack: mode)
            // Nobody waits for the broker here, so only what has come can be given back.
            try await acknowledgeFirst(messages)
        }
    }

    // More waits than the credit, so each ACK makes the broker send another message.
    @Test(
        "Who leaves again and again strands nothing",
        arguments: BrokerSession.all(of: .activeMQ).filter { $0.version > .v10 }
    )
    func smallCredit(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("ahead")
            try await fixture.withClient { leaver in
                let taken = try await self.takeTenTimes(from: queue, leaver, session)
                #expect(taken == (1...10).map { "\($0)" })
                try await fixture.withClient { other in
                    try await other.withSubscription(to: queue, ack: session.oneByOne) { rest in
                        try await rest.expectTexts((11...50).map { "\($0)" })
                    }
                    try await fixture.expectEmpty(queue, other)
                }
                await leaver.expectAlive(fixture.queue("other"))
            }
        }
    }

    // RabbitMQ's queue sends on its own time: what is under way at UNSUBSCRIBE stays with the connection until that ends.
    @Test(
        "On RabbitMQ all that was stranded is back when the connection has ended",
        arguments: BrokerSession.givingBack.filter { $0.kind == .rabbitMQ }
    )
    func strandedOnRabbitMQ(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("ahead")
            let taken = try await fixture.withClient { leaver in
                let taken = try await self.takeTenTimes(from: queue, leaver, session)
                await leaver.expectAlive(fixture.queue("other"))
                return taken
            }
            try await fixture.withClient { other in
                let rest = try await other.withSubscription(to: queue, ack: session.oneByOne) { rest in
                    try await rest.takeTexts(40)
                }
                #expect((taken + rest).sorted() == (1...50).map { "\($0)" }.sorted())
                try await fixture.expectEmpty(queue, other)
            }
        }
    }

    /// Sends 50 messages, and takes and acknowledges ten of them, each in a subscription of its own.
    private func takeTenTimes(
        from queue: STOMPDestination,
        _ client: STOMPClient,
        _ session: BrokerSession
    ) async throws -> [String] {
        for number in 1...50 {
            try await client.send("\(number)", to: queue, receipt: number == 50 ? .required : .none)
        }
        var options = STOMPSubscriptionOptions()
        options.messageCredit = 5
        var taken: [String] = []
        for _ in 1...10 {
            taken += try await client.withSubscription(to: queue, ack: session.oneByOne, options: options) { messages in
                try await messages.takeTexts(1)
            }
        }
        return taken
    }

    @Test("Messages after UNSUBSCRIBE do no harm", arguments: BrokerSession.all)
    func lateMessages(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("late")
            try await fixture.withClient { leaver in
                try await fixture.withClient { sender in
                    for way in [LeavingWay.endOfScope, .lastReference, .unsubscribe] {
                        async let sent: Void = {
                            for _ in 0..<2_000 { try await sender.send("x", to: queue) }
                            try await sender.send("x", to: queue, receipt: .required)
                        }()
                        switch way {
                        case .endOfScope:
                            try await leaver.withSubscription(to: queue, ack: .auto) { _ = try await $0.take(5) }
                        case .unsubscribe:
                            let messages = try await leaver.subscribe(to: queue, ack: .auto)
                            _ = try await messages.take(5)
                            try await messages.unsubscribe()
                        default:
                            _ = try await leaver.subscribe(to: queue, ack: .auto).take(5)
                        }
                        await leaver.expectAlive(fixture.queue("other"))
                        try await sent
                    }
                }
                try await leaver.withSubscription(to: queue, ack: .auto) { messages in
                    try await leaver.send("end", to: queue)
                    for try await message in messages where try message.text == "end" { break }
                }
                await leaver.expectAlive(fixture.queue("other"))
            }
        }
    }
}
