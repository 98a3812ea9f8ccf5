// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization

/// How the reader waits: for bytes, or for room in the buffers of those who read too slowly.
extension STOMPConnection {
    /// Whether reading on would only fill buffers that nobody empties.
    func mustPause() -> Bool {
        guard self.mayBeFull else { return false }
        self.forgetAbandoned()
        // Seen by those who free room, before we look at what room there is.
        self.outbox.pause.isPaused.store(true, ordering: .sequentiallyConsistent)
        let storages = self.demultiplexer.storages
        let isNeeded = storages.contains { storage in
            let demand = storage.demand
            return !demand.isAtSoftLimit && demand.isWaiting
        }
        let hasFull = storages.contains(where: \.isAtSoftLimit)
        if hasFull, !isNeeded, !self.outbox.isAwaitingPeer { return true }
        self.mayBeFull = hasFull
        self.outbox.pause.isPaused.store(false, ordering: .sequentiallyConsistent)
        return false
    }

    /// Stops reading until there is room or somebody needs a frame; at the longest pause, or when the peer hangs up, one
    /// read follows in any case, towards the hard limit.
    func pauseReading() async {
        // Counted from before anybody learns of it.
        let deadline = self.time.now + self.configuration.maximumPause
        self.events.send(.readingPaused)
        // What is read meanwhile should be little.
        self.demultiplexer.parser.isFlooded = false
        var isOver = false
        while !isOver, self.mustPause() {
            self.noteFullBuffers()
            isOver = await self.waitForRelief(until: deadline)
        }
        // The peer could not be heard: the watchdog gives it a fresh window.
        self.liveness.noteRead()
        self.outbox.pause.isPaused.store(false, ordering: .sequentiallyConsistent)
        self.events.send(.readingResumed)
        self.reportSlowConsumers()
    }

    /// Waits for bytes.
    func waitForBytes() async {
        // The other wait takes more memory, which an idle connection would keep.
        if self.mayBeFull { await self.waitForBytesOrSlowness() } else { await self.transport.waitUntilReadable() }
    }

    /// A consumer may become a slow one also when nothing more comes.
    private func waitForBytesOrSlowness() async {
        self.noteFullBuffers()
        guard let earliest = self.demultiplexer.storages.compactMap(\.stuckSince).min() else {
            return await self.transport.waitUntilReadable()
        }
        let deadline = earliest + self.configuration.slowConsumerTimeout
        await withTaskGroup(of: Void.self) { group in
            group.addTask(name: "stomp.slow-consumer.timer") { await self.time.sleep(until: deadline) }
            group.addTask(name: "stomp.slow-consumer.bytes") { await self.transport.waitUntilReadable() }
            await group.next()
            group.cancelAll()
        }
        self.reportSlowConsumers()
    }

    /// A consumer that has taken some of what is there may stop before there is room for more.
    private func noteFullBuffers() {
        let now = self.time.now
        for storage in self.demultiplexer.storages { storage.noteWait(at: now) }
    }

    private func reportSlowConsumers() {
        let now = self.time.now
        for storage in self.demultiplexer.storages
        where storage.becameStuck(at: now, after: self.configuration.slowConsumerTimeout) {
            self.events.send(.slowConsumer(subscription: storage.id))
        }
    }

    /// Returns whether the pause is over, rather than something having changed that may end it.
    private func waitForRelief(until deadline: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask(name: "stomp.pause.timer") {
                await self.time.sleep(until: deadline)
                return true
            }
            group.addTask(name: "stomp.pause.relief") {
                await self.outbox.pause.signal.wait()
                return false
            }
            group.addTask(name: "stomp.pause.hang-up") {
                await self.transport.waitUntilHangUp()
                return true
            }
            let isOver = await group.next() ?? true
            group.cancelAll()
            return isOver || Task.isCancelled
        }
    }
}
