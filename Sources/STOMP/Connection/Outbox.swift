// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization

/// Everything that a frame going out must change at once, under one lock: the bytes to be written, whether writing is
/// still allowed, who waits for which receipt, which deliveries may still be answered, which transactions are open.
///
/// One per connection: what is handed to it dies with it. The lock is never held over a system call, a resumption or
/// a user's code.
@usableFromInline
package final class Outbox: Sendable {
    enum Phase: Sendable {
        case open
        /// What was begun may be ended, and nothing new begins.
        case draining
        /// DISCONNECT is in the buffer: nothing may follow it (STOMP 1.2, DISCONNECT).
        case closing
        case closed(STOMPError)
    }

    /// Which frames a connection that is about to end still takes.
    enum Admission: Sendable {
        /// SEND, SUBSCRIBE, BEGIN.
        case beginning
        /// What answers, belongs to or ends something that was begun.
        case ending
    }

    struct State: ~Copyable, Sendable {
        var phase = Phase.open
        /// What was appended since the last flush began.
        var pending = OutputBuffer()
        /// What a short write left, or an empty buffer for the next flush.
        var rest = OutputBuffer()
        var restPosition = 0
        /// Bytes that are neither pending nor written.
        var inFlightCount = 0
        /// The flush token: whoever set it writes, outside the lock.
        var isFlushing = false
        /// The reader goes on reading, and writes what waits after each of its turns.
        var isReaderAtWork = false
        var flushCount: UInt64 = 0
        var writeFailure: STOMPError?
        /// SENDs in `pending` and in flight whose callers have been told no more than that: who tells of the loss of
        /// these, unless it is counted? For all other frames a call waits, or what they do is done again.
        var pendingSendCount = 0
        var inFlightSendCount = 0

        var receipts = ReceiptTable<Completion>()
        /// How many calls the last RECEIPTs have let go on: probably they send again, together.
        var lastConfirmedCount = 0
        var room = RoomQueue()
        /// Who waits until nothing is outstanding; then DISCONNECT is appended.
        var quiet: [QuietWaiter] = []
        /// The waiter for the receipt of DISCONNECT, until somebody waits.
        var farewell: Completion?
        /// Until when `stomp.receipts` sleeps, or is to; `nil`: nothing has a deadline, so that it is not needed.
        var sleepingUntil: Duration?
        /// Whether that task is there.
        var isWatched = false

        var deliveries = DeliveryTable()
        var transactions = TransactionTable<TransactionRecord>()
        /// Subscriptions that ended without a visit to the actor, which then forgets them.
        var abandoned: [String] = []
        var leavers = LeaverTable()

        var byteCount: Int { self.pending.count + self.inFlightCount }
    }

    /// What is left to do once the lock is released.
    enum Action {
        case nothing
        case flush
        case wakeWriter
    }

    /// When this many bytes are pending, whoever appended them writes them.
    static let flushThreshold = 64 * 1024

    let transport: any ByteTransport
    let time: TimeSource
    let limit: Int
    let state = Locked(State())
    /// Where a paused reader is woken.
    let pause = PauseGate()
    /// There is something to write, or a write has failed.
    let writerSignal = Signal()
    /// A deadline was registered that is earlier than the one waited for.
    let deadlineSignal = Signal()
    /// Something for the owner of the connection's tasks: one of them has ended, or another one is needed.
    let ownerSignal = Signal()
    /// Whether there is a `stomp.writer`; changed under the lock.
    let hasWriter = Atomic(false)
    /// A subscription has ended for which messages may be under way.
    let leaverSignal = Signal()
    /// When bytes last went to the socket, in nanoseconds of `time`.
    let lastWrite: Atomic<Int64>

    init(transport: any ByteTransport, time: TimeSource, limit: Int) {
        self.transport = transport
        self.time = time
        // With no room at all nothing could ever be sent.
        self.limit = max(1, limit)
        self.lastWrite = Atomic(time.now.nanoseconds)
    }

    // MARK: - Appending

    /// Whether a frame may be appended now.
    ///
    /// Below the limit any frame is, so that the bound is the limit and one frame; but nobody overtakes those who wait.
    ///
    /// - Throws: ``STOMPError/Code/notConnected`` or ``STOMPError/Code/closed``.
    @inline(__always)
    func hasRoom(_ state: borrowing State, _ admission: Admission = .beginning) throws(STOMPError) -> Bool {
        guard state.phase.admits(admission) else { throw Self.refusal(state.phase) }
        return state.byteCount < self.limit && state.room.isEmpty
    }

    /// Why nothing can be written any more.
    static func refusal(_ phase: borrowing Phase) -> STOMPError {
        switch phase {
        case .closed(let reason) where reason.code != .closed:
            STOMPError(
                .notConnected,
                "The connection has ended, so nothing was sent: \(reason.message)",
                frame: reason.frame,
                cause: reason
            )
        case .draining, .closing:
            STOMPError(.closed, "The connection is closing and takes nothing new, so nothing was sent.")
        default:
            STOMPError(.closed, "The connection is shut down, so nothing was sent.")
        }
    }

    /// Called under the lock after an append: decides who writes.
    @inline(__always)
    func decide(_ state: inout State, wasEmpty: Bool, isUrgent: Bool) -> Action {
        // Who flushes takes it along; what the socket has not taken is the writer's, who waits for it.
        if state.isFlushing || state.inFlightCount > 0 { return .nothing }
        if isUrgent { return .flush }
        if state.isReaderAtWork { return state.pending.count >= Self.readerThreshold ? .flush : .nothing }
        if state.pending.count >= Self.flushThreshold { return .flush }
        return wasEmpty ? .wakeWriter : .nothing
    }

    @inline(__always)
    func perform(_ action: Action) {
        switch action {
        case .nothing: break
        case .flush: self.flush()
        case .wakeWriter: self.wakeWriter()
        }
    }

    /// Appends a frame if there is room, and sees to its being written.
    ///
    /// - Parameters:
    ///   - admission: what the frame is.
    ///   - build: appends the whole frame, or throws and appends nothing; called under the lock.
    /// - Returns: whether there was room.
    /// - Throws: what `build` throws; ``STOMPError/Code/notConnected`` or ``STOMPError/Code/closed``.
    @inline(__always)
    func appendIfRoom(
        _ admission: Admission,
        _ build: (inout State) throws(STOMPError) -> Void
    ) throws(STOMPError) -> Bool {
        let action = try self.state.withLock { state throws(STOMPError) -> Action? in
            guard try self.hasRoom(state, admission) else { return nil }
            let wasEmpty = state.pending.isEmpty
            try build(&state)
            return self.decide(&state, wasEmpty: wasEmpty, isUrgent: false)
        }
        guard let action else { return false }
        self.perform(action)
        return true
    }

    /// Appends a frame of our own making, past the limit of room: these are few and must not wait.
    func appendNow(_ frame: STOMPFrame, serializer: FrameSerializer) throws(STOMPError) {
        let action = try self.state.withLock { state throws(STOMPError) -> Action in
            guard case .open = state.phase else { throw Self.refusal(state.phase) }
            let wasEmpty = state.pending.isEmpty
            try serializer.append(frame, to: &state.pending)
            return self.decide(&state, wasEmpty: wasEmpty, isUrgent: true)
        }
        self.perform(action)
    }

    // MARK: - Flushing

    /// How often a flush goes on with what others have appended meanwhile; then that is the writer's.
    private static let flushRounds = 4

    /// Writes what waits, if nobody else does and as far as the socket takes it; the rest is the writer's.
    func flush() {
        var buffer = OutputBuffer()
        var position = 0
        guard self.state.withLock({ self.beginFlush(&$0, &buffer, &position) }) else { return }
        var rounds = 0
        while true {
            let start = position
            // Not after the write: by then the peer may have the bytes, and count from an earlier time than we.
            let now = self.time.now
            do throws(TransportError) {
                // One that is not taken whole has filled the socket.
                position += try self.transport.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[position...]))
            } catch {
                self.failFlush(STOMPError(.connectionLost, "Writing to the broker failed: \(error.message)"))
                return
            }
            rounds += 1
            let mayGoOn = rounds < Self.flushRounds
            if position > start { self.lastWrite.store(now.nanoseconds, ordering: .relaxed) }
            let (room, quiet, next) = self.state.withLock { state in
                self.continueFlush(&state, &buffer, &position, mayGoOn, at: now)
            }
            for (outcome, result) in room { outcome.resolve(result) }
            for waiter in quiet { waiter.resolve(.success(())) }
            switch next {
            case .flush: continue
            case .wakeWriter: return self.wakeWriter()
            case .nothing: return
            }
        }
    }

    private func beginFlush(_ state: inout State, _ buffer: inout OutputBuffer, _ position: inout Int) -> Bool {
        guard !state.isFlushing, state.writeFailure == nil, state.byteCount > 0 else { return false }
        if case .closed = state.phase { return false }
        state.isFlushing = true
        self.takeBytes(&state, &buffer, &position)
        return true
    }

    /// Takes what a short write left, or else what is pending.
    private func takeBytes(_ state: inout State, _ buffer: inout OutputBuffer, _ position: inout Int) {
        if state.inFlightCount == 0 {
            swap(&state.pending, &state.rest)
            state.restPosition = 0
            state.inFlightCount = state.rest.count
            state.inFlightSendCount = state.pendingSendCount
            state.pendingSendCount = 0
        }
        swap(&state.rest, &buffer)
        position = state.restPosition
    }

    private func continueFlush(
        _ state: inout State,
        _ buffer: inout OutputBuffer,
        _ position: inout Int,
        _ mayGoOn: Bool,
        at now: Duration
    ) -> (room: [RoomOutcome], quiet: [Completion], next: Action) {
        state.inFlightCount = buffer.count - position
        state.restPosition = position
        state.flushCount &+= 1
        if state.inFlightCount == 0 {
            buffer.removeAll(keepingCapacityUpTo: 2 * Self.flushThreshold)
            state.inFlightSendCount = 0
        }
        swap(&state.rest, &buffer)
        let room = self.admitWaiting(&state, at: now)
        let quiet = room.isEmpty ? [] : self.takeQuietWaiters(&state)
        if state.inFlightCount > 0 || state.pending.isEmpty || !mayGoOn {
            state.isFlushing = false
            return (room, quiet, state.byteCount > 0 ? .wakeWriter : .nothing)
        }
        self.takeBytes(&state, &buffer, &position)
        return (room, quiet, .flush)
    }

    private func failFlush(_ error: STOMPError) {
        self.state.withLock { $0.isFlushing = false }
        self.fail(error)
    }

    /// The connection is of no use any more: the writer ends it with this error.
    func fail(_ error: STOMPError) {
        self.state.withLock { $0.writeFailure = error }
        self.wakeWriter()
    }

    /// There is something for the writer; without one, for who starts it.
    ///
    /// What it is about is in the state already, where ``takeWishes()`` looks.
    func wakeWriter() {
        (self.hasWriter.load(ordering: .acquiring) ? self.writerSignal : self.ownerSignal).raise()
    }

    /// What the writer can see of others' sending.
    struct Progress: Equatable {
        var flushCount: UInt64
        var pendingCount: Int
        /// Whether somebody is writing at this moment.
        var isFlushing: Bool

        var isAtRest: Bool { self.pendingCount == 0 && !self.isFlushing }
    }

    var progress: Progress {
        self.state.withLock { state in
            Progress(
                flushCount: state.flushCount,
                pendingCount: state.pending.count,
                isFlushing: state.isFlushing
            )
        }
    }

    // MARK: - Heart-beat

    /// Sends an EOL if nothing else waits; what waits is life enough, if the socket takes it.
    func beat() {
        let isIdle = self.state.withLock { state in
            guard state.phase.admits(.ending), state.byteCount == 0, !state.isFlushing else { return false }
            state.pending.append(UInt8(ascii: "\n"))
            return true
        }
        self.flush()
        guard isIdle else { return }
        self.state.withLock { state in
            guard state.byteCount == 0, !state.isFlushing else { return }
            // The connection idles: it keeps no buffers.
            state.pending.removeAll(keepingCapacityUpTo: 0)
            state.rest.removeAll(keepingCapacityUpTo: 0)
        }
    }
}

extension Outbox.Phase {
    @inline(__always)
    func admits(_ admission: Outbox.Admission) -> Bool {
        switch self {
        case .open: true
        case .draining: admission == .ending
        case .closing, .closed: false
        }
    }
}

extension Duration {
    /// Whole nanoseconds, for atomics; clamped after 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds >= Int64.max / 1_000_000_000
            ? Int64.max : seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
