// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension Outbox {
    /// Appends a frame once there is room, after those that have waited longer.
    ///
    /// Whoever makes room appends it, so that nobody overtakes and no sender that is slow to wake keeps others out.
    ///
    /// - Parameters:
    ///   - deadline: until when to wait.
    ///   - admission: what the frame is.
    ///   - isUrgent: write at once, if there is room at once.
    ///   - append: appends the whole frame, or throws and appends nothing.
    /// - Returns: what `append` does.
    /// - Throws: what `append` throws; ``STOMPError/Code/outboxFull`` at the deadline; why the connection ended; or that
    ///   the task was cancelled. In all cases nothing was appended.
    func appendWhenRoom(
        until deadline: Duration,
        _ admission: Admission,
        isUrgent: Bool = false,
        _ append: @escaping RoomWaiter.Append
    ) async throws(STOMPError) -> RoomWaiter.Appended {
        if Task.isCancelled { throw .cancelled }
        // The socket may have room by now.
        self.flush()
        let now = self.time.now
        let outcome = OneShot<RoomWaiter.Appended>()
        let (action, ticket) = try self.state.withLock { state throws(STOMPError) -> (Action, UInt64?) in
            guard try self.hasRoom(state, admission) else {
                return (.nothing, state.room.enqueue(append, until: deadline, outcome))
            }
            let wasEmpty = state.pending.isEmpty
            outcome.resolve(.success(try append(&state, now)))
            return (self.decide(&state, wasEmpty: wasEmpty, isUrgent: isUrgent), nil)
        }
        self.perform(action)
        guard let ticket else { return try await outcome.value() }
        self.watch(deadline)
        // A broker that does not read us may be waiting for us to read it.
        self.pause.relieve()
        return try await outcome.value { self.leaveRoomQueue(ticket) }
    }

    /// The call was cancelled: if its frame still waits, it is not sent.
    private func leaveRoomQueue(_ ticket: UInt64) {
        let (waiter, quiet) = self.state.withLock { state in
            (state.room.remove(ticket), self.takeQuietWaiters(&state))
        }
        waiter?.outcome.resolve(.failure(.cancelled))
        for waiter in quiet { waiter.resolve(.success(())) }
    }

    /// What those whose frames have left the queue are told, once the lock is released.
    typealias RoomOutcome = (outcome: OneShot<RoomWaiter.Appended>, result: Result<RoomWaiter.Appended, STOMPError>)

    /// Called under the lock when bytes have left: appends from the front of the queue what there is room for.
    ///
    /// At most some 64 KiB at a time, since the lock is held meanwhile; these go out before this is called again.
    func admitWaiting(_ state: inout State, at now: Duration) -> [RoomOutcome] {
        guard !state.room.isEmpty, state.byteCount <= self.limit / 2 else { return [] }
        var outcomes: [RoomOutcome] = []
        while state.byteCount < self.limit, state.pending.count < Self.flushThreshold,
            let waiter = state.room.removeFront()
        {
            do throws(STOMPError) {
                let appended = try waiter.append(&state, now)
                outcomes.append((waiter.outcome, .success(appended)))
            } catch {
                outcomes.append((waiter.outcome, .failure(error)))
            }
        }
        return outcomes
    }
}
