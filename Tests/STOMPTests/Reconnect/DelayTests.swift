// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("Delays between attempts", .timeLimit(.minutes(5)))
struct DelayTests {
    @Test(
        "each form, in milliseconds, at this share of its jitter",
        arguments: [
            (
                .exponential(jitter: 0), 0,
                [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 30_000, 30_000]
            ),
            // A fifth of half: a tenth shorter.
            (
                .exponential(), 0.5,
                [9, 18, 36, 72, 144, 288, 576, 1_152, 2_304, 4_608, 9_216, 18_432, 27_000, 27_000]
            ),
            (.exponential(), 0, [10, 20, 40]),
            (
                .exponential(initial: .seconds(1), multiplier: 1.5, maximum: .seconds(3), jitter: 1), 0.75,
                [250, 375, 562.5, 750, 750]
            ),
            (.exponential(initial: .seconds(1), multiplier: 0, maximum: .seconds(3), jitter: 0), 0, [1_000, 1_000]),
            (.exponential(initial: .seconds(9), maximum: .seconds(3), jitter: 0), 0, [3_000, 3_000]),
            (.exponential(initial: .zero, jitter: 0), 0, [0, 2, 4, 8]),
            // initial/(1+increase) · (1+increase)^n with n from 1: 0.1, 0.15, 0.225, …
            (.growing(), 0, [100, 150, 225, 337.5, 506.25, 759.375]),
            (.growing(), 0.5, [105, 157.5, 236.25]),
            (.growing(initial: .seconds(40), increase: 1, maximum: .seconds(60), jitter: 0.5), 0.5, [50_000, 75_000]),
            (.growing(initial: .seconds(1), increase: 0, maximum: .seconds(60), jitter: 0), 0, [1_000, 1_000, 1_000]),
            (.fixed(.milliseconds(500)), 0.5, [500, 500, 500]),
            (.fixed(.milliseconds(500), jitter: 0.5), 0.5, [375, 375]),
            (.fixed(.zero), 0, [0, 1, 1]),
            (.custom { .seconds($0.precedingDelays * $0.precedingDelays) }, 0, [0, 1_000, 4_000, 9_000]),
            (.custom { $0.precedingDelays < 2 ? .seconds(-1) : nil }, 0, [0, 0]),
        ] as [(STOMPReconnectPolicy.Delay, Double, [Double])]
    )
    func table(delay: STOMPReconnectPolicy.Delay, share: Double, milliseconds: [Double]) {
        #expect(delay.milliseconds(milliseconds.count, share: share) == milliseconds)
    }

    @Test(
        "delays stay bounded whatever is asked for",
        arguments: [
            (.exponential(jitter: 0), 30_000), (.growing(jitter: 0), 60_000),
            (.exponential(initial: .seconds(1), multiplier: .infinity, maximum: .seconds(5), jitter: 0), 5_000),
            (.exponential(initial: .seconds(1), multiplier: .nan, maximum: .seconds(5), jitter: .nan), 1_000),
            (.exponential(initial: .seconds(-1), maximum: .seconds(-1), jitter: -1), 1),
            (.fixed(.seconds(Int64.max)), 3_000_000_000_000),
            (.custom { _ in .seconds(Int64.max) }, 3_000_000_000_000),
        ] as [(STOMPReconnectPolicy.Delay, Double)]
    )
    func bounded(delay: STOMPReconnectPolicy.Delay, milliseconds: Double) {
        #expect(delay.delay(1_000_000, share: 0) == milliseconds)
    }

    @Test("jitter spreads evenly over its range, and the same seed gives the same delays")
    func jitter() throws {
        var delays: [Double] = []
        for _ in 0..<2 {
            var chance: any RandomNumberGenerator & Sendable = SeededChance(seed: 7)
            let situation = STOMPReconnectPolicy.Situation(
                precedingDelays: 20,
                elapsed: .zero,
                reason: STOMPError(.connectFailed, "")
            )
            for _ in 0..<1_000 {
                let next = STOMPReconnectPolicy.Delay.exponential().next(situation, using: &chance)
                delays.append(try #require(next).delay / .seconds(1))
            }
        }
        #expect(Array(delays[..<1_000]) == Array(delays[1_000...]))
        #expect(delays.allSatisfy { $0 > 24 && $0 <= 30 })
        #expect(abs(delays.reduce(0, +) / 2_000 - 27) < 0.2)
    }

    @Test("the presets hold their peers' defaults")
    func presets() {
        let ruby = STOMPReconnectPolicy.rubyStomp
        #expect(ruby.delay.milliseconds(3, share: 0.5) == [10, 20, 40])
        #expect(ruby.delay.delay(99, share: 0.5) == 30_000)
        #expect(ruby.maximumAttempts == .unlimited && ruby.maximumAttemptsAtStart == .unlimited)
        #expect(ruby.pace == .eachServer)
        #expect(ruby.timeout == nil)
        let python = STOMPReconnectPolicy.stompPy
        #expect(python.delay.milliseconds(3, share: 0) == [100, 150, 225])
        #expect(python.delay.delay(99, share: 0.5) == 63_000)
        #expect(python.maximumAttempts == .limited(3) && python.maximumAttemptsAtStart == .limited(3))
        #expect(python.pace == .eachRound)
        let activeMQ = STOMPReconnectPolicy.activeMQFailover
        #expect(activeMQ.delay.milliseconds(3, share: 0.5) == [10, 20, 40])
        #expect(activeMQ.delay.delay(99, share: 0.5) == 30_000)
        #expect(activeMQ.maximumAttempts == .unlimited && activeMQ.maximumAttemptsAtStart == .unlimited)
        #expect(activeMQ.warnAfterReconnectAttempts == 10)
        let own = STOMPReconnectPolicy()
        #expect(own.delay.milliseconds(3, share: 0) == [10, 20, 40])
        #expect(own.maximumAttempts == .unlimited && own.maximumAttemptsAtStart == .limited(1))
        #expect(own.minimumStableTime == .seconds(5))
        #expect(own.refusalAtStart == .final && own.refusalLater == .retried)
        #expect(STOMPReconnectPolicy.never.maximumAttempts == .limited(0))
    }
}
