// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

/// Each limit: what reaches it passes, one more is its own error, and early enough to bound memory.
@Suite("Limits")
struct LimitTests {
    private static let feedings = [Feeding.whole, .byteByByte, Feeding(sizes: [7, 64], chunkCapacity: 100)]

    private func limits(_ set: (inout STOMPLimits) -> Void) -> STOMPLimits {
        var limits = STOMPLimits()
        set(&limits)
        return limits
    }

    /// How many bytes a parser takes, one at a time, before it fails.
    private func consumed(_ bytes: [UInt8], _ limits: STOMPLimits, code: STOMPError.Code) -> Int {
        var driver = ParserDriver(limits: limits, feeding: .byteByByte)
        driver.feed(bytes)
        #expect(driver.parsed.failure == code)
        #expect(driver.parsed.frames.isEmpty)
        return driver.consumed
    }

    @Test("S12-LIM-1 the length of a header line")
    func headerLine() {
        for limit in [8, 20, 63, 64, 65, 130] {
            let limits = self.limits { $0.headerLineLimit = limit }
            let exact = "a:" + String(repeating: "x", count: limit - 2)
            for feeding in Self.feedings {
                let good = parse("MESSAGE\n\(exact)\nb:c\n\(exact)\n\n\0", limits: limits, feeding: feeding)
                #expect(good.failure == nil && good.frames.first?.headers.count == 3)
                let bad = parse("MESSAGE\nb:c\n\(exact)x\n\n\0", limits: limits, feeding: feeding)
                #expect(bad.failure == .headerLineTooLong && bad.frames.isEmpty)
            }
            let endless = wire("MESSAGE\n") + [UInt8](repeating: 0x61, count: 1_000)
            #expect(self.consumed(endless, limits, code: .headerLineTooLong) == 8 + limit + 1)
        }
    }

    @Test("S12-LIM-1 the length of the command line")
    func commandLine() {
        let limits = self.limits { $0.headerLineLimit = 30 }
        let exact = String(repeating: "C", count: 30)
        for feeding in Self.feedings {
            #expect(parse("\(exact)\n\n\0", limits: limits, feeding: feeding).frames.count == 1)
            #expect(parse("\(exact)C\n\n\0", limits: limits, feeding: feeding).failure == .headerLineTooLong)
        }
        #expect(self.consumed([UInt8](repeating: 0x41, count: 500), limits, code: .headerLineTooLong) == 31)
    }

    @Test("S12-LIM-1 the number of headers")
    func headerCount() {
        for limit in [0, 1, 5, 100] {
            let limits = self.limits { $0.headerCountLimit = limit }
            let lines = String(repeating: "a:b\n", count: limit)
            for feeding in Self.feedings {
                let good = parse("MESSAGE\n\(lines)\n\0MESSAGE\n\(lines)\n\0", limits: limits, feeding: feeding)
                #expect(good.failure == nil && good.frames.map(\.headers.count) == [limit, limit])
                let bad = parse("MESSAGE\n\(lines)a:b\n\n\0", limits: limits, feeding: feeding)
                #expect(bad.failure == .tooManyHeaders && bad.frames.isEmpty)
            }
            let endless = wire("MESSAGE\n" + String(repeating: "a:b\n", count: 500))
            #expect(self.consumed(endless, limits, code: .tooManyHeaders) == 8 + 4 * (limit + 1))
        }
    }

    @Test("S12-LIM-1 the size of all headers, from the command to the blank line")
    func headerBlock() {
        for limit in [13, 20, 64, 65, 127, 128, 129, 500] {
            let limits = self.limits { $0.headerBlockLimit = limit }
            // MESSAGE LF, a colon, a value, LF, LF.
            let exact = "MESSAGE\na:\(String(repeating: "x", count: limit - 12))\n\n"
            #expect(exact.utf8.count == limit)
            for feeding in Self.feedings {
                let good = parse("\(exact)body\0", limits: limits, feeding: feeding)
                #expect(good.failure == nil && good.frames.map(\.body) == [wire("body")], "\(limit), \(feeding)")
                let bad = parse("MESSAGE\na:x\(exact.dropFirst(10))\0", limits: limits, feeding: feeding)
                #expect(bad.failure == .headersTooLarge && bad.frames.isEmpty, "\(limit), \(feeding)")
            }
            let endless = wire("MESSAGE\n" + String(repeating: "a:b\n", count: 500))
            #expect(self.consumed(endless, limits, code: .headersTooLarge) == limit + 1)
        }
    }

