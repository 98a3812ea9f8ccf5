// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMPTesting

@Suite struct BrokerTCPTests {
    private func connect(to broker: STOMPBroker) async throws -> RawClient {
        let port = try #require(broker.port)
        return RawClient(try await TCPConnector(host: "127.0.0.1", port: port).connect())
    }

    @Test func `in memory there is no port`() async throws {
        try await withSTOMPBroker { broker in #expect(broker.port == nil) }
    }

    @Test func `a session by TCP and one in memory meet`() async throws {
        try await withSTOMPBroker(listening: .loopback()) { broker in
            let remote = try await self.connect(to: broker)
            try await remote.send("CONNECT\naccept-version:1.2\nhost:h\n\n\0")
            #expect(try await remote.receive().command == "CONNECTED")
            try await remote.subscribe("q", ack: "client")
            let local = try await broker.session()
            try await local.request("SEND\ndestination:q", body: "hello")
            #expect(try await remote.receive().body == "hello")
            try await remote.request("ACK\nid:a-1")
            #expect(await broker.settled(in: "q") == [.acknowledged("hello")])
            try await remote.send("DISCONNECT\nreceipt:1\n\n\0")
            try await remote.expect("RECEIPT\nreceipt-id:1\n\n\0")
            try await remote.expectHangUp()
        }
    }

    @Test func `an ERROR arrives although the client goes on writing`() async throws {
        try await withSTOMPBroker(listening: .loopback()) { broker in
            let client = try await self.connect(to: broker)
            try await client.send(
                "CONNECT\naccept-version:1.2\nhost:h\n\n\0COMMIT\ntransaction:t\n\n\0"
                    + String(repeating: "SEND\ndestination:q\n\n\0", count: 1_000)
            )
            #expect(try await client.receive().command == "CONNECTED")
            #expect(try await client.receive()["message"] == "Unknown transaction")
        }
    }

    @Test func `large bodies pass both ways`() async throws {
        try await withSTOMPBroker(listening: .loopback()) { broker in
            let client = try await self.connect(to: broker)
            try await client.send("CONNECT\naccept-version:1.2\nhost:h\n\n\0")
            _ = try await client.receiveFrame()
            try await client.subscribe("q")
            let body = String(repeating: "0123456789", count: 300_000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.send("SEND\ndestination:q\n\n\(body)\0") }
                #expect(try await client.receiveFrame().hasSuffix("\n\n\(body)\0"))
                try await group.waitForAll()
            }
        }
    }

    @Test func `of two ports one dies: its connections are cut, it refuses, the other serves on`() async throws {
        try await withSTOMPBroker(listening: .loopback(ports: [0, 0])) { broker in
            try #require(broker.ports.count == 2)
            let first = RawClient(try await TCPConnector(host: "127.0.0.1", port: broker.ports[0]).connect())
            let second = RawClient(try await TCPConnector(host: "127.0.0.1", port: broker.ports[1]).connect())
            for client in [first, second] {
                try await client.send("CONNECT\naccept-version:1.2\nhost:h\n\n\0")
                #expect(try await client.receive().command == "CONNECTED")
            }
            try await first.subscribe("q", ack: "client")
            try await broker.publish("hello", to: "q")
            #expect(try await first.receive().body == "hello")
            broker.stopListening(at: broker.ports[0])
            try await first.expectHangUp()
            await #expect(throws: TransportError.self) {
                _ = try await TCPConnector(host: "127.0.0.1", port: broker.ports[0]).connect()
            }
            try await second.subscribe("q")
            #expect(try await second.receive().body == "hello")
        }
    }

    @Test func `a port that is taken is an error`() async throws {
        try await withSTOMPBroker(listening: .loopback()) { broker in
            let port = try #require(broker.port)
            let error = #expect(throws: STOMPError.self) { _ = try STOMPBroker(listening: .loopback(port: port)) }
            #expect(error?.code == .connectFailed)
        }
    }
}
