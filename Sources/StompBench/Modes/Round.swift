// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a round has found.
struct Round: Sendable {
    var measurement: Measurement
    /// What was timed one by one.
    var latencies: Latencies?
    /// Lines for people only.
    var notes: [String] = []

    init(_ measurement: Measurement, latencies: Latencies? = nil) {
        self.measurement = measurement
        self.latencies = latencies
        self.measurement.percentiles = latencies?.percentiles
    }
}

/// Something that can be measured several times.
protocol Workload: Sendable {
    /// Does it once, on connections of its own.
    ///
    /// - Returns: one round, or one for each part.
    func run() async throws -> [Round]
}
