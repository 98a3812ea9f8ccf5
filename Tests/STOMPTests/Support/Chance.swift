// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Draws the same share of a range each time; for numbers with a fraction only.
struct SameShare: RandomNumberGenerator, Sendable {
    /// 0 to less than 1, in steps of 1/8.
    let share: Double

    func next() -> UInt64 {
        // A random Double has 53 bits.
        UInt64(self.share * 9_007_199_254_740_992)
    }
}

/// The same numbers for the same seed everywhere.
struct SeededChance: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 32)) &* 0xd6e8_feb8_6659_fd93
        return mixed ^ (mixed >> 32)
    }
}
