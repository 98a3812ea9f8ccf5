// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// A fast consumer alone, then beside two others that are as fast, then beside a slow and a dead one, on one connection.
///
/// The last part is done twice: what the dead one holds is first new to the process, and the system takes longer to give
/// memory than the reader takes to fill it.
///
/// All subscriptions get as many messages, in turn, so that the second part is what the third is compared with: there
/// the connection carries the same. All are `auto`: in client modes a broker would hold back what is not answered, and
/// nothing would come to the limit.
struct Consumers: Workload {
    /// How much slower the slow one is.
    private static let slowness = 10.0
    let target: Target

    func run() async throws -> [Round] {
        await self.target.progress.title("alone")
        let alone = try await self.rateOfFast(among: 1)
        await self.target.progress.title("beside two fast ones")
        let equal = try await self.rateOfFast(among: 3)
        await self.target.progress.title("beside a slow and a dead one")
        let first = try await self.crowd(slowRate: equal / Self.slowness)
        await self.target.progress.title("beside a slow and a dead one, again")
        let second = try await self.crowd(slowRate: equal / Self.slowness)
        return [self.round(first, second, alone: alone, equal: equal)]
    }

    /// Enough that the dead one comes to its limit, whatever the brokers' headers are.
    private var countEach: Int {
        let arguments = self.target.arguments
        return arguments.givenCount ?? (arguments.hardLimit / (arguments.size + 150) * 5 / 4 + 100)
    }

    private var options: STOMPSubscriptionOptions {
        var options = STOMPSubscriptionOptions()
        options.hardLimit = self.target.arguments.hardLimit
        options.softLimit = options.hardLimit / 8
        return options
    }

    /// Calls `body` with subscriptions that get as many messages each.
    private func withSubscriptions<Value: Sendable>(
        _ count: Int,
        _ body: @escaping @Sendable (STOMPClient, [STOMPSubscription], AsyncStream<STOMPEvent>) async throws -> Value
    ) async throws -> Value {
        @Sendable func subscribed(
            to destinations: [STOMPDestination],
            _ whenSubscribed: @Sendable () -> Void
        ) async throws -> Value {
            try await self.target.withClient { client in
                let events = client.events
                var subscriptions: [STOMPSubscription] = []
                for destination in destinations {
                    subscriptions.append(
                        try await client.subscribe(to: destination, ack: .auto, options: self.options)
                    )
                }
                whenSubscribed()
                return try await body(client, subscriptions, events)
            }
        }
        guard let base = self.target.arguments.destination else {
            let path = "/round/\(count)/\(self.countEach)/\(self.target.arguments.size)"
            return try await subscribed(to: Array(repeating: STOMPDestination(path), count: count)) {}
        }
        let destinations = ["fast", "slow", "dead"].prefix(count).map { STOMPDestination("\(base)-\($0)") }
        return try await Producer(target: self.target).send(self.countEach, to: destinations) { whenSubscribed in
            try await subscribed(to: destinations, whenSubscribed)
        }
    }

    // MARK: - Parts

    private func rateOfFast(among count: Int) async throws -> Double {
        let countEach = self.countEach
        return try await self.withSubscriptions(count) { _, subscriptions, _ in
            try await withThrowingTaskGroup(of: (index: Int, pace: Pace).self) { group in
                for (index, messages) in subscriptions.enumerated() {
                    group.addTask(name: "bench.consumer") { (index, try await Pace.taking(countEach, from: messages)) }
                }
                var rate = 0.0
                for try await (index, pace) in group where index == 0 { rate = pace.part(until: nil).rate }
                return rate
            }
        }
    }

