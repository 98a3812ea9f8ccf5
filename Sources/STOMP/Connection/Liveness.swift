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
    func runBeats() async {
        while !Task.isCancelled {
            let lastWrite = Duration.nanoseconds(self.outbox.lastWrite.load(ordering: .relaxed))
            guard let deadline = self.schedule.beatDeadline(lastWrite: lastWrite) else { return }
            let now = self.time.now
            if deadline > now {
                await self.time.sleep(until: deadline)
                continue
            }
            self.outbox.beat()
            // If the socket took nothing, look again after the same time.
            let next = self.schedule.beatDeadline(lastWrite: now) ?? now
            await self.time.sleep(until: next)
        }
    }

    /// The task `stomp.watchdog`: returns when the peer has been silent for too long, or when cancelled.
    func watch() async -> STOMPError? {
        while !Task.isCancelled {
            let lastRead = self.lastRead.load(ordering: .relaxed)
            guard
                let interval = self.schedule.incoming,
                let deadline = self.schedule.silenceDeadline(
                    lastRead: .nanoseconds(lastRead),
                    tolerance: self.tolerance
                )
            else { return nil }
            await self.time.sleep(until: deadline)
            if Task.isCancelled { return nil }
            guard self.lastRead.load(ordering: .relaxed) == lastRead else { continue }
            if self.wasOurFault(since: deadline, interval: interval) {
                // A full fresh window for the peer.
                self.lastRead.store(self.time.now.nanoseconds, ordering: .relaxed)
                continue
            }
            return STOMPError(
                .heartBeatLost,
                "Nothing came from \(self.transport.peerDescription) until \(self.tolerance) times the "
                    + "\(interval) had passed in which it promised to send something."
            )
        }
        return nil
    }

    /// Whether we did not listen: woken late, paused, or with bytes unread in the kernel.
    private func wasOurFault(since deadline: Duration, interval: Duration) -> Bool {
        self.time.now - deadline > interval || self.outbox.pause.isPaused.load(ordering: .sequentiallyConsistent)
            || self.transport.unreadByteCount > 0
    }
}