    @Test("S12-LIM-1 the size of a body whose length is told: refused before the body comes")
    func toldBody() {
        for limit in [0, 1, 9, 10, 1_000] {
            let limits = self.limits { $0.bodyLimit = limit }
            let body = [UInt8](repeating: 0, count: limit)
            for feeding in Self.feedings {
                let good = parse(
                    wire("MESSAGE\ncontent-length:\(limit)\n\n") + body + [0],
                    limits: limits,
                    feeding: feeding
                )
                #expect(good.failure == nil && good.frames.map(\.body) == [body])
                let bad = parse("MESSAGE\ncontent-length:\(limit + 1)\n", limits: limits, feeding: feeding)
                #expect(bad.failure == .bodyTooLarge)
            }
        }
    }

    @Test("S12-LIM-1 the size of a body whose length is not told")
    func untoldBody() {
        for limit in [0, 1, 9, 64, 1_000] {
            let limits = self.limits { $0.bodyLimit = limit }
            let body = [UInt8](repeating: 0x78, count: limit)
            for feeding in Self.feedings {
                let good = parse(wire("MESSAGE\n\n") + body + [0], limits: limits, feeding: feeding)
                #expect(good.failure == nil && good.frames.map(\.body) == [body])
                let bad = parse(wire("MESSAGE\n\n") + body + [0x78, 0], limits: limits, feeding: feeding)
                #expect(bad.failure == .bodyTooLarge && bad.frames.isEmpty)
            }
            let endless = wire("MESSAGE\n\n") + [UInt8](repeating: 0x78, count: 5_000)
            #expect(self.consumed(endless, limits, code: .bodyTooLarge) == 9 + limit + 1)
        }
    }

    @Test("Limits are of each frame: many frames at the limits pass")
    func limitsArePerFrame() {
        let limits = self.limits {
            $0.headerLineLimit = 16
            $0.headerCountLimit = 2
            $0.headerBlockLimit = 30
            $0.bodyLimit = 3
        }
        let stream = String(repeating: "MESSAGE\na:b\ncd:efghijklmn\n\n123\0\n", count: 50)
        for feeding in Self.feedings {
            let parsed = parse(stream, limits: limits, feeding: feeding)
            #expect(parsed.failure == nil && parsed.frames.count == 50)
        }
    }

    @Test("What exceeds a limit leaves the frames before it alone")
    func framesBeforeAreGiven() {
        let limits = self.limits { $0.bodyLimit = 3 }
        for feeding in Self.feedings {
            let parsed = parse(
                "MESSAGE\n\nabc\0RECEIPT\nreceipt-id:1\n\n\0MESSAGE\n\nabcd\0",
                limits: limits,
                feeding: feeding
            )
            #expect(parsed.frames.map(\.command) == [.message, .receipt])
            #expect(parsed.failure == .bodyTooLarge)
        }
    }

    @Test("Limits beyond what offsets of 32 bits can say are cut down")
    func enormousLimits() {
        let limits = self.limits {
            $0.headerBlockLimit = .max
            $0.bodyLimit = .max
        }
        let parser = FrameParser(version: .v12, limits: limits)
        #expect(parser.limits.headerBlockLimit == 1 << 30)
        #expect(parse("MESSAGE\ncontent-length:4294967296\n", limits: limits).failure == .bodyTooLarge)
    }

    @Test("The messages name the limits")
    func messages() throws {
        let limits = self.limits { $0.bodyLimit = 321 }
        var parser = FrameParser(version: .v12, limits: limits)
        let bytes = wire("MESSAGE\ncontent-length:322\n")
        parser.freeSpace().copyBytes(from: bytes)
        parser.received(bytes.count)
        let error = #expect(throws: STOMPError.self) { try parser.next() }
        #expect(error?.message.contains("321") == true)
    }
}
