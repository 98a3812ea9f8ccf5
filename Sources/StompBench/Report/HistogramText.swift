// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Bars of text, one for each range of latencies.
struct HistogramText {
    private static let width = 50
    let lines: [String]

    init(_ latencies: Latencies) {
        let buckets = latencies.buckets
        let most = buckets.map(\.count).max() ?? 0
        let total = latencies.sorted.count
        self.lines = buckets.map { bucket in
            // What is there at all can be seen.
            let length = bucket.count == 0 ? 0 : max(1, bucket.count * Self.width / max(most, 1))
            let label = Figure.aligned(Figure.time(microseconds: bucket.lower), to: 9)
            let share = Figure.fixed(Double(bucket.count) * 100 / Double(max(total, 1)), 2)
            let bar = Figure.padded(String(repeating: "█", count: length), to: Self.width + 1)
            return "  from \(label) \(bar)\(Figure.aligned(Figure.grouped(bucket.count), to: 11)) "
                + Figure.aligned("\(share) %", to: 9)
        }
    }
}
