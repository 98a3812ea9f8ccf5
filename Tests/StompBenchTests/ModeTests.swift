// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPTesting
import TestSupport
import Testing

@testable import StompBench

/// Each mode once, with few messages, against a broker of this process.
@Suite("The modes of stomp-bench")
struct ModeTests {
    private static let patient = STOMPConfiguration.patient(\.heartBeat, .none)

    private func run(
        _ mode: BenchMode,
        destination: String? = nil,
        _ change: (inout Arguments) -> Void = { _ in }
    ) async throws -> [Measurement] {
        try await withSTOMPBroker(listening: .loopback()) { broker in
            var arguments = Arguments(mode: mode)
            arguments.url = "stomp://127.0.0.1:\(broker.port ?? 0)"
            arguments.destination = destination
            arguments.givenCount = 300
            arguments.size = 50
            arguments.isJSON = true
            change(&arguments)
            let text = try await Bench(arguments, configuration: Self.patient).run()
            return try Measurement.all(in: text, of: mode.rawValue)
        }
    }

    @Test(
        "Messages come from a queue that is filled first, and from a topic meanwhile",
        arguments: [BenchMode.recv, .ack, .subscriptions],
        ["/queue/bench", "/topic/bench"]
    )
    func receiving(mode: BenchMode, destination: String) async throws {
        let runs = try await self.run(mode, destination: destination) { $0.subscriptions = 4 }
        #expect(runs.map(\.count) == [300] && runs.map(\.byteCount) == [15_000])
        #expect(runs.map(\.mode) == [mode.rawValue] && runs.map(\.wire) == ["tcp"])
        #expect(runs.map(\.subscriptions) == [mode == .subscriptions ? 4 : nil])
    }

    @Test("Messages that an earlier run has left are not counted")
    func strangers() async throws {
        try await withSTOMPBroker(listening: .loopback()) { broker in
            for number in 1...5 { try await broker.publish("old \(number)", to: "/queue/bench") }
            var arguments = Arguments(mode: .ack)
            arguments.url = "stomp://127.0.0.1:\(broker.port ?? 0)"
            arguments.destination = "/queue/bench"
            arguments.givenCount = 50
            let text = try await Bench(arguments, configuration: Self.patient).run()
            #expect(text.contains("0 messages came twice, 5 were not of this run"))
        }
    }

    @Test("Sending, with headers and without", arguments: [BenchMode.send, .rtt, .receipts, .transactions], [nil, 9])
    func sending(mode: BenchMode, headers: Int?) async throws {
        let runs = try await self.run(mode, destination: "/topic/bench") { $0.headers = headers }
        #expect(runs.map(\.count) == [300] && runs.map(\.headers) == [headers])
        #expect(runs.allSatisfy { $0.percentiles != nil || mode == .send })
        #expect(runs.map(\.inFlight) == [mode == .receipts ? 64 : nil])
    }

    @Test("The loops of the driver contract", arguments: [BenchMode.send, .rtt])
    func peer(mode: BenchMode) async throws {
        let runs = try await self.run(mode) { $0.rounds = 3 }
        #expect(runs.map(\.count) == [300] && runs.map(\.size) == [50])
    }

    @Test("A fast consumer beside a slow and a dead one")
    func consumers() async throws {
        let runs = try await self.run(.consumers, destination: "/queue/bench")
        let run = try #require(runs.first)
        #expect(run.count == 300)
        #expect(run.extras.contains(Record.Field(key: "dead_end", value: .text("none"))))
        #expect(run.extras.contains { $0.key == "ratio" })
    }

    @Test("Connections that idle are all there at the end")
    func connections() async throws {
        let runs = try await self.run(.connections) { arguments in
            arguments.connections = 20
            arguments.seconds = 0
        }
        let run = try #require(runs.first)
        #expect(run.connections == 20 && run.count == 20)
        #expect(run.extras.contains(Record.Field(key: "lost", value: .number(0))))
    }

    @Test("Parsing and writing in memory", arguments: [0, 300])
    func codec(size: Int) async throws {
        let runs = try await self.run(.codec) { $0.size = size }
        #expect(runs.map(\.mode) == ["codec-parse", "codec-write"])
        #expect(runs.allSatisfy { $0.count >= 300 && $0.wire == "memory" && $0.byteCount > $0.count * size })
    }

    @Test("The report for people has the figures, and those of an earlier run beside them")
    func report() async throws {
        var measurement = Measurement(mode: "rtt")
        (measurement.count, measurement.seconds, measurement.peakKilobytes) = (4, 2, 2_048)
        (measurement.userSeconds, measurement.byteCount, measurement.size) = (0.000_004, 4_000_000, 1_000_000)
        let round = Round(measurement, latencies: Latencies([.milliseconds(1), .milliseconds(2)]))
        let text = Report(rounds: [round, round, round]).text
        for part in [
            "rtt over tcp", "median of 3", "2 messages/s", "2 MB/s", "1,000 ns/message", "2 MiB", "p99.9 2 ms",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }

    @Test("A limit on connections that cannot be had is told before anything happens")
    func descriptors() {
        let error = #expect(throws: BenchError.self) { try DescriptorLimit.require(Int(Int32.max)) }
        #expect(error?.description.contains("ulimit -Hn") == true)
    }

    @Test("A round that takes too long is given up", .timeLimit(.minutes(10)))
    func limit() async throws {
        let error = await #expect(throws: BenchError.self) {
            try await self.run(.recv) { $0.limit = 0.000_001 }
        }
        #expect(error?.description.contains("--limit") == true)
    }
}
