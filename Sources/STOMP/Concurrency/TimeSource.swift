// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport

/// A clock, erased to durations since the source was made.
package final class TimeSource: Sendable {
    private enum Clockwork: Sendable {
        /// The default, kept by the I/O thread: the clock's own way to sleep needs a task for each sleep, a timer, and a
        /// thread of the pool, all of which handlers may block.
        case continuous(since: Duration)
        case other(elapsed: @Sendable () -> Duration, sleep: @Sendable (Duration) async throws -> Void)
    }

    private let clockwork: Clockwork

    package init<C: Clock<Duration>>(_ clock: C) {
        if clock is ContinuousClock {
            self.clockwork = .continuous(since: IOThread.now)
        } else {
            let start = clock.now
            self.clockwork = .other {
                start.duration(to: clock.now)
            } sleep: { deadline in
                try await clock.sleep(until: start.advanced(by: deadline), tolerance: nil)
            }
        }
    }

    /// How long ago the source was made.
    package var now: Duration {
        switch self.clockwork {
        case .continuous(let start): IOThread.now - start
        case .other(let elapsed, _): elapsed()
        }
    }

    /// Returns at the deadline, or at once when the task is cancelled.
    package func sleep(until deadline: Duration) async {
        if let time = self.threadTime(of: deadline), await IOThread.shared.sleep(until: time) { return }
        await self.sleepByClock(until: deadline)
    }

    /// Beyond any process's life; real clocks trap on more.
    private static let longest = Duration.seconds(3_000_000_000)

    private func threadTime(of deadline: Duration) -> Duration? {
        guard case .continuous(let start) = self.clockwork else { return nil }
        return start + min(deadline, Self.longest)
    }

    /// Apart, so that who sleeps on the I/O thread needs no memory for this.
    @inline(never)
    private func sleepByClock(until deadline: Duration) async {
        let bounded = min(deadline, Self.longest)
        // The only error of a clock's sleep is that the task was cancelled, which the caller looks at itself.
        switch self.clockwork {
        case .continuous: try? await ContinuousClock().sleep(for: bounded - self.now)
        case .other(_, let sleep): try? await sleep(bounded)
        }
    }
}
