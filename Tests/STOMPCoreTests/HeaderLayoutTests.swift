// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CScan
import Testing

@testable import STOMPCore

@Suite("What is remembered of a layout")
struct HeaderLayoutTests {
    private static func matches(_ layout: inout HeaderLayout, _ bytes: [UInt8]) -> Bool {
        // As a chunk, it can be read past its end.
        let padded = bytes + [UInt8](repeating: 10, count: ByteChunk.padding)
        return padded.withUnsafeBytes { layout.matches($0.baseAddress!) }
    }

    private static func note(_ layout: inout HeaderLayout, _ bytes: [UInt8], contentLength: Int = 0) {
        bytes.withUnsafeBytes {
            layout.note($0.baseAddress!, byteCount: bytes.count, frame: FrameReference(), contentLength: contentLength)
        }
    }

    @Test("Four frames of one length make a layout, others in between none; no longer one than the limit")
    func run() {
        for size in [12, 16, 100, 511, 512, 513, 1_000] {
            let bytes = wire("MESSAGE\na:") + [UInt8](repeating: 120, count: size - 12) + [10, 10]
            var layout = HeaderLayout()
            #expect(!Self.matches(&layout, bytes))
            for _ in 0..<3 { Self.note(&layout, bytes) }
            #expect(layout.byteCount == 0)
            Self.note(&layout, bytes.dropLast() + [120, 10])
            for _ in 0..<3 { Self.note(&layout, bytes) }
            #expect(layout.byteCount == 0)
            Self.note(&layout, bytes)
            #expect(layout.byteCount == (size <= 512 ? size : 0))
            #expect(Self.matches(&layout, bytes) == (size <= 512))
            layout.forget()
            #expect(layout.byteCount == 0)
            for _ in 0..<3 { Self.note(&layout, bytes) }
            #expect(layout.byteCount == 0)
        }
    }

    @Test("A shorter layout forgets all of a longer one")
    func shorter() {
        var layout = HeaderLayout()
        for _ in 0..<4 { Self.note(&layout, wire("MESSAGE\nabcdefghijklmnop:q\nr:s\n\n")) }
        for _ in 0..<4 { Self.note(&layout, wire("MESSAGE\na:b\n\n")) }
        #expect(layout.byteCount == 13)
        #expect(Self.matches(&layout, wire("MESSAGE\na:x\n\n")))
        #expect(!Self.matches(&layout, wire("MESSAGE\nb:x\n\n")))
        #expect(!Self.matches(&layout, wire("MESSAGE\na:\n\n\n")))
    }

    @Test("Where the values lie whose bytes matter")
    func values() {
        let bytes = wire("MESSAGE\ncontent-length:12\nx:y\nsubscription:345\n\n")
        var layout = HeaderLayout()
        var frame = FrameReference()
        frame.subscription.offset = 43
        bytes.withUnsafeBytes { base in
            for _ in 0..<4 {
                layout.note(base.baseAddress!, byteCount: bytes.count, frame: frame, contentLength: 23)
            }
        }
        let (length, subscription) = (layout.contentLength.digits, layout.subscription.digits)
        #expect(length == 23..<25 && subscription == 43..<46)
    }

    @Test("A number is what its digits say, the remembered one or another one", arguments: 1...11)
    func number(digitCount: Int) {
        var random = SplitMix64(seed: UInt64(digitCount))
        for round in 0..<200 {
            let alphabet = wire(round % 2 == 0 ? "123" : "0123456789 \r")
            let texts = (0..<2).map { _ in
                (0..<digitCount).map { _ in alphabet.randomElement(using: &random)! } + wire("\nx:12345678")
            }
            var lines = texts.map { wire("a:") + $0 }
            let known = lines[0].withUnsafeMutableBufferPointer { HeaderLayout.Number(from: 2, in: $0.baseAddress!) }
            #expect(known.digits == 2..<2 + digitCount)
            for line in lines {
                let (value, expected) = line.withUnsafeBytes { bytes in
                    (known.value(in: bytes.baseAddress!), bytes.baseAddress!.number(from: 2, to: 2 + digitCount))
                }
                #expect(value == expected, "\(line)")
            }
        }
    }

    // MARK: - The comparison

    /// One byte at a time: the truth.
    private func hasLayout(_ text: ArraySlice<UInt8>, _ layout: [UInt8], _ limit: Int) -> Bool {
        text.enumerated().allSatisfy { index, byte in
            if layout[limit + index] != 0 { return byte == layout[index] }
            return layout[2 * limit + index] == 0 || (byte != 10 && byte != 0)
        }
    }

    @Test("The vector form says what a look at each byte says, at any length and alignment", arguments: 1...4)
    func vectorEqualsScalar(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let limit = Int(STOMP_LAYOUT_LIMIT)
        let alphabet: [UInt8] = [0, 1, 9, 10, 11, 58, 0x80, 0x8a, 0xff, 120]
        var agreements = [true: 0, false: 0]
        for round in 0..<1_500 {
            let count =
                random.once(in: 4)
                ? Int.random(in: 500...limit, using: &random) : Int.random(in: 0...80, using: &random)
            let offset = round % 16
            var text = (0..<offset + limit + 16).map { _ in alphabet.randomElement(using: &random)! }
            var layout = [UInt8](repeating: 0, count: 3 * limit)
            for index in 0..<count {
                let isFixed = random.once(in: 2)
                if !isFixed, [0, 10].contains(text[offset + index]) { text[offset + index] = 120 }
                layout[index] = text[offset + index]
                layout[(isFixed ? 1 : 2) * limit + index] = 0xff
            }
            // Mostly one byte that may spoil it, or one beyond the end that must not.
            if !random.once(in: 4) {
                let place = min(Int.random(in: 0...count + 2, using: &random), limit + 15)
                text[offset + place] = alphabet.randomElement(using: &random)!
            }
            let expected = self.hasLayout(text[offset..<offset + count], layout, limit)
            let found = text.withUnsafeBytes { stomp_has_layout($0.baseAddress! + offset, layout, count) }
            #expect(found == expected, "seed \(seed), round \(round)")
            agreements[expected, default: 0] += 1
        }
        #expect(agreements.values.allSatisfy { $0 > 100 })
    }

    @Test("One byte that is wrong is found wherever it stands")
    func onePlace() {
        let limit = Int(STOMP_LAYOUT_LIMIT)
        for isFixed in [true, false] {
            var layout = [UInt8](repeating: 0, count: 3 * limit)
            for index in 0..<limit {
                layout[index] = 120
                layout[(isFixed ? 1 : 2) * limit + index] = 0xff
            }
            var text = [UInt8](repeating: 120, count: limit)
            #expect(text.withUnsafeBytes { stomp_has_layout($0.baseAddress!, layout, limit) })
            for index in 0..<limit {
                for byte in 0...255 as ClosedRange<UInt8> where index % 37 == 0 || [0, 10, 119].contains(byte) {
                    text[index] = byte
                    let expected = isFixed ? byte == 120 : byte != 0 && byte != 10
                    let found = text.withUnsafeBytes { stomp_has_layout($0.baseAddress!, layout, limit) }
                    #expect(found == expected, "\(byte) at \(index)")
                }
                text[index] = 120
            }
        }
    }
}
