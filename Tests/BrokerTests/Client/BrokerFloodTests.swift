// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMP
import TestSupport
import Testing

@Suite("A flood from a real broker", .realBrokers)
struct BrokerFloodTests {
    // A broker of its own, since the flood may raise its alarms; a process of its own, since its memory is looked at.
    @Test(
        "A minute of flood on auto ends as documented",
        arguments: BrokerKind.available.filter { $0 != .stompserver }
    )
    func flood(kind: BrokerKind) async throws {
        let broker = try await BrokerProcess.start(kind)
        let log: @Sendable () -> String = { broker.log() }
        await withLimit(.seconds(300), log: log) {
            let port = broker.ports["stomp"] ?? 0
            let result = await withTaskExecutorPreference(OwnThreadExecutor()) {
                await #expect(
                    processExitsWith: .success,
                    observing: [\.standardOutputContent]
                ) { [port = port as Int] in
                    try await Flood(port: port).run()
                }
            }
            let output = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
            for line in output.split(separator: "\n") where line.hasPrefix("flood:") {
                print("\(kind.name): \(line)")
            }
        }
        _ = try await onOwnThread { broker.stop() }
    }
}

/// For a minute one client floods a topic.
///
/// Another has two subscriptions: one on `auto` to that topic, whose handler
/// sends each message on with a receipt, which is far too slow; and one whose consumer waits all the while.
///
/// The reader may not pause, since a consumer waits and a receipt is awaited. So the flooded subscription ends with
/// `subscriptionOverflow` at its hard limit, having handed out what it held, and nothing else suffers.
struct Flood: Sendable {
    let port: Int

    private static let duration: Duration = .seconds(60)
    /// The hard limit of 32 MiB, twice for what the allocator does not give back, and the rest of a client.
    private static let memoryBound = 96 * 1024 * 1024
    private static let topic: STOMPDestination = "/topic/flood"
    private static let idle: STOMPDestination = "/queue/idle"

    private struct Counts: Sendable {
        var sent = 0
        var received = 0
        var forwarded = 0
        var overflows = 0
        var slowestReceipt: Duration = .zero
        var memoryGrowth = 0
        var hasConsumed = false
    }

    private let counts = Shared(Counts())

    init(port: Int) {
        self.port = port
    }

    func run() async throws {
        endProcess(after: .seconds(250))
        let server = STOMPServer(.tcp("127.0.0.1", port: self.port), login: STOMPLogin("guest", passcode: "guest"))
        try await withSTOMPClient(server, configuration: .patient) { consumer in
            try await withSTOMPClient(server, configuration: .patient) { producer in
                let end = ContinuousClock.now + Self.duration
                try await consumer.withSubscription(to: Self.idle) { idle in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await idle.expectTexts(["still here"]) }
                        group.addTask { try await self.produce(producer) }
                        group.addTask { try await self.consume(consumer, until: end) }
                        group.addTask { try await self.watchMemory(until: end) }
                        for _ in 1...3 { try await group.next() }
                        try await producer.send("still here", to: Self.idle, receipt: .required)
                        try await group.waitForAll()
                    }
                }
                await consumer.expectAlive("/topic/nobody")
            }
        }
        let counts = self.counts.value
        print(
            "flood: \(counts.sent) sent, \(counts.received) received, \(counts.forwarded) sent on with a receipt,",
            "\(counts.overflows) overflows, slowest receipt \(counts.slowestReceipt),",
            "memory grew by \(counts.memoryGrowth / 1024) KiB"
        )
        #expect(counts.received > 0 && counts.forwarded == counts.received)
        #expect(counts.slowestReceipt < .seconds(10))
        #expect(counts.memoryGrowth < Self.memoryBound)
    }

    // As long as the consumer may wait for a message.
    private func produce(_ client: STOMPClient) async throws {
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: 1_024)
        while !self.counts.value.hasConsumed {
            for _ in 1...99 { try await client.send(body, to: Self.topic) }
            // More than the consumer can take, several times, but not all that the machine has: other tests run too.
            try await client.send(body, to: Self.topic, receipt: .required)
            try await RealTime.pass(.milliseconds(10))
            self.counts.update { $0.sent += 100 }
        }
    }

    private func consume(_ client: STOMPClient, until end: ContinuousClock.Instant) async throws {
        while ContinuousClock.now < end {
            do {
                try await client.withSubscription(to: Self.topic, ack: .auto) { messages in
                    for try await message in messages {
                        try await self.handle(message, client)
                        if ContinuousClock.now >= end { break }
                    }
                }
            } catch let error as STOMPError where error.code == .subscriptionOverflow {
                self.counts.update { $0.overflows += 1 }
            }
        }
        self.counts.update { $0.hasConsumed = true }
    }

    private func handle(_ message: STOMPMessage, _ client: STOMPClient) async throws {
        let start = ContinuousClock.now
        self.counts.update { $0.received += 1 }
        try await client.send(message.body, to: "/topic/nobody", receipt: .required)
        let time = ContinuousClock.now - start
        self.counts.update { counts in
            counts.forwarded += 1
            counts.slowestReceipt = max(counts.slowestReceipt, time)
        }
    }

    private func watchMemory(until end: ContinuousClock.Instant) async throws {
        let start = try residentMemory()
        while ContinuousClock.now < end {
            try await RealTime.pass(.milliseconds(200))
            let growth = try residentMemory() - start
            self.counts.update { $0.memoryGrowth = max($0.memoryGrowth, growth) }
        }
    }
}

/// The memory of this process that is in use, in bytes.
func residentMemory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(line.split(separator: " ").compactMap { Int($0) }.first) * 1024
}
