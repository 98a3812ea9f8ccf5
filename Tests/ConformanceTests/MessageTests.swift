// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPTesting
import TestSupport
import Testing

@Suite("Messages over every wire", .timeLimit(.minutes(3)))
struct MessageTests {
    /// Sends a body with a receipt, and returns it as it comes back.
    private func echo(
        _ wire: Wire,
        _ body: [UInt8],
        headers: STOMPHeaders = [:],
        version: STOMPVersion = .v12
    ) async throws -> STOMPMessage {
        var echoed: STOMPMessage?
        try await wire.withBroker { _, server in
            try await withSTOMPClient(server, configuration: .patient([version])) { client in
                try await client.withSubscription(to: "/queue/a", ack: .auto) { messages in
                    try await client.send(body, to: "/queue/a", headers: headers, receipt: .required)
                    echoed = try await messages.next()
                }
            }
        }
        return try #require(echoed)
    }

    @Test("A message is sent with a receipt, received, and acknowledged in each mode", arguments: Wire.versions)
    func modes(wire: Wire, version: STOMPVersion) async throws {
        let modes: [STOMPAckMode] = version == .v10 ? [.auto, .client] : [.auto, .client, .clientIndividual]
        try await wire.withBroker { broker, server in
            try await withSTOMPClient(server, configuration: .patient([version])) { client in
                for mode in modes {
                    try await client.withSubscription(to: "/queue/\(mode.rawValue)", ack: mode) { messages in
                        try await client.send("hello", to: messages.destination, receipt: .required)
                        let message = try await messages.next()
                        #expect(try message.text == "hello")
                        #expect(message.contentType == .plainText)
                        if mode != .auto { try await message.ack(receipt: .required) }
                    }
                    let settled = await broker.settled(in: "/queue/\(mode.rawValue)")
                    #expect(settled == (mode == .auto ? [] : [.acknowledged("hello")]))
                }
            }
        }
    }

    @Test("A cumulative ack covers what came before", arguments: Wire.allCases)
    func cumulative(wire: Wire) async throws {
        try await wire.withBroker { broker, server in
            try await withSTOMPClient(server, configuration: .patient()) { client in
                try await client.withSubscription(to: "/queue/a", ack: .client) { messages in
                    for number in 0..<3 { try await client.send("\(number)", to: "/queue/a") }
                    _ = try await messages.next()
                    _ = try await messages.next()
                    try await messages.next().ack(receipt: .required)
                }
            }
            #expect(await broker.settled(in: "/queue/a") == ["0", "1", "2"].map { .acknowledged($0) })
        }
    }

    @Test("A refused message comes again", arguments: Wire.allCases)
    func nack(wire: Wire) async throws {
        try await wire.withBroker { broker, server in
            try await withSTOMPClient(server, configuration: .patient()) { client in
                try await client.withSubscription(to: "/queue/a") { messages in
                    try await client.send("again", to: "/queue/a")
                    try await messages.next().nack(receipt: .required)
                    let message = try await messages.next()
                    #expect(message.isRedelivered)
                    try await message.ack(receipt: .required)
                }
            }
            #expect(
                await broker.settled(in: "/queue/a") == [.negativelyAcknowledged("again"), .acknowledged("again")]
            )
        }
    }

    @Test("Transactions are committed and aborted whole", arguments: Wire.allCases)
    func transactions(wire: Wire) async throws {
        struct ChangeOfMind: Error {}
        try await wire.withBroker { broker, server in
            try await withSTOMPClient(server, configuration: .patient()) { client in
                await #expect(throws: ChangeOfMind.self) {
                    try await client.withTransaction { transaction in
                        try await transaction.send("never", to: "/queue/a")
                        throw ChangeOfMind()
                    }
                }
                try await client.withTransaction { transaction in
                    try await transaction.send("one", to: "/queue/a")
                    try await transaction.send("two", to: "/queue/a")
                }
            }
            #expect(await broker.messages(in: "/queue/a").map(\.text) == ["one", "two"])
        }
    }

    @Test("Bodies of no bytes, with NULs, and of 1 MiB come back whole", arguments: Wire.allCases)
    func bodies(wire: Wire) async throws {
        #expect(try await self.echo(wire, []).body.isEmpty)
        let nuls: [UInt8] = [0, 1, 0, 0, 10, 13, 10, 0]
        #expect(try await self.echo(wire, nuls).body == nuls)
        // No period divides the sizes in which it is read and written.
        let large = [UInt8](unsafeUninitializedCapacity: 1024 * 1024) { buffer, count in
            for index in buffer.indices { buffer[index] = UInt8(index % (wire.carriesBinary ? 251 : 127)) }
            count = buffer.count
        }
        #expect(try await self.echo(wire, large).body == large)
    }

    @Test("What is not UTF-8 is carried, or refused where only text is", arguments: Wire.allCases)
    func binary(wire: Wire) async throws {
        let body: [UInt8] = [0xFF, 0, 0xC3]
        guard wire.carriesBinary else {
            try await wire.withBroker { broker, server in
                try await withSTOMPClient(server, configuration: .patient()) { client in
                    for receipt in [STOMPReceipt.none, .required] {
                        let refusal = await code { try await client.send(body, to: "/queue/a", receipt: receipt) }
                        #expect(refusal == .invalidArgument)
                    }
                    let inTransaction = await code {
                        try await client.withTransaction { try await $0.send(body, to: "/queue/a") }
                    }
                    #expect(inTransaction == .invalidArgument)
                    // The connection has come to no harm; and what others send comes in binary frames.
                    try await client.withSubscription(to: "/queue/b", ack: .auto) { messages in
                        try await broker.publish(body, to: "/queue/b")
                        #expect(try await messages.next().body == body)
                    }
                }
                #expect(await broker.messages(in: "/queue/a").isEmpty)
            }
            return
        }
        #expect(try await self.echo(wire, body).body == body)
    }

    @Test("Headers keep what needs escaping, and UTF-8", arguments: Wire.allCases)
    func headers(wire: Wire) async throws {
        let value = "a:b\\c\nd\r\\n Grüße, 世界, 🐈‍⬛; e\u{301}"
        let message = try await self.echo(wire, Array(value.utf8), headers: ["na:me": value])
        #expect(message["na:me"].map { Array($0.utf8) } == Array(value.utf8))
        #expect(Array(try message.text.utf8) == Array(value.utf8))
    }

    @Test("Many messages keep their order", arguments: Wire.allCases)
    func order(wire: Wire) async throws {
        try await wire.withBroker { _, server in
            try await withSTOMPClient(server, configuration: .patient()) { client in
                try await client.withSubscription(to: "/queue/a", ack: .client) { messages in
                    let count = 2_000
                    async let sending: Void = {
                        for number in 0..<count { try await client.send("\(number)", to: "/queue/a") }
                    }()
                    var number = 0
                    for try await message in messages {
                        #expect(try message.text == "\(number)")
                        number += 1
                        if number % 50 == 0 { try await message.ack() }
                        if number == count { break }
                    }
                    try await sending
                }
            }
        }
    }
}
