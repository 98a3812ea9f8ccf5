// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

@Suite("Messages through real brokers", .realBrokers)
struct BrokerMessageTests {
    /// Sends one message with a receipt, and returns it as it comes back.
    private func echo(
        _ fixture: BrokerFixture,
        _ body: [UInt8],
        headers: STOMPHeaders = [:],
        label: String = #function
    ) async throws -> STOMPMessage {
        let queue = fixture.queue(label)
        return try await fixture.withClient { client in
            try await client.withSubscription(to: queue, ack: .auto) { messages in
                try await client.send(body, to: queue, headers: headers, receipt: .required)
                return try await messages.take(1)[0]
            }
        }
    }

    @Test("A message is sent with a receipt, and received", arguments: BrokerSession.all)
    func sendAndReceive(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("send")
            try await fixture.withClient { client in
                try await client.withSubscription(to: queue, ack: .auto) { messages in
                    try await client.send("hello", to: queue, headers: ["colour": "blue"], receipt: .required)
                    let message = try await messages.take(1)[0]
                    #expect(try message.text == "hello")
                    #expect(message["colour"] == "blue")
                    #expect(message.destination == queue)
                    #expect(message.contentType == .plainText)
                    #expect(message.subscriptionID == messages.id)
                    #expect(!message.isRedelivered)
                }
            }
        }
    }

    @Test("A body of 10 MiB comes back whole", arguments: BrokerSession.all)
    func largeBody(session: BrokerSession) async throws {
        try await session.run { fixture in
            // No period divides the sizes in which it is read and written.
            let body = [UInt8](unsafeUninitializedCapacity: 10 * 1024 * 1024) { buffer, count in
                for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index % 251) }
                count = buffer.count
            }
            let message = try await self.echo(fixture, body)
            #expect(message.bodyByteCount == body.count)
            let isSame = message.withBody { $0.elementsEqual(body) }
            #expect(isSame)
        }
    }

    @Test("NULs and line ends in a body stay", arguments: BrokerSession.all)
    func binaryBody(session: BrokerSession) async throws {
        try await session.run { fixture in
            let body: [UInt8] = [0, 1, 0, 0, 10, 13, 10, 0, 255, 0]
            let message = try await self.echo(fixture, body)
            #expect(message.body == body)
        }
    }

    @Test("An empty body is one", arguments: BrokerSession.all)
    func emptyBody(session: BrokerSession) async throws {
        try await session.run { fixture in
            let message = try await self.echo(fixture, [])
            #expect(message.body.isEmpty)
        }
    }

    @Test("UTF-8 in bodies and headers stays", arguments: BrokerSession.all)
    func text(session: BrokerSession) async throws {
        try await session.run { fixture in
            let text = "Grüße, 世界, 🐈‍⬛; e\u{301} is not é"
            // Headers of 1.0 are ASCII.
            let headers: STOMPHeaders = session.version == .v10 ? [:] : ["greeting": text]
            let message = try await self.echo(fixture, Array(text.utf8), headers: headers)
            #expect(Array(try message.text.utf8) == Array(text.utf8))
            if session.version > .v10 { #expect(message["greeting"].map { Array($0.utf8) } == Array(text.utf8)) }
        }
    }

    @Test(
        "Header values with a colon, a backslash and a line feed stay",
        arguments: BrokerSession.all.filter { $0.version > .v10 }
    )
    func escaping(session: BrokerSession) async throws {
        try await session.run { fixture in
            let value = "a:b\\c\nd\\n\\c::"
            let message = try await self.echo(fixture, [1], headers: ["value": value, "na:me": "x"])
            #expect(message["value"] == value)
            #expect(message["na:me"] == "x")
        }
    }

    @Test("A carriage return stays too in 1.2", .realBroker(.rabbitMQ))
    func carriageReturn() async throws {
        // ActiveMQ does not know its escape.
        try await BrokerSession(kind: .rabbitMQ, version: .v12).run { fixture in
            let message = try await self.echo(fixture, [1], headers: ["value": "a\r\nb\r"])
            #expect(message["value"] == "a\r\nb\r")
        }
    }

    @Test(
        "1.0 has no escaping: what it cannot say is refused here, and the session lives",
        arguments: BrokerSession.all.filter { $0.version == .v10 }
    )
    func unsayable(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("unsayable")
            try await fixture.withClient { client in
                let error = await failure {
                    try await client.send("x", to: queue, headers: ["value": "a\nb"])
                }
                #expect(error?.code == .invalidArgument)
                await client.expectAlive(queue)
            }
        }
    }

    // RabbitMQ repeats the headers after its own; ActiveMQ passes a sender's `ack` on where it sets none itself.
    @Test(
        "Headers that a sender has planted are neither believed nor in the way",
        arguments: BrokerSession.all.filter { $0.kind != .stompserver }
    )
    func plantedHeaders(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("planted")
            let planted: STOMPHeaders = [
                .subscription: "another", .redelivered: "true", .ack: "nothing", .receiptID: "1",
            ]
            try await fixture.withClient { client in
                for mode in [STOMPAckMode.auto, session.oneByOne] {
                    try await client.withSubscription(to: queue, ack: mode) { messages in
                        try await client.send("planted", to: queue, headers: planted, receipt: .required)
                        try await client.send("plain", to: queue, receipt: .required)
                        for text in ["planted", "plain"] {
                            let message = try await messages.take(1)[0]
                            #expect(try message.text == text)
                            #expect(message.subscriptionID == messages.id)
                            if session.kind == .rabbitMQ { #expect(!message.isRedelivered) }
                            if mode != .auto { try await message.ack(receipt: .required) }
                        }
                    }
                }
                try await fixture.expectEmpty(queue, client)
            }
        }
    }
}
