// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting

/// One run of a world, from a seed.
struct Simulation: Sendable {
    let seed: UInt64
    let lines: [String]
    /// Promises that were broken; empty if all is well.
    let violations: [String]
    let confirmedCount: Int
    let jobCount: Int

    /// Runs it on the calling thread, in no time.
    init(seed: UInt64, options: SimulationOptions = SimulationOptions()) {
        let executor = SimulationExecutor()
        let world = World(seed: seed, options: options, executor: executor)
        let outcome = executor.run(world.clock, until: options.limit) { await world.play() }
        let journal = world.journal
        if outcome != .finished {
            journal.violate("the simulation is \(outcome); calls that have not returned: \(journal.outstanding)")
        } else {
            if world.clientCount > 0 { journal.violate("\(world.clientCount) clients have leaked") }
            if world.clock.sleeperCount > 0 { journal.violate("\(world.clock.sleeperCount) tasks still sleep") }
            if !executor.isIdle { journal.violate("something still runs") }
        }
        if executor.strangerCount > 0 { journal.violate("\(executor.strangerCount) jobs came from elsewhere") }
        self.seed = seed
        self.lines = journal.lines
        self.violations = journal.violations
        self.confirmedCount = journal.count(.confirmed)
        self.jobCount = executor.jobCount.withLock { $0 }
    }

    /// What went wrong and how to see it again.
    var complaint: String {
        """
        Seed \(self.seed): \(self.violations.joined(separator: "; "))
        STOMP_SEED=\(self.seed) swift test --filter SimulationTests
        """
    }
}
