// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

/// Time that really passes: a broker of its own has no clock that could be moved.
///
/// The only sleeps of these tests.
enum RealTime {
    /// Suspends the task for so long.
    static func pass(_ duration: Duration) async throws {
        try await Task.sleep(for: duration)
    }

    /// Blocks the thread for so long.
    static func block(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        Thread.sleep(forTimeInterval: TimeInterval(seconds) + TimeInterval(attoseconds) / 1e18)
    }
}
