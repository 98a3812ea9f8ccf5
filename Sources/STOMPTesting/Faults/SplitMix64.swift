// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Chance that can be repeated: the same seed gives the same numbers on every machine.
///
/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        self.state = seed
    }

    /// The generator number `index` of a seed; independent of the others.
    package init(seed: UInt64, index: Int) {
        var outer = SplitMix64(seed: seed)
        let start = outer.next()
        var inner = SplitMix64(seed: start ^ UInt64(truncatingIfNeeded: index))
        self.state = inner.next()
    }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// True so many times in a hundred.
    package mutating func hits(_ percentage: Int) -> Bool {
        Int.random(in: 0..<100, using: &self) < percentage
    }

    package mutating func number(in range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    /// Each order of magnitude is as likely as the others.
    package mutating func magnitude(below limit: Int) -> Int {
        let bits = self.number(in: 0...(Int.bitWidth - max(limit, 1).leadingZeroBitCount))
        return min(self.number(in: 0...(1 << bits)), limit)
    }

    package mutating func milliseconds(in range: ClosedRange<Int>) -> Duration {
        .milliseconds(self.number(in: range))
    }
}
