// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization

extension STOMPConnection {
    /// Why one of the connection's tasks has ended.
    enum End: Sendable {
        case finished
        case failed(STOMPError)
        /// The peer takes no bytes any more; an ERROR that says why may still be on its way.
        case writeFailed(STOMPError)
        case cancelled
    }

    /// How long the reader may look for an ERROR after a write has failed.
    private static let grace: Duration = .seconds(1)

    /// Drives the connection to its end.
    ///
    /// Called once.
    ///
    /// When the task is cancelled, says goodbye to the broker first, within
    /// ``STOMPConfiguration/shutdownTimeout``.
    ///
    /// - Returns: why it ended, or `nil` if that was wished.
    func run() async -> STOMPError? {
        switch await self.drive() {
        case .over(let failure):
            return failure
        case .cancelled:
            await self.sayGoodbye()
            return nil
        }
    }

    private func sayGoodbye() async {
        // One whose write has failed has not said so: who follows is to learn of it again.
        self.outbox.endWriting()
        await withCleanup {
        } cleanup: { _ in
            await withTaskGroup { group in
                group.addTask(name: "stomp.farewell") { _ = await self.drive() }
                await self.disconnect()
                group.cancelAll()
            }
        }
        _ = self.finish(.finished)
    }

    private enum Outcome {
        case over(STOMPError?)
        /// The connection is open.
        case cancelled
    }

    /// The ends of a connection's tasks, in their order.
    private final class Ends: Sendable {
        let list = Locked<[End]>([])
    }

    /// The task tree of a connection.
    ///
    /// All of it has ended when this returns.
    private func drive() async -> Outcome {
        let ends = Ends()
        // Discarding: a task that has ended is gone, while the connection may live for months.
        return await withDiscardingTaskGroup { group in
            self.start(&group, ends)
            var end = await self.next(of: ends, &group)
            if case .writeFailed(let error) = end { end = await self.endAfter(error, ends, &group) }
            defer { group.cancelAll() }
            if case .cancelled = end { return .cancelled }
            // Before the others are cancelled: they are to learn why. The reader has handed over all that it has read
            // when it waits for its turn on the actor.
            return .over(self.finish(end))
        }
    }

    // Never inlined, as what is needed for a moment: the memory of the task that waits would have room for it all its life.

    @inline(never)
    private nonisolated func start(_ group: inout DiscardingTaskGroup, _ ends: Ends) {
        // Its end is the connection's: end of stream, a fatal ERROR, a violation.
        group.addTask(name: "stomp.reader") { self.note(await self.read(), in: ends) }
        if self.dialect.givingBack == .byTransaction, self.dialect.hasReceipts {
            // Ends only when cancelled: with the connection, all is given back.
            group.addTask(name: "stomp.leavers") { await self.settleLeavers() }
        }
        let executor = self.configuration.livenessExecutor
        if self.liveness.sendsBeats {
            // Ends only when cancelled; a beat that cannot be written is the writer's to report.
            group.addTask(name: "stomp.heart-beat", executorPreference: executor) {
                await self.liveness.runBeats()
            }
        }
        if self.liveness.expectsBeats {
            // Its end is the connection's: the peer is silent.
            group.addTask(name: "stomp.watchdog", executorPreference: executor) {
                if let error = await self.liveness.watch() { self.note(.failed(error), in: ends) }
            }
        }
    }

    /// A write has failed: gives the reader some time to find out why.
    @inline(never)
    private func endAfter(_ error: STOMPError, _ ends: Ends, _ group: inout DiscardingTaskGroup) async -> End {
        group.addTask(name: "stomp.grace") {
            await self.time.sleep(until: self.time.now + Self.grace)
            self.note(.failed(error), in: ends)
        }
        let end = await self.next(of: ends, &group)
        // A plain end of stream says less than the failed write.
        if case .failed(let other) = end, other.code == .connectionLost { return .failed(error) }
        return end
    }

    private nonisolated func note(_ end: End, in ends: Ends) {
        ends.list.withLock { $0.append(end) }
        self.outbox.ownerSignal.raise()
    }

