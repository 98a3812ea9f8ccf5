// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import TestSupport
import Testing

/// `STOMP_SEED=17` runs this seed alone and prints what happened; `STOMP_SEEDS=100000` runs so many.
@Suite("Simulations")
struct SimulationTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let onlySeed = Self.environment["STOMP_SEED"].flatMap(UInt64.init)
    private static let seedCount = Self.environment["STOMP_SEEDS"].flatMap(UInt64.init) ?? 1_000
    /// On a thread of its own, and only one: other tests run beside it, and some look at real time.
    private static let shares: UInt64 = 1

    @Test("Promises are kept whatever the network does", .longRun, arguments: 0..<SimulationTests.shares)
    func promises(share: UInt64) {
        guard Self.onlySeed == nil else { return }
        var confirmedCount = 0
        for seed in stride(from: 1 + share, through: Self.seedCount, by: Int(Self.shares)) {
            let simulation = Simulation(seed: seed)
            confirmedCount += simulation.confirmedCount
            #expect(simulation.violations.isEmpty, "\(simulation.complaint)")
        }
        #expect(confirmedCount > 0)
    }

    @Test("One seed, with its log", .longRun, .enabled(if: SimulationTests.onlySeed != nil))
    func oneSeed() throws {
        let simulation = Simulation(seed: try #require(Self.onlySeed))
        print(simulation.lines.joined(separator: "\n"))
        #expect(simulation.violations.isEmpty, "\(simulation.complaint)")
    }

    @Test("The same seed gives the same run", .longRun, arguments: [1, 2, 3] as [UInt64])
    func repeatable(seed: UInt64) {
        let first = Simulation(seed: seed)
        let second = Simulation(seed: seed)
        #expect(first.lines == second.lines)
        #expect(first.jobCount == second.jobCount)
        #expect(first.lines.count > 100)
        #expect(Simulation(seed: seed + 10).lines != first.lines)
    }
}
