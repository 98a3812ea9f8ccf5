// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The figures of one run.
struct Measurement: Sendable, Equatable {
    var mode: String
    var count = 0
    /// Of bodies; in memory of whole frames.
    var byteCount = 0
    var seconds = 0.0
    var userSeconds = 0.0
    var systemSeconds = 0.0
    var peakKilobytes = 0

    var size: Int?
    var client: String?
    var version: String?
    var wire: String?
    var subscriptions: Int?
    var connections: Int?
    var inFlight: Int?
    var headers: Int?
    var percentiles: Percentiles?
    /// What only one mode has, by its name in JSON.
    var extras: [Record.Field] = []

    init(mode: String) {
        self.mode = mode
    }

    var rate: Double {
        self.seconds > 0 ? Double(self.count) / self.seconds : 0
    }

    var megabytesPerSecond: Double {
        self.seconds > 0 ? Double(self.byteCount) / self.seconds / 1e6 : 0
    }

    /// Processor time for each message, in nanoseconds.
    var nanoseconds: (user: Double, system: Double) {
        let count = Double(max(self.count, 1))
        return (self.userSeconds / count * 1e9, self.systemSeconds / count * 1e9)
    }

    // MARK: - JSON

    /// The keys of the driver contract first.
    var record: Record {
        var record = Record()
        record.append("mode", self.mode)
        record.append("count", self.count)
        record.append("bytes", self.byteCount)
        record.append("seconds", self.seconds)
        record.append("cpu_user", self.userSeconds)
        record.append("cpu_sys", self.systemSeconds)
        record.append("max_rss_kb", self.peakKilobytes)
        record.append("size", self.size)
        record.append("client", self.client)
        record.append("version", self.version)
        record.append("wire", self.wire)
        record.append("subscriptions", self.subscriptions)
        record.append("connections", self.connections)
        record.append("in_flight", self.inFlight)
        record.append("headers", self.headers)
        record.append("p50_us", self.percentiles?.p50)
        record.append("p90_us", self.percentiles?.p90)
        record.append("p99_us", self.percentiles?.p99)
        record.append("p999_us", self.percentiles?.p999)
        record.append("max_us", self.percentiles?.max)
        for extra in self.extras { record.append(extra.key, extra.value) }
        return record
    }

    /// What a line says; keys that are unknown or missing do no harm.
    ///
    /// - Throws: if it does not say what was done and how long it took.
    init(_ record: Record) throws(BenchError) {
        guard let mode = record.text("mode") else { throw BenchError("there is no \"mode\"") }
        guard let seconds = record.number("seconds"), seconds > 0 else { throw BenchError("there is no \"seconds\"") }
        guard let count = record.number("count"), count >= 0 else { throw BenchError("there is no \"count\"") }
        self.init(mode: mode)
        self.seconds = seconds
        self.count = Self.integer(count)
        self.byteCount = Self.integer(record.number("bytes") ?? 0)
        self.userSeconds = record.number("cpu_user") ?? 0
        self.systemSeconds = record.number("cpu_sys") ?? 0
        self.peakKilobytes = Self.integer(record.number("max_rss_kb") ?? 0)
        self.size = record.number("size").map(Self.integer)
        self.client = record.text("client")
        self.version = record.text("version")
        self.wire = record.text("wire")
        self.subscriptions = record.number("subscriptions").map(Self.integer)
        self.connections = record.number("connections").map(Self.integer)
        self.inFlight = record.number("in_flight").map(Self.integer)
        self.headers = record.number("headers").map(Self.integer)
        if let p50 = record.number("p50_us") {
            func value(_ key: String) -> Double { record.number(key) ?? .nan }
            self.percentiles = Percentiles(
                p50: p50,
                p90: value("p90_us"),
                p99: value("p99_us"),
                p999: value("p999_us"),
                max: value("max_us")
            )
        }
        let known = Set(Measurement.knownKeys)
        self.extras = record.fields.filter { !known.contains($0.key) }
        // A driver's line has no size, but its bodies are all of one.
        if self.size == nil, self.count > 0, self.byteCount % self.count == 0 {
            self.size = self.byteCount / self.count
        }
    }

    private static let knownKeys = [
        "mode", "count", "bytes", "seconds", "cpu_user", "cpu_sys", "max_rss_kb", "size", "client", "version", "wire",
        "subscriptions", "connections", "in_flight", "headers", "p50_us", "p90_us", "p99_us", "p999_us", "max_us",
    ]

    private static func integer(_ number: Double) -> Int {
        Int(exactly: number.rounded()) ?? 0
    }

    /// Whether both measure the same thing.
    func isComparable(with other: Measurement) -> Bool {
        self.mode == other.mode && self.size == other.size && (self.wire ?? "tcp") == (other.wire ?? "tcp")
            && self.inFlight == other.inFlight && self.subscriptions == other.subscriptions
            && self.connections == other.connections && self.headers == other.headers
    }
}
