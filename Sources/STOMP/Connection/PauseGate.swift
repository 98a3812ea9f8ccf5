// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Synchronization

/// Lets whoever frees room wake a reader that has paused.
final class PauseGate: Sendable {
    let isPaused = Atomic(false)
    let signal = Signal()

    /// Room was made, a consumer waits, a receipt is awaited or a subscription ended: the reader must look again.
    ///
    /// Both sides write their own word before they read the other's, in one order for all: either the reader sees the
    /// room, or this sees the pause.
    func relieve() {
        if self.isPaused.load(ordering: .sequentiallyConsistent) { self.signal.raise() }
    }
}
