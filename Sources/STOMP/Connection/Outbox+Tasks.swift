// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Synchronization

/// Tasks that a connection does without until it needs them: each has memory of its own, and most connections idle.
extension Outbox {
    /// What the owner of the connection's tasks is to start.
    struct Wishes {
        var writer = false
        var receipts = false
    }

    /// Asked at first, and after each ``ownerSignal``; the answer is given once for each task.
    ///
    /// Who wishes a task changes the state first, then raises the signal if the task was not there.
    func takeWishes() -> Wishes {
        self.state.withLock { state in
            var wishes = Wishes()
            if !self.hasWriter.load(ordering: .relaxed), state.byteCount > 0 || state.writeFailure != nil {
                self.hasWriter.store(true, ordering: .releasing)
                wishes.writer = true
            }
            if !state.isWatched, state.sleepingUntil != nil {
                state.isWatched = true
                wishes.receipts = true
            }
            return wishes
        }
    }

    /// The writer has ended, before the connection has: at the next wish there is another one.
    func endWriting() {
        self.state.withLock { _ in self.hasWriter.store(false, ordering: .releasing) }
    }
}
