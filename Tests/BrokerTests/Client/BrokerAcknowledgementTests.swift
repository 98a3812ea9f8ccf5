// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

@Suite("Acknowledging with real brokers", .realBrokers)
struct BrokerAcknowledgementTests {
    private func send(_ count: Int, to queue: STOMPDestination, _ client: STOMPClient) async throws {
        for number in 1...count {
            try await client.send("\(number)", to: queue, receipt: number == count ? .required : .none)
        }
    }

    @Test("On auto nothing is left when the session ends", arguments: BrokerSession.all)
    func auto(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("auto")
            try await fixture.withClient { client in
                try await self.send(5, to: queue, client)
                try await client.withSubscription(to: queue, ack: .auto) { messages in
                    for number in 1...5 { try await messages.expectText("\(number)") }
                }
            }
            try await fixture.withClient { client in try await fixture.expectEmpty(queue, client) }
        }
    }

    @Test("On client an ACK takes the earlier messages with it", arguments: BrokerSession.all)
    func cumulative(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("cumulative")
            try await fixture.withClient { client in
                try await self.send(5, to: queue, client)
                // Until the end of the session: what is not acknowledged then comes again.
                let messages = try await client.subscribe(to: queue, ack: .client)
                if session.sendsAhead {
                    let received = try await messages.take(5)
                    try await received[2].ack(receipt: .required)
                    await expectFailure(.alreadyAcknowledged) { try await received[0].ack() }
                } else {
                    for _ in 1...3 { try await messages.take(1)[0].ack(receipt: .required) }
                }
                await client.expectAlive(fixture.queue("other"))
                withExtendedLifetime(messages) {}
            }
            try await fixture.withClient { client in
                try await client.withSubscription(to: queue, ack: .client) { messages in
                    // stompserver puts what comes back at the end.
                    let texts = try await messages.takeTexts(2).sorted()
                    #expect(texts == ["4", "5"])
                }
                try await fixture.expectEmpty(queue, client)
            }
        }
    }

    @Test(
        "On client-individual an ACK is for one message",
        arguments: BrokerSession.all.filter { $0.version > .v10 }
    )
    func individual(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("individual")
            try await fixture.withClient { client in
                try await self.send(3, to: queue, client)
                let messages = try await client.subscribe(to: queue)
                let received = try await messages.take(3)
                try await received[1].ack(receipt: .required)
                withExtendedLifetime(messages) {}
            }
            try await fixture.withClient { client in
                try await client.withSubscription(to: queue) { messages in
                    try await messages.expectTexts(["1", "3"])
                }
                try await fixture.expectEmpty(queue, client)
            }
        }
    }

    @Test(
        "1.0 has no client-individual and no NACK: both are refused here, and the session lives",
        arguments: BrokerSession.all.filter { $0.version == .v10 }
    )
    func notIn10(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("not-in-10")
            try await fixture.withClient { client in
                await expectFailure(.notSupported) { _ = try await client.subscribe(to: queue) }
                try await client.withSubscription(to: queue, ack: .client) { messages in
                    await client.expectAlive(queue)
                    let message = try await messages.take(1)[0]
                    await expectFailure(.notSupported) { try await message.nack() }
                    try await message.ack(receipt: .required)
                }
            }
            try await fixture.withClient { client in try await fixture.expectEmpty(queue, client) }
        }
    }

    @Test("RabbitMQ delivers again what was refused", .realBroker(.rabbitMQ), arguments: [STOMPVersion.v11, .v12])
    func rabbitMQNack(version: STOMPVersion) async throws {
        try await BrokerSession(kind: .rabbitMQ, version: version).run { fixture in
            let queue = fixture.queue("nack")
            try await fixture.withClient { client in
                try await client.withSubscription(to: queue) { messages in
                    try await self.send(1, to: queue, client)
                    let first = try await messages.take(1)[0]
                    #expect(!first.isRedelivered)
                    try await first.nack(receipt: .required)
                    let second = try await messages.take(1)[0]
                    #expect(second.isRedelivered)
                    #expect(try second.text == "1")
                    #expect(second.messageID != first.messageID)
                    try await second.nack(headers: ["requeue": "false"], receipt: .required)
                    try await client.send("next", to: queue, receipt: .required)
                    try await messages.expectTexts(["next"])
                }
                // In client mode a NACK is cumulative there.
                try await client.withSubscription(to: queue, ack: .client) { messages in
                    try await self.send(3, to: queue, client)
                    let received = try await messages.take(3)
                    try await received[1].nack(receipt: .required)
                    try await messages.expectText("1")
                    try await messages.expectText("2")
                    await expectFailure(.alreadyAcknowledged) { try await received[0].ack() }
                    await client.expectAlive(fixture.queue("other"))
                }
            }
        }
    }

    @Test(
        "ActiveMQ moves what was refused to its dead-letter queue, or discards it",
        .realBroker(.activeMQ),
        arguments: [STOMPVersion.v11, .v12]
    )
    func activeMQNack(version: STOMPVersion) async throws {
        try await BrokerSession(kind: .activeMQ, version: version).run { fixture in
            let queue = fixture.queue("nack")
            let mark = String(queue.rawValue.dropFirst("/queue/".count))
            try await fixture.withClient { client in
                try await client.withSubscription(to: queue) { messages in
                    try await client.send("lost", to: queue, receipt: .required)
                    try await messages.take(1)[0].nack(receipt: .required)
                    try await client.send("kept", to: queue, headers: [.persistent: "true", "mark": mark])
                    try await messages.take(1)[0].nack(receipt: .required)
                    try await client.send("next", to: queue)
                    try await messages.expectTexts(["next"])
                }
                try await fixture.expectEmpty(queue, client)
                // All tests share that queue, so each takes out its own.
                let selector: STOMPHeaders = [.selector: "mark = '\(mark)'"]
                try await client.withSubscription(to: "/queue/ActiveMQ.DLQ", headers: selector) { letters in
                    let letter = try await letters.take(1)[0]
                    #expect(try letter.text == "kept")
                    #expect(letter["original-destination"] == queue.rawValue)
                    try await letter.ack(receipt: .required)
                }
            }
        }
    }

    // Each of these would end a RabbitMQ session.
    @Test("An acknowledgement too many is refused here, and the session lives", arguments: BrokerSession.all)
    func tooMany(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("too-many")
            let other = fixture.queue("other")
            try await fixture.withClient { client in
                try await self.send(2, to: queue, client)
                let messages = try await client.subscribe(to: queue, ack: session.oneByOne)
                let first = try await messages.take(1)[0]
                try await first.ack(receipt: .required)
                await expectFailure(.alreadyAcknowledged) { try await first.ack() }
                await expectFailure(.alreadyAcknowledged) { try await first.ack(receipt: .required) }
                await expectFailure(.alreadyAcknowledged) { try await first.detached().ack() }
                if session.version > .v10 {
                    await expectFailure(.alreadyAcknowledged) { try await first.nack() }
                }
                if let id = first.acknowledgementID {
                    await expectFailure(.alreadyAcknowledged) {
                        try await client.ack(id: id, subscription: messages.id)
                    }
                }
                await client.expectAlive(other)

                let second = try await messages.take(1)[0]
                try await messages.unsubscribe()
                await expectFailure(.notAcknowledgeable) { try await second.ack() }
                await expectFailure(.notAcknowledgeable) { try await first.ack(receipt: .required) }
                await client.expectAlive(other)

                try await client.withSubscription(to: other, ack: .auto) { alive in
                    let message = try await alive.take(1)[0]
                    await expectFailure(.notAcknowledgeable) { try await message.ack() }
                    await expectFailure(.notAcknowledgeable) { try await message.ack(receipt: .required) }
                }
                await client.expectAlive(fixture.queue("end"))
            }
        }
    }

    @Test("The message credit bounds what the broker sends ahead", arguments: BrokerSession.givingBack)
    func prefetch(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("prefetch")
            var options = STOMPSubscriptionOptions()
            options.messageCredit = 3
            try await fixture.withClient { holder in
                try await self.send(10, to: queue, holder)
                let held = try await holder.subscribe(to: queue, ack: session.oneByOne, options: options)
                let received = try await held.take(3)
                #expect(try received.map { try $0.text } == ["1", "2", "3"])
                try await fixture.withClient { other in
                    // Exactly the others are free.
                    try await other.withSubscription(to: queue, ack: session.oneByOne) { rest in
                        try await rest.expectTexts((4...10).map { "\($0)" })
                    }
                    try await fixture.expectEmpty(queue, other)
                }
                for message in received { try await message.ack(receipt: .required) }
                withExtendedLifetime(held) {}
            }
        }
    }

    @Test("Leaving the loop after every message of a batch loses none", arguments: BrokerSession.all)
    func leavingTheLoop(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("loop")
            try await fixture.withClient { client in
                for mode in [STOMPAckMode.auto, session.oneByOne] {
                    try await self.send(200, to: queue, client)
                    var options = STOMPSubscriptionOptions()
                    options.messageCredit = 200
                    try await client.withSubscription(to: queue, ack: mode, options: options) { messages in
                        var texts: [String] = []
                        while texts.count < 200 {
                            for try await message in messages {
                                texts.append(try message.text)
                                if mode != .auto { try await message.ack() }
                                break
                            }
                        }
                        #expect(texts == (1...200).map { "\($0)" })
                    }
                }
                try await fixture.expectEmpty(queue, client)
            }
        }
    }
}
