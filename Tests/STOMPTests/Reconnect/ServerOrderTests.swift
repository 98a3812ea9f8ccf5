// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMP

@Suite("The order of servers", .timeLimit(.minutes(5)))
struct ServerOrderTests {
    private let policy = STOMPReconnectPolicy(.exponential(jitter: 0))

    private func list(_ count: Int, priority: [Int] = [], isRandomized: Bool = false) -> STOMPServerList {
        var list = ScheduleRun.servers(count)
        list.priorityEndpoints = priority.map { list.servers[$0].endpoint }
        list.isRandomized = isRandomized
        return list
    }

    private func firsts(_ seeds: Range<UInt64>, _ script: String, _ list: STOMPServerList) -> [String: Int] {
        var counts: [String: Int] = [:]
        for seed in seeds {
            let answers = ScheduleRun.answers(script, list, self.policy, chance: SeededChance(seed: seed))
            counts[answers.split(separator: " ").last.map(String.init) ?? "", default: 0] += 1
        }
        return counts
    }

    @Test("drawn by lot, each server comes first equally often, and the same seed gives the same order")
    func randomized() {
        let list = self.list(4, isRandomized: true)
        let counts = self.firsts(0..<1_000, "", list)
        #expect(counts.count == 4)
        #expect(counts.values.allSatisfy { (200...300).contains($0) }, "\(counts)")
        let script = "f f f c60 f f c60 f f f"
        let first = ScheduleRun.answers(script, list, self.policy, chance: SeededChance(seed: 3))
        #expect(first == ScheduleRun.answers(script, list, self.policy, chance: SeededChance(seed: 3)))
        // A round is a round: each once.
        let round = ScheduleRun.answers("f f f", list, self.policy, chance: SeededChance(seed: 3))
        #expect(Set(round.split(separator: " ")).count == 4)
    }

    @Test("B-10 after a loss the order is drawn again, with the lost server at the end")
    func randomizedAfterLoss() {
        let list = self.list(3, isRandomized: true)
        for seed in 0..<200 as Range<UInt64> {
            let answers = ScheduleRun.answers("c60 f f", list, self.policy, chance: SeededChance(seed: seed))
            let names = answers.split(separator: " ").map { $0.prefix(1) }
            #expect(names[0] == names[3])
            #expect(Set(names).count == 3)
        }
    }

    @Test(
        "priority servers are tried first in each round",
        arguments: [
            ([2], "f f f", "c a b end connectFailed"), ([1, 2], "f f f", "b c a end connectFailed"),
            ([1], "f c60 f f f", "b a b+10 c a b+20"), ([1], "c60 f f f", "b b+10 a c b+20"),
            ([0, 2], "c60 f f f", "a c+10 a b c+20"),
        ]
    )
    func priorityFirst(priority: [Int], script: String, answers: String) {
        #expect(ScheduleRun.answers(script, self.list(3, priority: priority), self.policy) == answers)
    }

    @Test("one server at a time, a dead priority server does not keep the others from their turn")
    func priorityOneAtATime() {
        let answers = ScheduleRun.answers("f f f f", self.list(3, priority: [1]), .rubyStomp)
        #expect(answers == "b a+10 c+20 b+40 a+80")
    }

    @Test("drawn by lot, priority servers still come first")
    func priorityRandomized() {
        let counts = self.firsts(0..<200, "", self.list(4, priority: [1, 3], isRandomized: true))
        #expect(Set(counts.keys) == ["b", "d"])
    }

    @Test(
        "away from a priority server it is looked for, at most each second; connected to one, it is not",
        arguments: [
            ([0], "f p60", "a b ?a+1000 a+10"), ([0], "p60", "a - a+10"), ([], "f p60", "a b - a+10"),
            ([0, 1], "f p60", "a b - a+10"),
        ]
    )
    func probes(priority: [Int], script: String, answers: String) {
        #expect(ScheduleRun.answers(script, self.list(2, priority: priority), self.policy) == answers)
    }

    @Test("probes take turns and become rarer, up to the longest delay")
    func rarerProbes() {
        var schedule = ReconnectSchedule(
            self.list(3, priority: [0, 1]),
            policy: self.policy,
            random: SameShare(share: 0)
        )
        _ = schedule.start(at: .zero)
        _ = schedule.attemptFailed(.cancelled, at: .zero)
        _ = schedule.attemptFailed(.cancelled, at: .zero)
        #expect(schedule.nextProbe(at: .zero) == nil)
        schedule.connected(at: .zero)
        let probes = (0..<14).compactMap { _ in schedule.nextProbe(at: .zero) }
        #expect(probes.map(\.server) == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
        let milliseconds = [
            1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_280, 2_560, 5_120, 10_240, 20_480, 30_000, 30_000,
        ]
        #expect(probes.map(\.delay) == milliseconds.map { .milliseconds($0) })
    }

    @Test("having found it the client moves back; if that fails the others follow")
    func movingBack() {
        let list = self.list(3, priority: [0])
        // a is down, b is up; a comes back; then a is lost.
        #expect(ScheduleRun.answers("f m60 c60", list, self.policy) == "a b ?a+1000 a a+10")
        #expect(ScheduleRun.answers("f m60 f f f", list, self.policy) == "a b ?a+1000 a b c a+10")
    }
}
