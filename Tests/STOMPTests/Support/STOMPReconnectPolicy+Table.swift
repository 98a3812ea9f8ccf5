// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

@testable import STOMP

extension STOMPReconnectPolicy.Delay {
    /// The first delays in milliseconds, each with the same share of its jitter.
    func milliseconds(_ count: Int, share: Double) -> [Double] {
        (0..<count).compactMap { self.delay($0, share: share) }
    }

    func delay(_ number: Int, share: Double) -> Double? {
        var chance: any RandomNumberGenerator & Sendable = SameShare(share: share)
        let situation = STOMPReconnectPolicy.Situation(
            precedingDelays: number,
            elapsed: .zero,
            reason: STOMPError(.connectFailed, "")
        )
        return self.next(situation, using: &chance).map { $0.delay / .milliseconds(1) }
    }
}
