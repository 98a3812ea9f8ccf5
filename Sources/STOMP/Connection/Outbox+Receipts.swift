// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension Outbox {
    /// Appends a frame that carries a receipt, in one critical section with its waiter, and waits.
    ///
    /// - Parameters:
    ///   - timeout: how long the receipt may take.
    ///   - roomTimeout: how long to wait for room; `nil`: a frame that ends something, which is written even so and also
    ///     by a cancelled task, whose wait alone is given up.
    ///   - admission: what the frame is.
    ///   - isUrgent: write at once, whatever else is outstanding.
    ///   - waiter: what the receipt resolves.
    ///   - onAppended: called when the frame is in the outbox.
    ///   - build: appends the frame; its argument is the value of the `receipt` header. Called under the lock, once.
    /// - Throws: what `build` throws; ``STOMPError/Code/rejected``, ``STOMPError/Code/receiptTimedOut``,
    ///   ``STOMPError/Code/connectionLost``; when cancelled, the wait is forgotten and the frame is not taken back.
    func appendAwaitingReceipt(
        within timeout: Duration,
        roomWithin roomTimeout: Duration?,
        _ admission: Admission = .ending,
        isUrgent: Bool = false,
        waiter: Completion = Completion(),
        onAppended: @Sendable () -> Void = {},
        _ build: @escaping BuildWithReceipt
    ) async throws(STOMPError) {
        try await self.appendAwaitingReceipt(
            within: timeout,
            roomWithin: roomTimeout,
            admission,
            isUrgent: isUrgent,
            waiter: waiter,
            onAppended: onAppended,
            now: build,
            later: build
        )
    }

    /// Appends a frame, and its end or nothing; its second argument is the value of the `receipt` header.
    typealias BuildWithReceipt = @Sendable (inout State, _ receipt: UInt64) throws(STOMPError) -> Void

    // As above, for a frame that nearly always has room at once. `later` does as `build` does when there is none; it is
    // made only then, since it keeps what the frame consists of.
    func appendAwaitingReceipt(
        within timeout: Duration,
        roomWithin roomTimeout: Duration?,
        _ admission: Admission,
        isUrgent: Bool = false,
        waiter: Completion = Completion(),
        onAppended: @Sendable () -> Void,
        now build: (inout State, _ receipt: UInt64) throws(STOMPError) -> Void,
        later: @autoclosure () -> BuildWithReceipt
    ) async throws(STOMPError) {
        if roomTimeout != nil, Task.isCancelled { throw .cancelled }
        let now = self.time.now
        let (done, action) = try self.state.withLock { state throws(STOMPError) -> (RoomWaiter.Appended?, Action) in
            guard try self.hasRoom(state, admission) || roomTimeout == nil else { return (nil, .nothing) }
            let wasEmpty = state.pending.isEmpty
            let appended = try Self.append(&state, waiter, until: now + timeout, build)
            // The only one outstanding has nothing to be batched with.
            let isAlone = state.receipts.count == 1 && state.lastConfirmedCount <= 1
            return (appended, self.decide(&state, wasEmpty: wasEmpty, isUrgent: isUrgent || isAlone))
        }
        self.perform(action)
        var appended = done
        if appended == nil, let roomTimeout {
            let build = later()
            appended = try await self.appendWhenRoom(until: now + roomTimeout, admission, isUrgent: isUrgent) {
                state,
                now throws(STOMPError) in
                try Self.append(&state, waiter, until: now + timeout, build)
            }
        }
        onAppended()
        guard let (id, deadline) = appended?.receipt else { return }
        self.watch(deadline)
        try await self.wait(for: id, waiter)
    }

    /// Under the lock.
    private static func append(
        _ state: inout State,
        _ waiter: Completion,
        until deadline: Duration,
        _ build: (inout State, _ receipt: UInt64) throws(STOMPError) -> Void
    ) throws(STOMPError) -> RoomWaiter.Appended {
        let id = state.receipts.register(waiter, deadline: deadline)
        do throws(STOMPError) {
            try build(&state, id)
        } catch {
            _ = state.receipts.remove(id)
            throw error
        }
        return RoomWaiter.Appended(receipt: (id, deadline))
    }

    /// Waits for a receipt that was registered, and forgets it if the wait ends otherwise.
    func wait(for id: UInt64, _ waiter: Completion) async throws(STOMPError) {
        // A paused reader would not see the receipt.
        self.pause.relieve()
        do throws(STOMPError) {
            try await waiter.value()
        } catch {
            self.forget(id)
            throw error
        }
    }

    func forget(_ id: UInt64) {
        let quiet = self.state.withLock { state in
            _ = state.receipts.remove(id)
            return self.takeQuietWaiters(&state)
        }
        for waiter in quiet { waiter.resolve(.success(())) }
    }

    /// RECEIPTs have come.
    ///
    /// - Returns: those of them that name nothing that is pending.
    func confirm(_ ids: [UInt64]) -> [UInt64] {
        let (confirmed, unexpected, quiet) = self.state.withLock { state in
            var confirmed: [Completion] = []
            var unexpected: [UInt64] = []
            for id in ids {
                if let waiter = state.receipts.remove(id) { confirmed.append(waiter) } else { unexpected.append(id) }
            }
            state.lastConfirmedCount = confirmed.count
            return (confirmed, unexpected, self.takeQuietWaiters(&state))
        }
        for waiter in confirmed { waiter.resolve(.success(())) }
        for waiter in quiet { waiter.resolve(.success(())) }
        return unexpected
    }

    /// An ERROR names a receipt.
    ///
    /// - Returns: whether that was pending.
    func reject(_ id: UInt64, _ error: STOMPError) -> Bool {
        let (waiter, quiet) = self.state.withLock { state in
            (state.receipts.remove(id), self.takeQuietWaiters(&state))
        }
        waiter?.resolve(.failure(error))
        for waiter in quiet { waiter.resolve(.success(())) }
        return waiter != nil
    }

    /// Whether this id was given out on this connection, however it ended.
    func hasIssued(_ id: UInt64) -> Bool {
        self.state.withLock { id > 0 && id <= $0.receipts.highestID }
    }

    /// Whether a call waits for a RECEIPT, or for the peer to read: then we must read.
    var isAwaitingPeer: Bool {
        self.state.withLock { $0.receipts.count > 0 || !$0.room.isEmpty }
    }

    // MARK: - Deadlines

    /// Makes sure that `stomp.receipts` is awake at this time.
    func watch(_ deadline: Duration) {
        let signal = self.state.withLock { state -> Signal? in
            if let until = state.sleepingUntil, until <= deadline { return nil }
            state.sleepingUntil = deadline
            return state.isWatched ? self.deadlineSignal : self.ownerSignal
        }
        signal?.raise()
    }

    /// The task `stomp.receipts`: fails each wait at its own deadline, and nothing else.
    ///
    /// Ends when none is left; an idle connection does without it.
    func runDeadlines() async {
        while !Task.isCancelled {
            let now = self.time.now
            let (receipts, room, quiet, next) = self.state.withLock { state in
                let receipts = state.receipts.removeExpired(at: now)
                let room = state.room.removeExpired(at: now)
                let quiet = self.takeQuietWaiters(&state)
                var next = [state.receipts.nextDeadline, state.room.front?.deadline].compactMap(\.self).min()
                // Stays until the last deadline that it was told of, though nobody waits any more: others follow.
                if next == nil, let until = state.sleepingUntil, until > now { next = until }
                state.sleepingUntil = next
                // In one step, so that the next deadline either is seen here or starts another task.
                if next == nil { state.isWatched = false }
                return (receipts, room, quiet, next)
            }
            for waiter in receipts { waiter.resolve(.failure(Self.receiptTimedOut)) }
            for waiter in room { waiter.outcome.resolve(.failure(Self.outboxFull)) }
            for waiter in quiet { waiter.resolve(.success(())) }
            guard let next else { return }
            await self.deadlineSignal.wait(until: next, of: self.time)
        }
        // Cancelled: if the connection goes on, to say goodbye, another one takes over.
        self.state.withLock { $0.isWatched = false }
    }

    private static let receiptTimedOut = STOMPError(
        .receiptTimedOut,
        "The broker's RECEIPT did not come in time, so the outcome is unknown."
    )

    private static let outboxFull = STOMPError(
        .outboxFull,
        "The outbox stayed full, so nothing was sent: the broker does not read. Raise outboxLimit or send less."
    )
}
