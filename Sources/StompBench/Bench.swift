// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Runs what the arguments ask for, and says what came out.
struct Bench: Sendable {
    private let arguments: Arguments
    private let target: Target
    /// Read before anything is measured, so that a bad file costs no time.
    private let comparison: Comparison?

    // The configuration is that of all clients: tests on a busy machine wait longer.
    init(_ arguments: Arguments, configuration: STOMPConfiguration = STOMPConfiguration()) throws {
        self.arguments = arguments
        self.comparison = try arguments.compare.map { try Comparison(file: $0) }
        self.target = try Target(
            arguments,
            configuration: configuration,
            progress: Progress(mode: arguments.mode.rawValue, isShown: StandardError.isTerminal)
        )
    }

    private func workload() throws(BenchError) -> any Workload {
        let target = self.target
        let usesLoops = self.arguments.destination == nil
        let destination = self.arguments.destination.map { STOMPDestination($0) }
        switch self.arguments.mode {
        case .recv:
            guard let destination else { return PeerTransfer(target: target, mode: .recv) }
            return BrokerReceiving(target: target, destination: destination, mode: .auto)
        case .ack:
            guard let destination else { return PeerTransfer(target: target, mode: .ack) }
            return BrokerReceiving(target: target, destination: destination, mode: .clientIndividual)
        case .send:
            return usesLoops && self.arguments.headers == nil
                ? PeerTransfer(target: target, mode: .send) : Sending(target: target)
        case .rtt:
            return usesLoops && self.arguments.headers == nil
                ? PeerTransfer(target: target, mode: .rtt) : Receipts(target: target, inFlight: 1)
        case .receipts: return Receipts(target: target, inFlight: self.arguments.inFlight)
        case .subscriptions: return Subscriptions(target: target)
        case .transactions: return Transactions(target: target)
        case .consumers: return Consumers(target: target)
        case .connections: return IdleConnections(target: target)
        case .codec: return Codec(target: target)
        case .chart: throw BenchError("a chart measures nothing")
        }
    }

    /// - Returns: the report, or lines of JSON.
    func run() async throws -> String {
        do {
            let parts = try await self.measure()
            await self.target.progress.clear()
            return self.text(of: parts)
        } catch {
            // What is told about it is to have a line of its own.
            await self.target.progress.clear()
            throw error
        }
    }

    /// - Returns: the rounds of each part of the workload.
    private func measure() async throws -> [[Round]] {
        let workload = try self.workload()
        var parts: [[Round]] = []
        for number in 1...self.arguments.rounds {
            await self.target.progress.begin(round: number, of: self.arguments.rounds)
            for (index, round) in try await self.limited(workload).enumerated() {
                if index == parts.count { parts.append([]) }
                parts[index].append(round)
            }
        }
        return parts
    }

    private func text(of parts: [[Round]]) -> String {
        let reports = parts.map { rounds in
            let report = Report(rounds: rounds)
            if self.arguments.isJSON { return report.round.measurement.record.line }
            let comparison = self.comparison.map { "\n\n" + $0.text(for: report.round.measurement) }
            return report.text + (comparison ?? "")
        }
        return reports.joined(separator: self.arguments.isJSON ? "\n" : "\n\n")
    }

    /// One round, given up when it takes too long: a peer that does not know a destination says nothing at all.
    private func limited(_ workload: any Workload) async throws -> [Round] {
        let clock = self.target.configuration.clock
        let limit = self.arguments.limit
        let progress = self.target.progress
        return try await withThrowingTaskGroup(of: [Round]?.self) { group in
            group.addTask(name: "bench.workload") { try await workload.run() }
            group.addTask(name: "bench.limit") {
                var passed = 0.0
                let step = progress.isShown ? 0.25 : limit
                while passed < limit {
                    try await clock.sleep(for: .seconds(step))
                    passed += step
                    await progress.tick()
                }
                return nil
            }
            defer { group.cancelAll() }
            guard let rounds = try await group.next() ?? nil else {
                throw BenchError(
                    "\(self.arguments.mode.rawValue) was not done within \(Figure.short(limit)) s (--limit); does the "
                        + "server know the destination?"
                )
            }
            return rounds
        }
    }
}
