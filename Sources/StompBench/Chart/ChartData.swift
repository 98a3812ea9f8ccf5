// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a chart shows: groups of bars, one bar for each client.
struct ChartData {
    /// All runs of one kind.
    struct Group {
        let mode: String
        /// Size, wire and whatever else makes it another kind of run.
        let details: String
        /// By the index of the client.
        var values: [Int: [Double]] = [:]

        /// The median of a client's runs.
        func value(of client: Int) -> Double? {
            self.values[client].map { $0.sorted()[$0.count / 2] }
        }
    }

    /// Names and versions.
    private(set) var clients: [String] = []
    private(set) var groups: [Group] = []

    /// - Throws: if there is nothing to draw.
    init(_ measurements: [Measurement], isCPU: Bool) throws(BenchError) {
        // Connections that idle have no rate.
        let runs = measurements.filter { $0.connections == nil }.map { run in
            (run, isCPU ? run.nanoseconds.user + run.nanoseconds.system : run.rate)
        }.filter { $0.1 > 0 }
        guard !runs.isEmpty else {
            throw BenchError("there is nothing to draw: no run has a \(isCPU ? "processor time" : "count and a time")")
        }
        for (run, _) in runs {
            let name = Self.name(of: run)
            if !self.clients.contains(name) { self.clients.append(name) }
        }
        // Ours is where the eye begins.
        self.clients = self.clients.filter(Self.isOurs) + self.clients.filter { !Self.isOurs($0) }
        for (run, value) in runs.sorted(by: { Self.order($0.0) < Self.order($1.0) }) {
            let details = Self.details(of: run)
            if self.groups.last?.mode != run.mode || self.groups.last?.details != details {
                self.groups.append(Group(mode: run.mode, details: details))
            }
            guard let client = self.clients.firstIndex(of: Self.name(of: run)) else { continue }
            self.groups[self.groups.count - 1].values[client, default: []].append(value)
        }
    }

    private static func isOurs(_ name: String) -> Bool {
        name.hasPrefix("swift-stomp")
    }

    private static func name(of run: Measurement) -> String {
        [run.client ?? "unnamed", run.version].compactMap(\.self).joined(separator: " ")
    }

    private static func details(of run: Measurement) -> String {
        var parts: [String] = []
        if let size = run.size { parts.append(Figure.bytes(size)) }
        if let wire = run.wire, wire != "tcp" { parts.append(wire) }
        if let count = run.inFlight { parts.append("\(count) in flight") }
        if let count = run.subscriptions { parts.append("\(count) subscriptions") }
        if let count = run.headers { parts.append("\(count) headers") }
        return parts.joined(separator: ", ")
    }

    /// By mode as the help has them, then by what grows.
    private static func order(_ run: Measurement) -> (Int, String, String, Int, Int, Int) {
        let mode = BenchMode.allCases.firstIndex { $0.rawValue == run.mode } ?? BenchMode.allCases.count
        let numbers = (run.inFlight ?? 0) + (run.subscriptions ?? 0)
        return (mode, run.mode, run.wire ?? "tcp", numbers, run.headers ?? 0, run.size ?? -1)
    }
}
