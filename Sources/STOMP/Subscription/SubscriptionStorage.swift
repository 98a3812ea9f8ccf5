// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization

/// What a subscription has received and not handed out: the stream of batches, the batch being handed out, the limits
/// and the reason of the end.
///
/// One consumer takes from it at a time, whatever loops and iterators there are.
///
/// `@unchecked Sendable`: what `place` points to but its two flags, which are atomic, and `ready`, `iterator` and
/// `needsFreshStream` belong to whoever has set `isTaken`, and that flag orders their uses; all else is constant, atomic
/// or behind `delivery`.
@usableFromInline
final class SubscriptionStorage: @unchecked Sendable {
    /// How the subscription ended.
    enum End: Sendable {
        case finished
        case failed(STOMPError)
    }

    /// What became of a batch.
    enum Verdict {
        case accepted
        case dropped(Int)
        case overflow
        case ended
    }

    struct Delivery: Sendable {
        /// Who the messages of the present connection belong to.
        var owner: DeliveryOwner
        var continuation: AsyncStream<MessageBatch>.Continuation
        /// Counts the streams: a cancelled consumer ends its stream for good, and the next loop gets a fresh one.
        var streamNumber = 0
        /// What came while the stream was ended and no fresh one made.
        var stash: [MessageBatch] = []
        /// For `dropOldest`: what the stream holds, oldest first.
        var droppable: [MessageBatch] = []
        let softLimit: Int
        var bufferedByteCount = 0 {
            didSet {
                if self.bufferedByteCount >= self.softLimit {
                    self.isFull = true
                } else if self.bufferedByteCount <= self.softLimit / 2 {
                    self.isFull = false
                }
            }
        }
        /// It has reached the soft limit, and is still more than half full: a reader that has paused for it should not go
        /// on for every batch that is taken.
        private(set) var isFull = false
        var isWaiting = false
        var end: End?
        /// What is buffered goes back to the broker, and must not be handed out.
        var isRevoked = false
        /// The connection has ended, and another may follow.
        var isInterrupted = false
        /// Nothing more is handed out, though what was can still be answered.
        var isSealed = false
        /// Who waits until the last message that was handed out has been handled.
        var handler: Completion?
        /// Since when the buffer has been at its soft limit with nothing taken from it.
        var stuckSince: Duration?
        var isReportedStuck = false
    }

    /// How many messages may pass without a look at whether the task was cancelled.
    private static let window = 64
    /// For `dropOldest`: hollow batches are small, but not nothing.
    private static let hollowLimit = 4_096

    let id: String
    let destination: STOMPDestination
    let options: STOMPSubscriptionOptions
    let mode: STOMPAckMode
    /// What SUBSCRIBE said beyond what the client says.
    let headers: STOMPHeaders

    /// Whether the consumer has a message and has not come back for the next one.
    let isHandling = Atomic(false)
    /// Resolved when the broker has confirmed the first SUBSCRIBE.
    let confirmation = Completion()
    /// What iterators share with this object, which owns it.
    @usableFromInline
    let place: UnsafeMutablePointer<ConsumerPlace>
    /// What an ended stream has left, the next one last: taking it lets go of it, which a slice would not.
    private var ready: [MessageBatch] = []
    private var iterator: AsyncStream<MessageBatch>.Iterator
    private var needsFreshStream = false
    let delivery: Locked<Delivery>

    init(
        id: String,
        destination: STOMPDestination,
        options: STOMPSubscriptionOptions,
        owner: DeliveryOwner,
        headers: STOMPHeaders
    ) {
        self.id = id
        self.destination = destination
        self.options = options
        self.mode = owner.mode
        self.headers = headers
        let (stream, continuation) = Self.makeStream(options)
        self.iterator = stream.makeAsyncIterator()
        self.delivery = Locked(
            Delivery(owner: owner, continuation: continuation, softLimit: max(1, options.softLimit))
        )
        self.place = ConsumerPlace.allocate()
    }

    deinit {
        self.place.deinitialize(count: 1)
        self.place.deallocate()
    }

    private static func makeStream(
        _ options: STOMPSubscriptionOptions
    ) -> (stream: AsyncStream<MessageBatch>, continuation: AsyncStream<MessageBatch>.Continuation) {
        // Bounded in bytes by `deliver`.
        AsyncStream.makeStream(
            bufferingPolicy: options.overflow == .dropOldest ? .bufferingNewest(Self.hollowLimit) : .unbounded
        )
    }

    // MARK: - The consumer's side

