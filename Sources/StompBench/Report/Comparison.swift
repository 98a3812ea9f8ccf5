// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Sets figures beside those of an earlier run.
struct Comparison {
    private let name: String
    private let earlier: [Measurement]

    init(file: String) throws(BenchError) {
        try self.init(try TextFile.text(of: file), name: file)
    }

    init(_ text: String, name: String) throws(BenchError) {
        self.name = name
        self.earlier = try Measurement.all(in: text, of: name)
    }

    /// The last one in the file that measured the same thing.
    func match(for measurement: Measurement) -> Measurement? {
        self.earlier.last { $0.isComparable(with: measurement) && ($0.client ?? "swift-stomp") == "swift-stomp" }
            ?? self.earlier.last { $0.isComparable(with: measurement) }
    }

    func text(for now: Measurement) -> String {
        guard let then = self.match(for: now) else { return "\(self.name) has no run of the same kind" }
        let who = [then.client, then.version].compactMap(\.self).joined(separator: " ")
        var lines = [Self.row("compared with \(self.name)\(who.isEmpty ? "" : " (\(who))")", "now", "then", "ratio")]
        for (name, nowValue, thenValue) in Self.figures(now, then) {
            let ratio = thenValue > 0 && nowValue.isFinite ? Figure.fixed(nowValue / thenValue, 2) : "-"
            lines.append(Self.row(name, Figure.short(nowValue), Figure.short(thenValue), ratio))
        }
        return lines.joined(separator: "\n")
    }

    private static func figures(_ now: Measurement, _ then: Measurement) -> [(String, Double, Double)] {
        func processor(_ measurement: Measurement) -> Double {
            measurement.nanoseconds.user + measurement.nanoseconds.system
        }
        var figures = [
            ("messages/s", now.rate, then.rate),
            ("MB/s", now.megabytesPerSecond, then.megabytesPerSecond),
            ("CPU ns/message", processor(now), processor(then)),
            ("  user", now.nanoseconds.user, then.nanoseconds.user),
            ("  system", now.nanoseconds.system, then.nanoseconds.system),
            ("peak memory, MiB", Double(now.peakKilobytes) / 1_024, Double(then.peakKilobytes) / 1_024),
        ]
        if let here = now.percentiles, let there = then.percentiles {
            let paths: [(String, KeyPath<Percentiles, Double>)] = [
                ("p50 µs", \.p50), ("p90 µs", \.p90), ("p99 µs", \.p99), ("p99.9 µs", \.p999), ("max µs", \.max),
            ]
            figures += paths.map { ($0.0, here[keyPath: $0.1], there[keyPath: $0.1]) }
        }
        for extra in now.extras {
            guard
                case .number(let value) = extra.value,
                case .number(let earlier)? = then.extras.last(where: { $0.key == extra.key })?.value
            else { continue }
            figures.append((extra.key, value, earlier))
        }
        return figures.filter { $0.2.isFinite && ($0.1 > 0 || $0.2 > 0) }
    }

    private static func row(_ name: String, _ now: String, _ then: String, _ ratio: String) -> String {
        "  \(Figure.padded(name, to: 40))\(Figure.aligned(now, to: 14))\(Figure.aligned(then, to: 14))"
            + Figure.aligned(ratio, to: 9)
    }
}

extension Measurement {
    /// The runs that a file of JSON lines tells of.
    ///
    /// - Throws: what is wrong with the first bad line, after the file's name and the line's number.
    static func all(in text: String, of name: String) throws(BenchError) -> [Measurement] {
        var measurements: [Measurement] = []
        // A run that failed says why, and has no figures.
        for (record, line) in try RecordReader.records(in: text, of: name) where record.text("error") == nil {
            do throws(BenchError) {
                measurements.append(try Measurement(record))
            } catch {
                throw BenchError("\(name):\(line): \(error)")
            }
        }
        return measurements
    }
}
