// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

struct ByteRingTests {
    /// SplitMix64, so that a failure repeats.
    private struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = self.state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    @Test(arguments: [1, 2, 7, 4096, 5000, 20_000])
    func `it holds what a plain array holds`(_ limit: Int) {
        for seed in 0..<20 {
            var random = SeededGenerator(state: UInt64(seed))
            var ring = ByteRing()
            var model: [UInt8] = []
            for step in 0..<300 {
                if Bool.random(using: &random) {
                    let room = limit - model.count
                    let bytes = (0..<Int.random(in: 0...room, using: &random)).map {
                        UInt8(truncatingIfNeeded: $0 + step)
                    }
                    bytes.withUnsafeBytes { ring.append($0, limit: limit) }
                    model += bytes
                } else {
                    var buffer = [UInt8](repeating: 0, count: Int.random(in: 0...limit, using: &random))
                    let moved = buffer.withUnsafeMutableBytes { ring.move(into: $0) }
                    #expect(moved == min(buffer.count, model.count))
                    #expect(Array(buffer[..<moved]) == Array(model[..<moved]))
                    model.removeFirst(moved)
                }
                #expect(ring.count == model.count)
            }
        }
    }
}