    /// The next message; waits for one.
    ///
    /// `nil`: the subscription has ended as wished, or the task was cancelled.
    @inline(never)
    @usableFromInline
    func takeNext(isolation: isolated (any Actor)?) async throws(STOMPError) -> STOMPMessage? {
        guard !self.place.pointee.isTaken.exchange(true, ordering: .acquiring) else {
            throw STOMPError(
                .alreadyIterating,
                "Another task iterates the subscription \(self.id); iterate it in one place and share the messages."
            )
        }
        defer { self.place.pointee.isTaken.store(false, ordering: .releasing) }
        self.isHandling.store(false, ordering: .relaxed)
        while true {
            if self.place.pointee.isRevoked.load(ordering: .acquiring), try self.mustStop() { return nil }
            if Task.isCancelled {
                self.delivery.withLock { $0.isWaiting = false }
                return nil
            }
            if let batch = self.place.pointee.batch, self.place.pointee.cursor < batch.count {
                self.isHandling.store(true, ordering: .sequentiallyConsistent)
                // Who seals and then finds nobody handling has been seen here.
                guard !self.place.pointee.isRevoked.load(ordering: .sequentiallyConsistent) else {
                    self.isHandling.store(false, ordering: .relaxed)
                    continue
                }
                let index = self.place.pointee.cursor
                self.place.pointee.windowEnd = min(index + Self.window, batch.count)
                self.place.pointee.cursor = index + 1
                return STOMPMessage(batch: batch, index: index)
            }
            self.releaseCurrent()
            if self.needsFreshStream { await self.renewStream(isolation: isolation) }
            if let batch = self.ready.popLast() {
                self.load(batch)
                continue
            }
            self.prepareToWait()
            var iterator = self.iterator
            guard let batch = await iterator.next(isolation: isolation) else {
                if try self.hasFinished() { return nil }
                // The stock stream ends for good when its consumer is cancelled, also when that one got an element.
                self.needsFreshStream = true
                continue
            }
            self.load(batch)
        }
    }

    private func load(_ batch: MessageBatch) {
        let isDead = self.delivery.withLock { delivery in
            delivery.isWaiting = false
            if self.options.overflow == .dropOldest { delivery.droppable.removeAll { $0 === batch } }
            guard delivery.isStale(batch) else { return batch.isHollow }
            delivery.release(batch)
            return true
        }
        ConsumerPlace.load(isDead ? nil : batch, at: self.place)
    }

    /// Gives back the credit of the batch that was handed out.
    private func releaseCurrent() {
        guard let batch = self.place.pointee.batch else { return }
        ConsumerPlace.load(nil, at: self.place)
        let isFull = self.delivery.withLock { delivery in
            delivery.release(batch)
            delivery.stuckSince = nil
            delivery.isReportedStuck = false
            return delivery.isFull
        }
        if !isFull { self.owner.outbox.pause.relieve() }
    }

    /// About to suspend: our own acks should not wait for the writer, and a paused reader must go on.
    private func prepareToWait() {
        let outbox = self.delivery.withLock { delivery -> Outbox? in
            delivery.isWaiting = delivery.bufferedByteCount == 0
            return delivery.isWaiting ? delivery.owner.outbox : nil
        }
        outbox?.pause.relieve()
        outbox?.flushUnlessReading()
    }

    private func renewStream(isolation: isolated (any Actor)?) async {
        // The ended stream still holds what came before; it gives that without waiting.
        var old = self.iterator
        var left: [MessageBatch] = []
        while let batch = await old.next(isolation: isolation) { left.append(batch) }
        let (stream, continuation) = Self.makeStream(self.options)
        self.iterator = stream.makeAsyncIterator()
        self.needsFreshStream = false
        let (end, stash) = self.delivery.withLock { delivery -> (End?, [MessageBatch]) in
            delivery.continuation = continuation
            delivery.streamNumber += 1
            defer { delivery.stash = [] }
            return (delivery.end, delivery.stash)
        }
        // Nothing is ready here: a stream is asked only then, and only then found to have ended.
        self.ready = (left + stash).reversed()
        if end != nil { continuation.finish() }
    }

    /// Whether the stream's end is the subscription's, with nothing left that came by another stream.
    private func hasFinished() throws(STOMPError) -> Bool {
        switch self.delivery.withLock({ $0.stash.isEmpty ? $0.end : nil }) {
        case .none: return false
        case .finished: return true
        case .failed(let error): throw error
        }
    }

    /// Gives up what must not be handed out any more.
    ///
    /// - Returns: whether the loop ends.
    private func mustStop() throws(STOMPError) -> Bool {
        // Before the look: who revokes afterwards sets it again.
        self.place.pointee.isRevoked.store(false, ordering: .sequentiallyConsistent)
        let (isRevoked, isSealed) = self.delivery.withLock { ($0.isRevoked, $0.isSealed) }
        if isRevoked || isSealed {
            self.place.pointee.isRevoked.store(true, ordering: .sequentiallyConsistent)
            self.releaseCurrent()
            self.ready = []
            self.noteHandled()
            _ = try self.hasFinished()
            return true
        }
        if let batch = self.place.pointee.batch, self.delivery.withLock({ $0.isStale(batch) }) { self.releaseCurrent() }
        return false
    }
}
