// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTesting

/// Clients that do not read.
@Suite struct BrokerBackPressureTests {
    private static let body = String(repeating: "x", count: 10_000)

    private func makeConfiguration() -> STOMPBroker.Configuration {
        var configuration = STOMPBroker.Configuration()
        configuration.maximumConnectionBacklog = 100_000
        return configuration
    }

    @Test func `a queue's messages stay for those who read`() async throws {
        try await withSTOMPBroker(self.makeConfiguration()) { broker in
            let slow = try await broker.session()
            try await slow.subscribe("q")
            let sender = try await broker.session()
            for index in 0..<200 { try await sender.request("SEND\ndestination:q\nn:\(index)", body: Self.body) }
            let waitingCount = await broker.messages(in: "q").count
            // The pipe holds 256 KiB, the outbox 100,000 bytes and what was over the mark.
            #expect(waitingCount > 140)
            let quick = try await broker.session()
            try await quick.subscribe("q")
            for index in 0..<waitingCount {
                #expect(try await quick.receive()["n"] == "\(200 - waitingCount + index)")
            }
            for index in 0..<(200 - waitingCount) { #expect(try await slow.receive()["n"] == "\(index)") }
        }
    }

    @Test func `a client that reads again gets everything in order`() async throws {
        try await withSTOMPBroker(self.makeConfiguration()) { broker in
            let client = try await broker.session()
            try await client.subscribe("q")
            for index in 0..<200 { try await broker.publish(Self.body, to: "q", headers: ["n": "\(index)"]) }
            for index in 0..<200 { #expect(try await client.receive()["n"] == "\(index)") }
        }
    }

    @Test func `a topic's slow subscriber loses messages and nobody else does`() async throws {
        var configuration = self.makeConfiguration()
        configuration.maximumQueueByteCount = 200_000
        try await withSTOMPBroker(configuration) { broker in
            let slow = try await broker.session()
            try await slow.subscribe("/topic/t")
            let quick = try await broker.session()
            try await quick.subscribe("/topic/t")
            for index in 0..<100 {
                try await broker.publish(Self.body, to: "/topic/t", headers: ["n": "\(index)"])
                #expect(try await quick.receive()["n"] == "\(index)")
            }
            let discardedCount = await broker.discardedMessageCount
            #expect(discardedCount > 30)
            for index in 0..<(100 - discardedCount) { #expect(try await slow.receive()["n"] == "\(index)") }
        }
    }

    @Test func `a client that does not read its receipts is read no further`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.maximumConnectionBacklog = 1_000
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.session()
            let receipt = String(repeating: "r", count: 1_000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<2_000 { try await client.send("SEND\ndestination:q\nreceipt:\(receipt)\n\n\0") }
                }
                // One that reads is served meanwhile.
                let other = try await broker.session()
                try await other.request("SEND\ndestination:p")
                for _ in 0..<2_000 { try await client.expect("RECEIPT\nreceipt-id:\(receipt)\n\n\0") }
                try await group.waitForAll()
            }
            #expect(await broker.messages(in: "q").count == 2_000)
        }
    }

    @Test func `a connection that is closed must take its last bytes in time`() async throws {
        let clock = ManualClock()
        var configuration = STOMPBroker.Configuration()
        configuration.clock = clock
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.session()
            try await client.subscribe("/topic/t")
            for _ in 0..<100 { try await broker.publish(Self.body, to: "/topic/t") }
            await broker.sendError("enough")
            #expect(await broker.connectionCount == 0)
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(5))
            await #expect(throws: ScriptedPeer.Mismatch.self) { _ = try await client.receiveBytes(count: 1_000_000) }
        }
    }
}
