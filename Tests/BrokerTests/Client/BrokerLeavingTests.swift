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
                // Nobody waits for the last reference, so elsewhere only what has come by then is given back.
                let count = session.kind != .rabbitMQ && way == .lastReference ? 10 : 1
                try await self.leave(queue, leaver, session.oneByOne, way, after: count)
                // The leaver's connection lives on meanwhile.
                try await fixture.withClient { other in
                    let texts = try await other.withSubscription(to: queue, ack: session.oneByOne) { rest in
                        try await rest.takeTexts(9)
                    }
                    // Whoever drops the last reference does not wait, so some may be back after others.
                    #expect((way == .lastReference ? texts.sorted(by: Self.byNumber) : texts) == Self.rest)
                    try await fixture.expectEmpty(queue, other)
                }
                await leaver.expectAlive(fixture.queue("other"))
            }
        }
    }

    private static let rest = (2...10).map { "\($0)" }

    private static func byNumber(_ one: String, _ other: String) -> Bool {
        (Int(one) ?? 0) < (Int(other) ?? 0)
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

    @Test(
        "Nine of ten go at once to a connection that waits for them, each time",
        arguments: BrokerSession.givingBack,
        [LeavingWay.unsubscribe, .lastReference]
    )
    func nineOfTenWhileAnotherWaits(session: BrokerSession, way: LeavingWay) async throws {
        try await session.run { fixture in
            try await fixture.withClient { leaver in
                try await fixture.withClient { other in
                    for _ in 1...30 {
                        let queue = fixture.queue("waiting")
                        for number in 1...10 {
                            try await leaver.send("\(number)", to: queue, receipt: number == 10 ? .required : .none)
                        }
                        var leaving = try await leaver.subscribe(to: queue, ack: session.oneByOne) as STOMPSubscription?
                        let first = try #require(try await leaving?.take(1).first)
                        try await other.withSubscription(to: queue, ack: session.oneByOne) { rest in
                            try await first.ack()
                            if way == .unsubscribe { try await leaving?.unsubscribe() }
                            leaving = nil
                            // Also those that the broker had sent to us and we had not seen.
                            let texts = try await rest.takeTexts(9)
                            #expect(texts.sorted(by: Self.byNumber) == Self.rest)
                        }
                        try await fixture.expectEmpty(queue, other)
                    }
                }
                await leaver.expectAlive(fixture.queue("other"))
            }
        }
    }

    @Test("Who leaves while messages keep coming strands none of them", arguments: BrokerSession.givingBack)
    func leavingUnderLoad(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("load")
            try await fixture.withClient { leaver in
                try await fixture.withClient { sender in
                    // The leaver has another subscription, whose messages come in between.
                    let side = fixture.queue("side")
                    let sides = try await leaver.subscribe(to: side, ack: session.oneByOne)
                    async let sent: Void = {
                        for number in 1...1_000 {
                            try await sender.send("\(number)", to: queue)
                            try await sender.send("\(number)", to: side, receipt: number % 50 == 0 ? .required : .none)
                        }
                    }()
                    async let taken = sides.takeTexts(1_000)
                    for way in 1...30 {
                        let messages = try await leaver.subscribe(to: queue, ack: session.oneByOne)
                        _ = try await messages.take(1)
                        if way % 2 == 0 { try await messages.unsubscribe() }
                    }
                    try await sent
                    #expect(try await taken == (1...1_000).map { "\($0)" })
                    let texts = try await sender.withSubscription(to: queue, ack: session.oneByOne) { rest in
                        try await rest.takeTexts(1_000)
                    }
                    #expect(texts.sorted(by: Self.byNumber) == (1...1_000).map { "\($0)" })
                    try await fixture.expectEmpty(queue, sender)
                }
                await leaver.expectAlive(fixture.queue("other"))
            }
        }
    }

    // More waits than the credit, so each ACK makes the broker send another message.
    @Test("Who leaves again and again strands nothing", arguments: BrokerSession.givingBack)
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
            var configuration = fixture.configuration
            // Under its flow control RabbitMQ's web-stomp kills connections that have heart-beats (Docs/Brokers.md).
            if session.wire == .webSocket { configuration.heartBeat = .none }
            try await fixture.withClient(configuration) { leaver in
                try await fixture.withClient(configuration) { sender in
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
