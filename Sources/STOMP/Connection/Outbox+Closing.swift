// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension Outbox {
    /// Someone who says DISCONNECT as soon as nothing is outstanding.
    struct QuietWaiter: Sendable {
        let serializer: FrameSerializer
        /// Until when the receipt of DISCONNECT is waited for.
        let deadline: Duration
        let turn: Completion
    }

    /// From here on nothing new begins; acks, nacks, UNSUBSCRIBE, and all of a transaction that is open still go out.
    ///
    /// - Returns: whether the connection was open until now.
    @discardableResult
    func beginDraining() -> Bool {
        self.state.withLock { state in
            guard case .open = state.phase else { return false }
            state.phase = .draining
            return true
        }
    }

    /// Drains, and appends DISCONNECT in the critical section that finds nothing outstanding: no receipt is awaited, and
    /// no call that was made before waits for room.
    ///
    /// Returns then, when the connection ends, or when the task is cancelled.
    ///
    /// - Parameters:
    ///   - serializer: the connection's.
    ///   - deadline: until when the receipt of DISCONNECT is waited for, if it can be said at once.
    ///   - latest: until when, if not.
    func drain(serializer: FrameSerializer, until deadline: Duration, orLater latest: Duration) async {
        self.beginDraining()
        let turn = Completion()
        let mustWait = self.state.withLock { state in
            guard case .draining = state.phase else { return false }
            if Self.isQuiet(state) {
                self.appendDisconnect(&state, serializer: serializer, deadline: deadline)
                return false
            }
            state.quiet.append(QuietWaiter(serializer: serializer, deadline: latest, turn: turn))
            return true
        }
        guard mustWait else { return }
        do throws(STOMPError) {
            try await turn.value()
        } catch {
            self.state.withLock { $0.quiet.removeAll { $0.turn === turn } }
        }
    }

    private static func isQuiet(_ state: borrowing State) -> Bool {
        state.receipts.count == 0 && state.room.isEmpty
    }

    /// Called under the lock when something outstanding may have been the last: then says DISCONNECT, and takes those
    /// who wait for that.
    func takeQuietWaiters(_ state: inout State) -> [Completion] {
        guard let first = state.quiet.first, Self.isQuiet(state) else { return [] }
        self.appendDisconnect(&state, serializer: first.serializer, deadline: first.deadline)
        defer { state.quiet = [] }
        return state.quiet.map(\.turn)
    }

    /// Called under the lock: no frame after this one.
    private func appendDisconnect(_ state: inout State, serializer: FrameSerializer, deadline: Duration) {
        guard state.phase.admits(.ending) else { return }
        state.phase = .closing
        let waiter = Completion()
        let id = state.receipts.register(waiter, deadline: deadline)
        // These headers can be said in every version, so this does not throw.
        let frame = STOMPFrame(.disconnect, headers: [.receipt: String(id)])
        guard (try? serializer.append(frame, to: &state.pending)) != nil else { return }
        state.farewell = waiter
    }

    /// Says DISCONNECT, whatever is outstanding, if that has not been said.
    ///
    /// - Returns: the waiter for its receipt, for the first to ask; `nil` for others.
    func disconnect(serializer: FrameSerializer, deadline: Duration) -> Completion? {
        let (farewell, refused) = self.state.withLock { state -> (Completion?, [RoomWaiter]) in
            self.appendDisconnect(&state, serializer: serializer, deadline: deadline)
            defer { state.farewell = nil }
            return (state.farewell, state.room.removeAll())
        }
        // Nothing may follow DISCONNECT.
        for waiter in refused { waiter.outcome.resolve(.failure(Self.refusal(.closing))) }
        guard let farewell else { return nil }
        self.watch(deadline)
        self.pause.relieve()
        self.flush()
        return farewell
    }

    var isClosing: Bool {
        self.state.withLock { !$0.phase.admits(.ending) }
    }

    /// Ends everything that waits here; later calls throw.
    ///
    /// - Returns: at most how many SENDs were not written of whose loss no call tells.
    @discardableResult
    func close(_ reason: STOMPError) -> Int {
        // An ERROR that names a receipt, where every ERROR is fatal.
        let refusing = reason.code == .serverError ? reason.frame : nil
        let refusedID = refusing?.headers[.receiptID].flatMap { ReceiptTable<Void>.id(from: $0) }
        let (refused, receipts, room, quiet, lost) = self.state.withLock {
            state -> (Completion?, [Completion], [RoomWaiter], [QuietWaiter], Int) in
            if case .closed = state.phase { return (nil, [], [], [], 0) }
            state.phase = .closed(reason)
            let refused = refusedID.flatMap { state.receipts.remove($0) }
            let receipts = state.receipts.removeAll()
            let room = state.room.removeAll()
            let quiet = state.quiet
            let lost = state.pendingSendCount + state.inFlightSendCount
            state.quiet = []
            state.farewell = nil
            state.deliveries = DeliveryTable()
            state.transactions = TransactionTable()
            state.leavers = LeaverTable()
            state.pending = OutputBuffer()
            if !state.isFlushing { state.rest = OutputBuffer() }
            return (refused, receipts, room, quiet, lost)
        }
        let unknown =
            reason.code == .serverError
            ? reason
            : STOMPError(
                .connectionLost,
                "The connection ended before the receipt came, so the outcome is unknown: \(reason.message)",
                frame: reason.frame,
                cause: reason
            )
        let refusal = Self.refusal(.closed(reason))
        if let refusing { refused?.resolve(.failure(.rejected(by: refusing))) }
        for waiter in receipts { waiter.resolve(.failure(unknown)) }
        for waiter in room { waiter.outcome.resolve(.failure(refusal)) }
        for waiter in quiet { waiter.turn.resolve(.failure(refusal)) }
        return lost
    }
}

extension STOMPError {
    /// An ERROR names a frame of ours.
    static func rejected(by frame: STOMPFrame) -> STOMPError {
        STOMPError(.rejected, "The broker refused it: \(frame.errorText)", frame: frame)
    }
}
