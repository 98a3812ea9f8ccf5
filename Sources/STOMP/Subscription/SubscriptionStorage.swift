// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
public import Synchronization

/// What a subscription has received and not handed out: the stream of batches, the batch being handed out, the limits
/// and the reason of the end.
///
/// One consumer takes from it at a time, whatever loops and iterators there are.
///
/// `@unchecked Sendable`: what `place` points to, `ready`, `iterator` and `needsFreshStream` belong to whoever has set
/// `isTaken`, and that flag orders their uses; all else is constant, atomic or behind `delivery`.
@usableFromInline
final class SubscriptionStorage: @unchecked Sendable {
    /// Where in which batch the consumer is.
    @usableFromInline
    struct Place {
        @usableFromInline
        var batch: MessageBatch?
        @usableFromInline
        var cursor = 0
        @usableFromInline
        var windowEnd = 0

        init() {}
    }

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

    private struct Delivery: Sendable {
        var continuation: AsyncStream<MessageBatch>.Continuation
        /// Counts the streams: a cancelled consumer ends its stream for good, and the next loop gets a fresh one.
        var streamNumber = 0
        /// What came while the stream was ended and no fresh one made.
        var stash: [MessageBatch] = []
        /// For `dropOldest`: what the stream holds, oldest first.
        var droppable: [MessageBatch] = []
        var bufferedByteCount = 0
        var isWaiting = false
        var end: End?
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
    let owner: DeliveryOwner
    /// What SUBSCRIBE said beyond what the client says.
    let headers: STOMPHeaders

    @usableFromInline
    let isTaken = Atomic(false)
    /// Buffered messages must not be handed out any more: the broker has them back.
    @usableFromInline
    let isRevoked = Atomic(false)
    /// Behind a pointer, which this object owns: properties of a class are checked for exclusivity at each access.
    @usableFromInline
    let place: UnsafeMutablePointer<Place>
    /// What an ended stream has left, the next one last: taking it lets go of it, which a slice would not.
    private var ready: [MessageBatch] = []
    private var iterator: AsyncStream<MessageBatch>.Iterator
    private var needsFreshStream = false
    private let delivery: Locked<Delivery>

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
        self.owner = owner
        self.headers = headers
        let (stream, continuation) = Self.makeStream(options)
        self.iterator = stream.makeAsyncIterator()
        self.delivery = Locked(Delivery(continuation: continuation))
        self.place = .allocate(capacity: 1)
        self.place.initialize(to: Place())
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

    /// The next buffered message, without waiting.
    ///
    /// 3 to 4 ns in the loop of a caller that inlines it, against some 60
    /// for a call across modules.
    @inlinable
    @inline(__always)
    func takeBuffered() -> STOMPMessage? {
        guard !self.isTaken.exchange(true, ordering: .acquiring) else { return nil }
        let index = self.place.pointee.cursor
        guard
            index < self.place.pointee.windowEnd, !self.isRevoked.load(ordering: .relaxed),
            let batch = self.place.pointee.batch
        else {
            self.isTaken.store(false, ordering: .releasing)
            return nil
        }
        self.place.pointee.cursor = index &+ 1
        self.isTaken.store(false, ordering: .releasing)
        return STOMPMessage(batch: batch, index: index)
    }

    /// The next message; waits for one.
    ///
    /// `nil`: the subscription has ended as wished, or the task was cancelled.
    @inline(never)
    @usableFromInline
    func takeNext(isolation: isolated (any Actor)?) async throws(STOMPError) -> STOMPMessage? {
        guard !self.isTaken.exchange(true, ordering: .acquiring) else {
            throw STOMPError(
                .alreadyIterating,
                "Another task iterates the subscription \(self.id); iterate it in one place and share the messages."
            )
        }
        defer { self.isTaken.store(false, ordering: .releasing) }
        while true {
            if self.isRevoked.load(ordering: .acquiring) { return try self.endRevoked() }
            if Task.isCancelled {
                self.delivery.withLock { $0.isWaiting = false }
                return nil
            }
            if let batch = self.place.pointee.batch, self.place.pointee.cursor < batch.count {
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
        let isHollow = self.delivery.withLock { delivery in
            delivery.isWaiting = false
            if self.options.overflow == .dropOldest { delivery.droppable.removeAll { $0 === batch } }
            return batch.isHollow
        }
        self.place.pointee = Place()
        if !isHollow { self.place.pointee.batch = batch }
    }

    /// Gives back the credit of the batch that was handed out.
    private func releaseCurrent() {
        guard let batch = self.place.pointee.batch else { return }
        self.place.pointee = Place()
        self.delivery.withLock { delivery in
            delivery.bufferedByteCount -= batch.byteCount
            delivery.stuckSince = nil
            delivery.isReportedStuck = false
        }
        self.owner.outbox.pause.relieve()
    }

    /// About to suspend: our own acks should not wait for the writer, and a paused reader must go on.
    private func prepareToWait() {
        let hasBuffered = self.delivery.withLock { delivery in
            delivery.isWaiting = delivery.bufferedByteCount == 0
            return delivery.bufferedByteCount > 0
        }
        guard !hasBuffered else { return }
        self.owner.outbox.pause.relieve()
        self.owner.outbox.flush()
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

    private func endRevoked() throws(STOMPError) -> STOMPMessage? {
        self.place.pointee = Place()
        self.ready = []
        _ = try self.hasFinished()
        return nil
    }

    // MARK: - The reader's side

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
            switch (self.options.overflow, self.owner.mode) {
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
        if delivery.bufferedByteCount >= self.options.softLimit, delivery.stuckSince == nil {
            delivery.stuckSince = now
        }
        return (delivery.continuation, delivery.streamNumber, .accepted)
    }

    /// Whether reading more would only fill this buffer further, and whether somebody waits for more.
    var demand: (isAtSoftLimit: Bool, isWaiting: Bool) {
        self.delivery.withLock { delivery in
            guard delivery.end == nil else { return (false, false) }
            return (delivery.bufferedByteCount >= self.options.softLimit, delivery.isWaiting)
        }
    }

    var isAtSoftLimit: Bool {
        self.demand.isAtSoftLimit
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
            if revoking {
                delivery.stash = []
                delivery.droppable = []
            }
            return delivery.continuation
        }
        guard let continuation else { return false }
        if revoking { self.isRevoked.store(true, ordering: .releasing) }
        continuation.finish()
        self.owner.outbox.pause.relieve()
        return true
    }

    var hasEnded: Bool {
        self.delivery.withLock { $0.end != nil }
    }
}
