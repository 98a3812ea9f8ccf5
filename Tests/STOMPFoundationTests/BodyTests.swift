// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMP
import STOMPFoundation
import STOMPTesting
import Testing

@Suite("Data and JSON bodies", .timeLimit(.minutes(5)))
struct BodyTests {
    struct Order: Codable, Equatable {
        var id: Int
        var name: String
    }

    @Test("Data goes out and comes back, NULs included")
    func data() async throws {
        let sent = Data([0, 1, 2, 0, 255])
        let message = try await self.roundTrip { try await $0.send(sent, to: "/queue/bodies") }
        #expect(message.data == sent)
        #expect(message.contentType == .octetStream)
    }

    @Test("A value goes out as JSON and comes back")
    func json() async throws {
        let order = Order(id: 7, name: "tea")
        let message = try await self.roundTrip { try await $0.sendJSON(order, to: "/queue/bodies") }
        #expect(try message.decodeJSON(as: Order.self) == order)
        #expect(message.contentType == .json)
    }

    @Test("What is no JSON is the decoder's error")
    func noJSON() async throws {
        let message = try await self.roundTrip { try await $0.send("{", to: "/queue/bodies") }
        #expect(throws: DecodingError.self) { try message.decodeJSON(as: Order.self) }
    }

    private func roundTrip(_ send: (STOMPClient) async throws -> Void) async throws -> STOMPMessage {
        try await withSTOMPBroker { broker in
            try await withSTOMPClient(connectedTo: broker) { client in
                let messages = try await client.subscribe(to: "/queue/bodies", ack: .auto)
                try await send(client)
                var iterator = messages.makeAsyncIterator()
                return try #require(await iterator.next())
            }
        }
    }
}