    private func crowd(slowRate: Double) async throws -> Crowd {
        let countEach = self.countEach
        ProcessUsage.resetPeak()
        return try await self.withSubscriptions(3) { client, subscriptions, events in
            let stopwatch = Stopwatch()
            let dead = subscriptions[2]
            return try await withThrowingTaskGroup(of: Crowd.Report.self) { group in
                group.addTask(name: "bench.fast") {
                    .fast(try await Pace.taking(countEach, from: subscriptions[0]))
                }
                group.addTask(name: "bench.slow") {
                    let clock = client.configuration.clock
                    return .slow(await Crowd.slow(subscriptions[1], at: slowRate, count: countEach, clock))
                }
                group.addTask(name: "bench.events") { await Crowd.watch(events, for: dead.id) }
                var crowd = Crowd()
                // Until the dead one ends, which may end what comes to the others: a peer's round is all or nothing.
                while crowd.pace == nil, crowd.deadEnd == nil, let report = try await group.next() {
                    crowd.take(report)
                }
                crowd.measurement = stopwatch.measurement(mode: BenchMode.consumers.rawValue, count: 0, byteCount: 0)
                // Where the memory was at its most: what the slow one holds is still there.
                crowd.memoryGrowth = ProcessUsage.peakKilobytes() - self.target.baselineKilobytes
                group.cancelAll()
                while let report = try await group.next() { crowd.take(report) }
                // It holds what came to it until now.
                withExtendedLifetime(dead) {}
                return crowd
            }
        }
    }

    // MARK: - Figures

    private func round(_ first: Crowd, _ crowd: Crowd, alone: Double, equal: Double) -> Round {
        let fresh = first.pace?.part(until: first.deadEnd?.time) ?? Pace.Part()
        let beside = crowd.pace?.part(until: crowd.deadEnd?.time) ?? Pace.Part()
        let memory = max(first.memoryGrowth, crowd.memoryGrowth)
        var measurement = crowd.measurement
        measurement.count = beside.count
        measurement.byteCount = beside.count * self.target.arguments.size
        measurement.seconds = beside.seconds
        let bound = 3 * self.target.arguments.hardLimit / 1_024
        var round = self.target.round(measurement)
        let (ratio, freshRatio) = equal > 0 ? (beside.rate / equal, fresh.rate / equal) : (0, 0)
        let numbers = [
            ("alone_per_second", alone), ("equal_per_second", equal), ("beside_per_second", beside.rate),
            ("ratio", ratio), ("fresh_ratio", freshRatio), ("pauses", Double(crowd.pauses)),
            ("memory_kb", Double(memory)),
            ("bound_kb", Double(bound)), ("slow_count", Double(crowd.slowCount)),
        ]
        round.measurement.extras = numbers.map { Record.Field(key: $0.0, value: .number($0.1)) }
        round.measurement.extras.append(Record.Field(key: "slow_end", value: .text(crowd.slowEnd)))
        round.measurement.extras.append(Record.Field(key: "dead_end", value: .text(crowd.deadEnd?.code ?? "none")))
        let perSecond = { (rate: Double) in "\(Figure.grouped(Int(rate))) messages/s" }
        let percent = { (ratio: Double) in "\(Figure.fixed(ratio * 100, 0)) % of beside two fast ones" }
        let end = crowd.deadEnd.map { end in
            "the dead one: \(end.code) after \(Figure.time(microseconds: crowd.seconds(until: end.time) * 1e6))"
        }
        round.notes = [
            "fast, alone: \(perSecond(alone))",
            "fast, beside two fast ones: \(perSecond(equal))",
            "fast, beside a slow and a dead one: \(perSecond(beside.rate)), \(percent(ratio))",
            "the same for the first time, in memory that is new: \(perSecond(fresh.rate)), \(percent(freshRatio))",
            "memory grew by \(Figure.bytes(memory << 10)) at most; three hard limits are "
                + Figure.bytes(bound << 10),
            "the slow one, at a tenth of that speed: \(crowd.slowEnd) after \(Figure.grouped(crowd.slowCount)) messages",
            end ?? "the dead one did not come to its limit: give more messages (--count) or a lower --hard-limit",
            "reading was paused \(Figure.grouped(crowd.pauses)) times",
        ]
        return round
    }
}
