// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CScan
import TestSupport
import Testing

@Suite("The scan of 64 bytes", .longRun)
struct CScanTests {
    @Test("The vector form gives what the scalar form gives, at any alignment", arguments: [1, 2, 3] as [UInt64])
    func vectorEqualsScalar(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        // Mostly the bytes that matter and their neighbours.
        let alphabet: [UInt8] = [0, 1, 9, 10, 11, 57, 58, 59, 0x80, 0x8a, 0xba, 0xff]
        for round in 0..<2_000 {
            let block = (0..<128).map { _ in
                Bool.random(using: &random)
                    ? alphabet.randomElement(using: &random)! : UInt8.random(in: 0...255, using: &random)
            }
            let offset = round % 64
            block.withUnsafeBytes { bytes in
                let vector = stomp_scan64(bytes.baseAddress! + offset)
                let scalar = stomp_scan64_scalar(bytes.baseAddress! + offset)
                #expect(vector.line_feeds == scalar.line_feeds, "seed \(seed), round \(round)")
                #expect(vector.colons == scalar.colons, "seed \(seed), round \(round)")
                #expect(vector.nuls == scalar.nuls, "seed \(seed), round \(round)")
            }
        }
    }

    @Test("Bit i belongs to byte i", arguments: 0..<64)
    func bitPosition(index: Int) {
        for (byte, expected) in [(UInt8(ascii: "\n"), 0), (UInt8(ascii: ":"), 1), (0, 2)] {
            var block = [UInt8](repeating: 0x41, count: 64)
            block[index] = byte
            let masks = block.withUnsafeBytes { stomp_scan64($0.baseAddress!) }
            let found = [masks.line_feeds, masks.colons, masks.nuls]
            for (kind, mask) in found.enumerated() {
                #expect(mask == (kind == expected ? 1 << UInt64(index) : 0))
            }
        }
    }

    @Test("find gives the first of several, and nothing where there is none")
    func find() {
        let bytes = Array("ab:c:d".utf8)
        bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress!
            #expect(stomp_find(base, UInt8(ascii: ":"), 6) == base + 2)
            #expect(stomp_find(base, UInt8(ascii: ":"), 2) == nil)
        }
    }
}
