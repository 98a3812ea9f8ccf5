// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Wall time and processor time since it was made.
struct Stopwatch: Sendable {
    private let start = ContinuousClock.now
    private let usage = ProcessUsage.processorTime()

    /// What has been used so far, and the memory's peak.
    func measurement(mode: String, count: Int, byteCount: Int) -> Measurement {
        var measurement = Measurement(mode: mode)
        measurement.seconds = (ContinuousClock.now - self.start) / .seconds(1)
        let now = ProcessUsage.processorTime()
        measurement.count = count
        measurement.byteCount = byteCount
        measurement.userSeconds = now.user - self.usage.user
        measurement.systemSeconds = now.system - self.usage.system
        measurement.peakKilobytes = ProcessUsage.peakKilobytes()
        return measurement
    }
}
