// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTesting

/// A clock that is moved by hand: two sleepers are the beat and the watchdog.
@Suite struct BrokerHeartBeatTests {
    @Test(arguments: [
        ("0,0", 10, 10, "0,0"), ("10000,10000", 10, 10, "10000,10000"), ("1000,2000", 10, 10, "10000,10000"),
        ("30000,40000", 10, 10, "40000,30000"), ("5000,0", 10, 10, "0,10000"), ("0,5000", 10, 10, "10000,0"),
        ("5000,5000", 0, 10, "0,10000"), ("5000,5000", 10, 0, "10000,0"), ("1,1", 0, 0, "0,0"),
    ])
    func `negotiation`(asked: String, outgoing: Int, incoming: Int, answer: String) async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.outgoingHeartBeat = .seconds(outgoing)
        configuration.incomingHeartBeat = .seconds(incoming)
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.connect()
            try await client.send("CONNECT\naccept-version:1.2\nhost:h\nheart-beat:\(asked)\n\n\0")
            #expect(try await client.receive()["heart-beat"] == answer)
        }
    }

    @Test(arguments: ["abc", "1", "1,", "-1,0", "1, 2"])
    func `a malformed header is refused`(text: String) async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.connect()
            try await client.send("CONNECT\naccept-version:1.2\nhost:h\nheart-beat:\(text)\n\n\0")
            #expect(try await client.receive().command == "ERROR")
            try await client.expectHangUp()
        }
    }

    private func withBroker(_ body: (STOMPBroker, ManualClock) async throws -> Void) async throws {
        let clock = ManualClock()
        var configuration = STOMPBroker.Configuration()
        configuration.clock = clock
        try await withSTOMPBroker(configuration) { try await body($0, clock) }
    }

    @Test func `the broker beats after half of the interval`() async throws {
        try await self.withBroker { broker, clock in
            let client = try await broker.session(headers: "heart-beat:0,10000\n")
            for _ in 0..<3 {
                try await clock.waitForSleepers(1)
                #expect(client.hasReceivedNothing)
                clock.advance(by: .seconds(5))
                try await client.expect("\n")
            }
        }
    }

    @Test func `a frame is a beat as well`() async throws {
        try await self.withBroker { broker, clock in
            let client = try await broker.session(headers: "heart-beat:0,10000\n")
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(4))
            try await client.request("SEND\ndestination:q")
            clock.advance(by: .seconds(1))
            try await clock.waitForSleepers(1)
            #expect(client.hasReceivedNothing)
            clock.advance(by: .seconds(4))
            try await client.expect("\n")
        }
    }

    @Test func `twice the interval in silence is the end`() async throws {
        try await self.withBroker { broker, clock in
            let client = try await broker.session(headers: "heart-beat:10000,0\n")
            try await client.subscribe("q", ack: "client")
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(15))
            try await client.request("SEND\ndestination:q")
            clock.advance(by: .seconds(5))
            try await clock.waitForSleepers(1)
            #expect(clock.nextDeadline?.offset == .seconds(35))
            #expect(await broker.connectionCount == 1)
            _ = try await client.receiveFrame()
            clock.advance(by: .seconds(15))
            try await client.expectHangUp()
            try await broker.waitForDisconnection()
            #expect(await broker.messages(in: "q").count == 1)
        }
    }

    @Test func `STOMP 1_0 has no heart-beats`() async throws {
        try await self.withBroker { broker, clock in
            let client = try await broker.connect()
            try await client.send("CONNECT\nheart-beat:10000,10000\n\n\0")
            try await client.expect("CONNECTED\nsession:session-1\n\n\0")
            try await client.request("SEND\ndestination:q")
            clock.advance(by: .seconds(1_000))
            try await client.request("SEND\ndestination:q")
            #expect(clock.sleeperCount == 0)
        }
    }
}
