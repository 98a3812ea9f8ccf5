// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The median of some rounds, for people.
struct Report {
    /// The round whose time is the median.
    let round: Round
    private let rounds: [Round]

    /// - Parameter rounds: one at least.
    init(rounds: [Round]) {
        let sorted = rounds.sorted { $0.measurement.seconds < $1.measurement.seconds }
        self.rounds = sorted
        self.round = sorted[sorted.count / 2]
    }

    var text: String {
        let measurement = self.round.measurement
        var lines = [self.title]
        if measurement.connections == nil {
            lines.append(
                Self.line(
                    "throughput",
                    "\(Figure.grouped(Int(measurement.rate))) messages/s"
                        + (measurement.byteCount > 0 ? ", \(Figure.short(measurement.megabytesPerSecond)) MB/s" : "")
                )
            )
            if let spread = self.spread { lines.append(Self.line("", spread)) }
            // Beside others, the processor does more than these messages.
            if measurement.mode != BenchMode.consumers.rawValue {
                let (user, system) = measurement.nanoseconds
                lines.append(
                    Self.line(
                        "CPU",
                        "\(Figure.short(user + system)) ns/message (user \(Figure.short(user)), system "
                            + "\(Figure.short(system)))"
                    )
                )
            }
        }
        lines.append(Self.line("peak memory", Figure.bytes(measurement.peakKilobytes << 10)))
        if let percentiles = measurement.percentiles { lines.append(Self.line("latency", Self.text(percentiles))) }
        lines += self.round.notes.map { "  \($0)" }
        if let latencies = self.round.latencies { lines += [""] + HistogramText(latencies).lines }
        return lines.joined(separator: "\n")
    }

    private var title: String {
        let measurement = self.round.measurement
        var words = ["\(measurement.mode) \(measurement.wire == "memory" ? "in" : "over") \(measurement.wire ?? "tcp")"]
        if measurement.connections == nil { words.append("\(Figure.grouped(measurement.count)) messages") }
        if let size = measurement.size { words.append("bodies of \(Figure.bytes(size))") }
        if let headers = measurement.headers { words.append("\(headers) headers") }
        if let count = measurement.inFlight { words.append("\(count) in flight") }
        if let count = measurement.subscriptions { words.append("\(count) subscriptions") }
        if let count = measurement.connections {
            words.append("\(Figure.grouped(count)) connections for \(Figure.short(measurement.seconds)) s")
        }
        if self.rounds.count > 1 { words.append("median of \(self.rounds.count) rounds") }
        return words.joined(separator: ", ")
    }

    private var spread: String? {
        guard self.rounds.count > 1, let fastest = self.rounds.first, let slowest = self.rounds.last else { return nil }
        return "\(Figure.grouped(Int(slowest.measurement.rate))) to \(Figure.grouped(Int(fastest.measurement.rate)))"
    }

    private static func line(_ name: String, _ text: String) -> String {
        "  \(Figure.padded(name, to: 14))\(text)"
    }

    private static func text(_ percentiles: Percentiles) -> String {
        let parts = [
            ("p50", percentiles.p50), ("p90", percentiles.p90), ("p99", percentiles.p99), ("p99.9", percentiles.p999),
            ("max", percentiles.max),
        ]
        return parts.map { "\($0.0) \(Figure.time(microseconds: $0.1))" }.joined(separator: ", ")
    }
}
