// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The reader's side.
extension SubscriptionStorage {
    /// Takes a batch, or says why not.
    ///
    /// Called by the connection's reader only.
    func deliver(_ batch: MessageBatch, at now: Duration) -> Verdict {
        var dropped = 0
        while true {
            let admitted = self.delivery.withLock { delivery in
                self.admit(batch, &delivery, at: now, &dropped)
            }
            let (continuation, number) = (admitted.continuation, admitted.streamNumber)
            guard let continuation else { return admitted.verdict }
            switch continuation.yield(batch) {
            case .terminated:
                let isStashed = self.delivery.withLock { delivery in
                    // A fresh stream may have come in between; then this batch belongs there.
                    guard delivery.streamNumber == number else {
                        delivery.bufferedByteCount -= batch.byteCount
                        delivery.droppable.removeAll { $0 === batch }
                        return false
                    }
                    delivery.stash.removeAll(where: \.isHollow)
                    delivery.stash.append(batch)
                    return true
                }
                if isStashed { return dropped > 0 ? .dropped(dropped) : .accepted }
            case .dropped(let oldest):
                dropped += self.delivery.withLock { delivery in
                    if oldest.isHollow { return 0 }
                    delivery.droppable.removeAll { $0 === oldest }
                    delivery.bufferedByteCount -= oldest.byteCount
                    return oldest.count
                }
                return dropped > 0 ? .dropped(dropped) : .accepted
            default:
                return dropped > 0 ? .dropped(dropped) : .accepted
            }
        }
    }

    private func admit(
        _ batch: MessageBatch,
        _ delivery: inout Delivery,
        at now: Duration,
        _ dropped: inout Int
    ) -> (continuation: AsyncStream<MessageBatch>.Continuation?, streamNumber: Int, verdict: Verdict) {
        if delivery.end != nil { return (nil, 0, .ended) }
        func isFull() -> Bool {
            delivery.bufferedByteCount > 0 && delivery.bufferedByteCount + batch.byteCount > self.options.hardLimit
        }
        if isFull() {
            switch (self.options.overflow, self.mode) {
            case (.dropNewest, .auto):
                return (nil, 0, .dropped(batch.count))
            case (.dropOldest, .auto):
                while isFull(), !delivery.droppable.isEmpty {
                    let oldest = delivery.droppable.removeFirst()
                    delivery.bufferedByteCount -= oldest.byteCount
                    dropped += oldest.count
                    oldest.hollow()
                }
            default:
                return (nil, 0, .overflow)
            }
        }
        delivery.bufferedByteCount += batch.byteCount
        if self.options.overflow == .dropOldest { delivery.droppable.append(batch) }
        if delivery.isFull, delivery.stuckSince == nil { delivery.stuckSince = now }
        return (delivery.continuation, delivery.streamNumber, .accepted)
    }

    /// Whether reading more would only fill this buffer further, and whether somebody waits for more.
    var demand: (isAtSoftLimit: Bool, isWaiting: Bool) {
        self.delivery.withLock { delivery in
            guard delivery.end == nil else { return (false, false) }
            return (delivery.isFull, delivery.isWaiting)
        }
    }

    var isAtSoftLimit: Bool {
        self.demand.isAtSoftLimit
    }

    /// The reader waits: nothing will come to tell since when it has been full.
    func noteWait(at now: Duration) {
        self.delivery.withLock { delivery in
            if delivery.end == nil, delivery.isFull, delivery.stuckSince == nil { delivery.stuckSince = now }
        }
    }

    /// Since when it has been at its soft limit and unread, unless that was reported.
    var stuckSince: Duration? {
        self.delivery.withLock { $0.isReportedStuck || $0.end != nil ? nil : $0.stuckSince }
    }

    /// Whether this subscription has been at its limit, unread, for `timeout`.
    ///
    /// Says so once.
    func becameStuck(at now: Duration, after timeout: Duration) -> Bool {
        self.delivery.withLock { delivery in
            guard let since = delivery.stuckSince, !delivery.isReportedStuck, now - since >= timeout else {
                return false
            }
            delivery.isReportedStuck = true
            return true
        }
    }
}
