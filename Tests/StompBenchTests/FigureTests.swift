// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

@testable import StompBench

@Suite("The figures of stomp-bench")
struct FigureTests {
    @Test("Percentiles are the values at their place in order")
    func percentiles() throws {
        let latencies = Latencies((1...1_000).reversed().map { Duration.microseconds($0) })
        let percentiles = try #require(latencies.percentiles)
        #expect(percentiles == Percentiles(p50: 501, p90: 901, p99: 991, p999: 1_000, max: 1_000))
        #expect(Latencies([]).percentiles == nil)
        #expect(Latencies([.microseconds(7)]).percentiles?.p999 == 7)
    }

    @Test("The histogram has steps of 1, 2 and 5, and every value once")
    func buckets() {
        let latencies = Latencies([1.5, 3, 4, 7, 100, 150].map { Duration.nanoseconds(Int($0 * 1_000)) })
        let buckets = latencies.buckets
        #expect(buckets.map(\.count) == [1, 2, 1, 0, 0, 0, 2])
        #expect(buckets.map { $0.lower.rounded() } == [1, 2, 5, 10, 20, 50, 100])
        #expect(Latencies([]).buckets.isEmpty)
    }

    @Test("A bar is as long as its share of the most, and seen if there is anything")
    func bars() {
        let many = Array(repeating: Duration.microseconds(1), count: 1_000)
        let lines = HistogramText(Latencies(many + [.microseconds(3)])).lines
        #expect(lines.map { line in line.count { $0 == "█" } } == [50, 1])
        #expect(lines[0].contains("1,000") && lines[0].contains("99.90 %"))
    }

    @Test("Numbers are written for people")
    func numbers() {
        #expect(Figure.grouped(1_234_567) == "1,234,567")
        #expect(Figure.grouped(999) == "999")
        #expect(Figure.fixed(1_234.567, 1) == "1,234.6")
        #expect(Figure.fixed(0.05, 2) == "0.05")
        #expect(Figure.fixed(.infinity, 2) == "inf")
        #expect([0.5, 1.25, 99.5, 1_234].map { Figure.short($0) } == ["0.500", "1.25", "99.5", "1,234"])
        #expect(Figure.time(microseconds: 0.25) == "250 ns" && Figure.time(microseconds: 1_500) == "1.50 ms")
        #expect(Figure.bytes(16 << 20) == "16 MiB" && Figure.bytes(0) == "0 B" && Figure.bytes(1_536) == "1.50 KiB")
        #expect([10, 2_500, 1_000_000].map { Figure.abbreviated($0) } == ["10", "2.50k", "1M"])
    }

    @Test("Marks find each message of a run once, and no others")
    func marks() {
        var marks = Marks(run: "abc", count: 3)
        for value in ["abc-0", "abc-2", "abc-2", "abd-1", "abc-", "abc-x", "abc-9", "abcd-1", "abc1"] {
            value.withUTF8Copy { marks.check($0) }
        }
        #expect(marks.count == 2 && marks.repeated == 2 - 1 && !marks.isComplete)
        "abc-1".withUTF8Copy { marks.check($0) }
        marks.check(nil as UnsafeRawBufferPointer?)
        #expect(marks.isComplete && marks.note != nil)
    }

    @Test("Headers are as many as asked for, and no two in a row are as long")
    func variants() {
        let variants = HeaderVariants(total: 12, own: 3)
        let sizes = (0..<122).map { index in
            variants[index].fields.map(\.value.utf8.count)
        }
        #expect(sizes.allSatisfy { $0.count == 9 })
        #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $0 != $1 })
        #expect(HeaderVariants(total: nil, own: 3)[5].isEmpty && HeaderVariants(total: 3, own: 4)[0].isEmpty)
    }
}

extension String {
    fileprivate func withUTF8Copy(_ body: (UnsafeRawBufferPointer?) -> Void) {
        Array(self.utf8).withUnsafeBytes { body($0) }
    }
}
