// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport

/// A clock, erased to durations since the source was made.
package struct TimeSource: Sendable {
    private let elapsed: @Sendable () -> Duration
    private let sleeper: @Sendable (Duration) async throws -> Void

    package init<C: Clock<Duration>>(_ clock: C) {
        let start = clock.now
        self.elapsed = { start.duration(to: clock.now) }
        self.sleeper = { deadline in
            // Beyond any process's life; real clocks trap on more.
            let bounded = min(deadline, .seconds(3_000_000_000))
            let instant = start.advanced(by: bounded)
            // The clock's own way needs a task for each sleep, a timer, and a thread of the pool, which may be blocked.
            if let instant = instant as? ContinuousClock.Instant, await IOThread.shared.sleep(until: instant) { return }
            try await clock.sleep(until: instant, tolerance: nil)
        }
    }

    /// How long ago the source was made.
    package var now: Duration {
        self.elapsed()
    }

    /// Returns at the deadline, or at once when the task is cancelled.
    package func sleep(until deadline: Duration) async {
        // The only error of a clock's sleep is that the task was cancelled, which the caller looks at itself.
        try? await self.sleeper(deadline)
    }
}
