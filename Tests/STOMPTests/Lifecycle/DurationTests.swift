// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Durations beyond reason", .timeLimit(.minutes(5)))
struct DurationTests {
    private static let extremes: [Duration] = [
        .seconds(Int64.max), .seconds(Int64.max) * 10, Duration(attoseconds: .max), .seconds(3_000_000_001),
    ]
    private static let negatives: [Duration] = [
        .seconds(Int64.min), .seconds(Int64.min) * 10, Duration(attoseconds: .min), .seconds(-1),
    ]

    private func configuration(_ duration: Duration, tolerance: Double = 3) -> STOMPConfiguration {
        var configuration = STOMPConfiguration()
        for path in STOMPConfiguration.durations { configuration[keyPath: path] = duration }
        configuration.heartBeat.legacyKeepAlive = duration
        configuration.heartBeat.tolerance = tolerance
        return configuration
    }

    @Test("A session with endless limits works like any other", arguments: Self.extremes)
    func endless(duration: Duration) async throws {
        for version in STOMPVersion.all {
            var configuration = self.configuration(duration)
            configuration.versions = [version]
            configuration.subscription.softLimit = 1
            let text = try await withSTOMPBroker { broker in
                try await withSTOMPClient(connectedTo: broker, configuration: configuration) { client in
                    try await client.send("a", to: "/queue/q", receipt: .required(within: duration))
                    try await client.withTransaction { try await $0.send("b", to: "/queue/other") }
                    return try await client.withSubscription(to: "/queue/q", ack: .client) { subscription in
                        let message = try await subscription.take(1)[0]
                        try await message.ack(receipt: .required)
                        return try message.text
                    }
                }
            }
            #expect(text == "a")
        }
    }

    @Test("Limits of less than no time are no time: calls end at once, and nothing traps", arguments: Self.negatives)
    func negative(duration: Duration) async throws {
        try await withSTOMPBroker { broker in
            let error = await failure {
                try await withSTOMPClient(connectedTo: broker, configuration: self.configuration(duration)) { _ in }
            }
            #expect(error?.code == .connectTimedOut)
            var configuration = self.configuration(duration)
            configuration.connectTimeout = .seconds(300)
            try await withSTOMPClient(connectedTo: broker, configuration: configuration) { client in
                let late = await failure { try await client.send("a", to: "/queue/q", receipt: .required) }
                #expect(late?.code == .receiptTimedOut)
            }
        }
    }

    @Test(
        "No tolerance makes the watchdog trap",
        arguments: [0, -1, 1e300, .infinity, -.infinity, .nan, .leastNonzeroMagnitude]
    )
    func tolerance(_ tolerance: Double) {
        for interval in [1, 1_000, 999_999_999_999] {
            let header = HeartBeatHeader(outgoing: interval, incoming: interval)
            let schedule = HeartBeatSchedule(own: header, peer: header, version: .v12)
            let lastRead = Duration.longest
            let deadline = schedule.silenceDeadline(lastRead: lastRead, tolerance: tolerance)
            #expect(deadline.map { $0 >= lastRead + .milliseconds(interval) } == true)
        }
    }

    @Test("Nanoseconds for atomics are clamped")
    func nanoseconds() {
        #expect(Duration.seconds(1).nanoseconds == 1_000_000_000)
        #expect(Duration.longest.nanoseconds == 3_000_000_000_000_000_000)
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.seconds(9_223_372_036).nanoseconds == .max)
    }

    @Test("What is bounded stays what it was, if it can be computed with")
    func bounded() {
        for duration in [Duration.zero, .nanoseconds(1), .seconds(30), .longest] {
            #expect(duration.bounded == duration)
        }
        for duration in Self.extremes { #expect(duration.bounded == .longest) }
        for duration in Self.negatives { #expect(duration.bounded == .zero) }
        let configuration = STOMPConfiguration()
        for path in STOMPConfiguration.durations {
            #expect(configuration.bounded[keyPath: path] == configuration[keyPath: path])
        }
        #expect(configuration.bounded.heartBeat == configuration.heartBeat)
    }
}
