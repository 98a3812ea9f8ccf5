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
    ///   - isUrgent: write at once, whatever else is outstanding.
    ///   - build: appends the frame; its argument is the value of the `receipt` header. Called again after a wait for
    ///     room.
    /// - Throws: what `build` throws; ``STOMPError/Code/rejected``, ``STOMPError/Code/receiptTimedOut``,
    ///   ``STOMPError/Code/connectionLost``; when cancelled, the wait is forgotten and the frame is not taken back.
    func appendAwaitingReceipt(
        within timeout: Duration,
        roomWithin roomTimeout: Duration?,
        isUrgent: Bool = false,
        _ build: (inout State, _ receipt: UInt64) throws(STOMPError) -> Void
    ) async throws(STOMPError) {
        if roomTimeout != nil, Task.isCancelled { throw .cancelled }
        let start = self.time.now
        let waiter = OneShot<Void>()
        while true {
            let deadline = self.time.now + timeout
            let (id, action) = try self.state.withLock { state throws(STOMPError) -> (UInt64?, Action) in
                guard try self.hasRoom(state) || roomTimeout == nil else { return (nil, .nothing) }
                let wasEmpty = state.pending.isEmpty
                let id = state.receipts.register(waiter, deadline: deadline)
                do throws(STOMPError) {
                    try build(&state, id)
                } catch {
                    _ = state.receipts.remove(id)
                    throw error
                }
                // The only one outstanding has nothing to be batched with.
                let isAlone = isUrgent || state.receipts.count == 1
                return (id, self.decide(&state, wasEmpty: wasEmpty, isUrgent: isAlone))
            }
            guard let id else {
                try await self.waitForRoom(until: start + (roomTimeout ?? .zero))
                continue
            }
            self.perform(action)
            self.watch(deadline)
            // A paused reader would not see the receipt.
            self.pause.relieve()
            do throws(STOMPError) {
                return try await waiter.value()
            } catch {
                self.forget(id)
                throw error
            }
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
            var confirmed: [OneShot<Void>] = []
            var unexpected: [UInt64] = []
            for id in ids {
                if let waiter = state.receipts.remove(id) { confirmed.append(waiter) } else { unexpected.append(id) }
            }
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

    /// Waits until no receipt is outstanding, at most until the deadlines of those that are.
    func waitUntilQuiet() async {
        let waiter = OneShot<Void>()
        let mustWait = self.state.withLock { state in
            guard case .open = state.phase, state.receipts.count > 0 else { return false }
            state.quiet.append(waiter)
            return true
        }
        guard mustWait else { return }
        do throws(STOMPError) {
            try await waiter.value()
        } catch {
            self.state.withLock { $0.quiet.removeAll { $0 === waiter } }
        }
    }

    private func takeQuietWaiters(_ state: inout State) -> [OneShot<Void>] {
        guard !state.quiet.isEmpty, state.receipts.count == 0 else { return [] }
        defer { state.quiet = [] }
        return state.quiet
    }

    // MARK: - Deadlines

    /// Makes sure that `stomp.receipts` is awake at this time.
    func watch(_ deadline: Duration) {
        let isEarlier = self.state.withLock { state in
            if let until = state.sleepingUntil, until <= deadline { return false }
            state.sleepingUntil = deadline
            return true
        }
        if isEarlier { self.deadlineSignal.raise() }
    }

    /// The task `stomp.receipts`: fails each wait at its own deadline, and nothing else.
    func runDeadlines() async {
        while !Task.isCancelled {
            let now = self.time.now
            let (receipts, room, quiet, next) = self.state.withLock { state in
                let receipts = state.receipts.removeExpired(at: now)
                let room = state.room.filter { $0.deadline <= now }
                state.room.removeAll { $0.deadline <= now }
                let earliest = (state.room.map(\.deadline) + [state.receipts.nextDeadline].compactMap(\.self)).min()
                state.sleepingUntil = earliest
                return (receipts, room, self.takeQuietWaiters(&state), earliest)
            }
            for waiter in receipts { waiter.resolve(.failure(Self.receiptTimedOut)) }
            for waiter in room { waiter.waiter.resolve(.failure(Self.outboxFull)) }
            for waiter in quiet { waiter.resolve(.success(())) }
            await self.sleepOrSignal(until: next)
        }
    }

    private func sleepOrSignal(until deadline: Duration?) async {
        guard let deadline else { return await self.deadlineSignal.wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask(name: "stomp.receipts.timer") { await self.time.sleep(until: deadline) }
            group.addTask(name: "stomp.receipts.signal") { await self.deadlineSignal.wait() }
            await group.next()
            group.cancelAll()
        }
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
