// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// How long each of many calls took.
struct Latencies: Sendable {
    /// In microseconds, the shortest first.
    let sorted: [Double]

    init(_ durations: some Swift.Sequence<Duration>) {
        self.sorted = durations.map { $0 / .microseconds(1) }.sorted()
    }

    /// So many of a thousand calls took less.
    func perMille(_ part: Int) -> Double {
        guard !self.sorted.isEmpty else { return 0 }
        return self.sorted[min(self.sorted.count * part / 1_000, self.sorted.count - 1)]
    }

    var percentiles: Percentiles? {
        guard let longest = self.sorted.last else { return nil }
        return Percentiles(
            p50: self.perMille(500),
            p90: self.perMille(900),
            p99: self.perMille(990),
            p999: self.perMille(999),
            max: longest
        )
    }

    /// A range of the histogram: from `lower` on, in microseconds.
    struct Bucket: Equatable {
        let lower: Double
        let count: Int
    }

    /// How many took how long, by steps of 1, 2 and 5, without empty ones at either end.
    var buckets: [Bucket] {
        guard let shortest = self.sorted.first, let longest = self.sorted.last else { return [] }
        var edges: [Double] = []
        var decade = 0.001
        while decade < max(longest, 0.002) * 10 {
            edges += [decade, decade * 2, decade * 5]
            decade *= 10
        }
        var buckets: [Bucket] = []
        var start = 0
        for (index, edge) in edges.enumerated() {
            let next = index + 1 < edges.count ? edges[index + 1] : .infinity
            if next <= shortest { continue }
            if edge > longest { break }
            let end = self.sorted[start...].firstIndex { $0 >= next } ?? self.sorted.count
            buckets.append(Bucket(lower: edge, count: end - start))
            start = end
        }
        return buckets
    }
}

/// The usual ones, in microseconds.
struct Percentiles: Sendable, Equatable {
    var p50: Double
    var p90: Double
    var p99: Double
    var p999: Double
    var max: Double
}