    /// Waits until another task has ended; meanwhile starts tasks when they are needed.
    private func next(of ends: Ends, _ group: inout DiscardingTaskGroup) async -> End {
        while true {
            if let end = ends.list.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return end }
            self.startTasks(&group, ends)
            // Also when this is cancelled, since the reader ends then.
            await self.outbox.ownerSignal.waitForChildren()
        }
    }

    @inline(never)
    private nonisolated func startTasks(_ group: inout DiscardingTaskGroup, _ ends: Ends) {
        let wishes = self.outbox.takeWishes()
        if wishes.writer {
            // Its end is the connection's: a write has failed.
            group.addTask(name: "stomp.writer") { self.note(await self.write(), in: ends) }
        }
        if wishes.receipts {
            // Ends when no deadline is left: each fails its own wait and nothing else.
            group.addTask(name: "stomp.receipts") { await self.outbox.runDeadlines() }
        }
    }

    /// The task `stomp.writer`: writes what nobody else has written, waiting for the socket.
    private nonisolated func write() async -> End {
        while !Task.isCancelled {
            self.outbox.flush()
            // Bytes in flight are stalled only if nobody is about to write them.
            let (failure, isStalled) = self.outbox.state.withLock { state in
                (state.writeFailure, state.inFlightCount > 0 && !state.isFlushing)
            }
            if let failure { return .writeFailed(failure) }
            if isStalled {
                await self.transport.waitUntilWritable()
            } else {
                await self.outbox.writerSignal.wait()
                await self.letSendersGoOn()
            }
        }
        self.outbox.endWriting()
        return .cancelled
    }

    /// Waits while somebody sends one frame after the other.
    ///
    /// They write them themselves, 64 KiB at a time; a write by this task for each few frames would cost both sides more.
    private nonisolated func letSendersGoOn() async {
        let before = self.outbox.progress
        await Task.yield()
        var now = self.outbox.progress
        guard now != before else { return }
        while !Task.isCancelled {
            let flushCount = now.flushCount
            await self.transport.waitForMore()
            now = self.outbox.progress
            if now.flushCount == flushCount || now.isAtRest { return }
        }
    }

    /// Ends everything that belongs to the connection; only the first call counts.
    ///
    /// - Returns: the error, unless the end was wished.
    private func finish(_ end: End) -> STOMPError? {
        let wasWished = self.outbox.isClosing
        self.transport.close()
        let reason: STOMPError
        let failure: STOMPError?
        switch end {
        case .failed(let error) where !wasWished, .writeFailed(let error) where !wasWished:
            (reason, failure) = (error, error)
        default:
            (reason, failure) = (STOMPError(.closed, "The connection was shut down."), nil)
        }
        let lost = self.outbox.close(reason)
        if lost > 0 { self.events.send(.framesLost(lost)) }
        for storage in self.demultiplexer.storages {
            // One that was never confirmed has failed with the call that asked for it.
            let mayGoOn = failure != nil || self.handsOver.load(ordering: .relaxed)
            if mayGoOn, self.keepsSubscriptions, storage.isEstablished {
                storage.interrupt()
                self.survivors.append(storage)
                continue
            }
            // What needs an answer comes again by another connection; what needs none would be lost.
            let revoking = storage.mode != .auto
            storage.end(failure.map { .failed(Self.streamEnd($0)) } ?? .finished, revoking: revoking)
        }
        self.demultiplexer.removeAll()
        return failure
    }

    static func streamEnd(_ error: STOMPError) -> STOMPError {
        guard error.code != .connectionLost else { return error }
        return STOMPError(
            .connectionLost,
            "The connection ended: \(error.message)",
            frame: error.frame,
            cause: error
        )
    }

    /// Ends the session politely: takes nothing new; waits for outstanding receipts, since RabbitMQ forgets them at
    /// DISCONNECT; sends DISCONNECT with a receipt; waits for that or for the end of the stream; closes (STOMP 1.2,
    /// DISCONNECT).
    ///
    /// Meanwhile ``send(_:to:contentType:headers:contentLength:receipt:)-(String,_,_,_,_,_)``,
    /// ``subscribe(to:ack:id:headers:options:)`` and ``begin(id:)`` throw ``STOMPError/Code/closed``. Calls that wait for
    /// room are let in, what was received can be acknowledged, and open transactions can go on and be ended, until
    /// nothing is outstanding.
    ///
    /// Returns within twice ``STOMPConfiguration/shutdownTimeout``. Never throws: that a broker closes without an answer
    /// is usual.
    public nonisolated func disconnect() async {
        let (now, timeout) = (self.time.now, self.configuration.shutdownTimeout)
        _ = await self.disconnect(quietUntil: now + timeout, until: now + timeout * 2)
    }

    /// - Parameters:
    ///   - quiet: until when outstanding receipts are waited for.
    ///   - deadline: until when the receipt of DISCONNECT is waited for.
    /// - Returns: how many calls still waited for a receipt when DISCONNECT was said.
    nonisolated func disconnect(quietUntil quiet: Duration, until deadline: Duration) async -> Int {
        let late = STOMPError(.receiptTimedOut, "Receipts were still outstanding.")
        try? await withDeadline(quiet, of: self.time, timeout: late) { () throws(STOMPError) in
            let soonest = min(self.time.now + self.configuration.shutdownTimeout, deadline)
            await self.outbox.drain(serializer: self.serializer, until: soonest, orLater: deadline)
        }
        let outstanding = self.outbox.isClosing ? 0 : self.outbox.outstandingReceiptCount
        // Whoever was first closes; both await the connection's task.
        let deadline = min(self.time.now + self.configuration.shutdownTimeout, deadline)
        guard let farewell = self.outbox.disconnect(serializer: self.serializer, deadline: deadline) else { return 0 }
        // Where there are no receipts, the broker's end of the stream is the answer.
        try? await farewell.value()
        self.transport.close()
        return outstanding
    }
}
