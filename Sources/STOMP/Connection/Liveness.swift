// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization

/// The heart-beats of one connection, both ways (STOMP 1.2, Heart-beating).
///
/// Its two tasks run on the I/O thread and touch nothing but atomics and the outbox's lock, so that handlers that block
/// every thread of the cooperative pool delay neither a beat nor a verdict.
final class Liveness: Sendable {
    private let schedule: HeartBeatSchedule
    private let tolerance: Double
    private let outbox: Outbox
    private let transport: any ByteTransport
    private let time: TimeSource
    private let lastRead: Atomic<Int64>

    init(schedule: HeartBeatSchedule, tolerance: Double, outbox: Outbox) {
        self.schedule = schedule
        self.tolerance = tolerance
        self.outbox = outbox
        self.transport = outbox.transport
        self.time = outbox.time
        self.lastRead = Atomic(outbox.time.now.nanoseconds)
    }

    var sendsBeats: Bool { self.schedule.outgoing != nil }
    var expectsBeats: Bool { self.schedule.incoming != nil }

    /// Any byte shows life, also a part of a frame.
    func noteRead() {
        guard self.expectsBeats else { return }
        self.lastRead.store(self.time.now.nanoseconds, ordering: .relaxed)
    }

    /// The task `stomp.heart-beat`: an EOL whenever half of the promised interval has passed without a byte written.
    @inline(__always)
    func runBeats() async {
        while !Task.isCancelled, let deadline = self.beatIfDue() { await self.time.sleep(until: deadline) }
    }

    /// - Returns: when to look again.
    @inline(never)
    private func beatIfDue() -> Duration? {
        let lastWrite = Duration.nanoseconds(self.outbox.lastWrite.load(ordering: .relaxed))
        let now = self.time.now
        guard let deadline = self.schedule.beatDeadline(lastWrite: lastWrite) else { return nil }
        if deadline > now { return deadline }
        self.outbox.beat()
        // If the socket took nothing, after the same time.
        return self.schedule.beatDeadline(lastWrite: now)
    }

    /// The task `stomp.watchdog`: returns when the peer has been silent for too long, or when cancelled.
    @inline(__always)
    func watch() async -> STOMPError? {
        while !Task.isCancelled {
            let lastRead = self.lastRead.load(ordering: .relaxed)
            guard let deadline = self.silenceDeadline(lastRead: lastRead) else { return nil }
            await self.time.sleep(until: deadline)
            if Task.isCancelled { return nil }
            if self.lastRead.load(ordering: .relaxed) == lastRead, let error = self.verdict(at: deadline) {
                return error
            }
        }
        return nil
    }

    @inline(never)
    private func silenceDeadline(lastRead: Int64) -> Duration? {
        self.schedule.silenceDeadline(lastRead: .nanoseconds(lastRead), tolerance: self.tolerance)
    }

    /// Nothing was heard until this deadline.
    ///
    /// - Returns: `nil` if that was our fault: then the peer has a full fresh window.
    @inline(never)
    private func verdict(at deadline: Duration) -> STOMPError? {
        guard let interval = self.schedule.incoming else { return nil }
        if self.wasOurFault(since: deadline, interval: interval) {
            self.lastRead.store(self.time.now.nanoseconds, ordering: .relaxed)
            return nil
        }
        return STOMPError(
            .heartBeatLost,
            "Nothing came from \(self.transport.peerDescription) until \(self.tolerance) times the "
                + "\(interval) had passed in which it promised to send something."
        )
    }

    /// Whether we did not listen: woken late, paused, or with bytes unread in the kernel.
    private func wasOurFault(since deadline: Duration, interval: Duration) -> Bool {
        self.time.now - deadline > interval || self.outbox.pause.isPaused.load(ordering: .sequentiallyConsistent)
            || self.transport.unreadByteCount > 0
    }
}
