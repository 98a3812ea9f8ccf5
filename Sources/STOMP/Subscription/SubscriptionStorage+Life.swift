// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization

/// One subscription lives across connections: interrupted by the end of one, resumed by the next, and ended once.
extension SubscriptionStorage {
    /// Who the messages of the present connection, or of the last one, belong to.
    var owner: DeliveryOwner {
        self.delivery.withLock { $0.owner }
    }

    /// Whether the broker has confirmed it, on whichever connection.
    var isEstablished: Bool {
        self.confirmation.hasSucceeded && !self.hasEnded
    }

    /// Whether there is no connection that knows it.
    var isInterrupted: Bool {
        self.delivery.withLock { $0.isInterrupted }
    }

    /// The connection has ended, and another may follow.
    ///
    /// What is buffered and needs an answer is given up: it could not be answered any more, and comes again.
    func interrupt() {
        self.delivery.withLock { delivery in
            delivery.isInterrupted = true
            delivery.stuckSince = nil
        }
        self.place.pointee.isRevoked.store(true, ordering: .sequentiallyConsistent)
    }

    /// A new connection subscribes again; called in the critical section that appends SUBSCRIBE.
    ///
    /// - Returns: whether the subscription still lives.
    func resume(_ owner: DeliveryOwner) -> Bool {
        self.delivery.withLock { delivery in
            guard delivery.end == nil, !delivery.isSealed else { return false }
            // What is stale is still there and counts no more: the broker sends all of it again.
            if self.mode != .auto { delivery.bufferedByteCount = 0 }
            delivery.owner = owner
            delivery.isInterrupted = false
            return true
        }
    }

    // MARK: - The end

    /// Ends the stream; only the first call counts.
    ///
    /// - Parameters:
    ///   - end: how the loop over it ends.
    ///   - revoking: what is buffered is not handed out any more, since the broker gets it back.
    /// - Returns: whether this call was the first.
    @discardableResult
    func end(_ end: End, revoking: Bool) -> Bool {
        let continuation = self.delivery.withLock { delivery -> AsyncStream<MessageBatch>.Continuation? in
            guard delivery.end == nil else { return nil }
            delivery.end = end
            delivery.isRevoked = revoking
            if revoking {
                delivery.stash = []
                delivery.droppable = []
            }
            return delivery.continuation
        }
        guard let continuation else { return false }
        if revoking { self.place.pointee.isRevoked.store(true, ordering: .sequentiallyConsistent) }
        continuation.finish()
        self.owner.outbox.pause.relieve()
        return true
    }

    var hasEnded: Bool {
        self.delivery.withLock { $0.end != nil }
    }

    // MARK: - Draining

    /// Hands out nothing more; the loop ends at its next message, as if the subscription had.
    ///
    /// What was handed out can be answered until UNSUBSCRIBE.
    func seal() {
        let continuation = self.delivery.withLock { delivery -> AsyncStream<MessageBatch>.Continuation? in
            guard delivery.end == nil, !delivery.isSealed else { return nil }
            delivery.isSealed = true
            return delivery.continuation
        }
        guard let continuation else { return }
        self.place.pointee.isRevoked.store(true, ordering: .sequentiallyConsistent)
        continuation.finish()
    }

    /// Whether the consumer has a message and has not come back for the next one.
    var isBusy: Bool {
        self.isHandling.load(ordering: .sequentiallyConsistent)
    }

    /// The consumer has come back for the next message, or has left its loop.
    func noteHandled() {
        self.isHandling.store(false, ordering: .sequentiallyConsistent)
        // Nearly always nobody: a draining client has set the mark first.
        guard self.place.pointee.isRevoked.load(ordering: .sequentiallyConsistent) else { return }
        self.delivery.withLock { $0.handler }?.resolve(.success(()))
    }

    /// Returns when the consumer has come back from the last message that it was given, or when the task is cancelled.
    ///
    /// After ``seal()``.
    func waitForHandler() async {
        let handler = Completion()
        self.delivery.withLock { $0.handler = handler }
        // Stored before the look, as the consumer looks after its store.
        if !self.isHandling.load(ordering: .sequentiallyConsistent) { handler.resolve(.success(())) }
        try? await handler.value()
    }
}

extension SubscriptionStorage.Delivery {
    /// A batch is not buffered any more.
    mutating func release(_ batch: MessageBatch) {
        // Those of an earlier connection have been taken off all at once.
        guard batch.owner.mode == .auto || batch.owner === self.owner else { return }
        self.bufferedByteCount -= batch.byteCount
    }

    /// Whether the broker delivers these messages again, since they came by a connection that has ended.
    ///
    /// Those that need no answer do not come again.
    func isStale(_ batch: MessageBatch) -> Bool {
        guard batch.owner.mode != .auto else { return false }
        return self.isInterrupted || batch.owner !== self.owner
    }
}
