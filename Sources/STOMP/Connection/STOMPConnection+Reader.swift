// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization

extension STOMPConnection {
    /// The task `stomp.reader`: reads until the socket has no more, then waits for it; runs on the actor, and lets others
    /// have it after each turn.
    func read() async -> End {
        defer {
            self.deliver()
            self.outbox.endReading()
        }
        do throws(STOMPError) {
            // Bytes that came along with CONNECTED.
            try self.parse()
            self.deliver()
            var pace = ReadPace()
            var isAtWork = false
            while !Task.isCancelled {
                if self.mustPause() {
                    // What an unfinished turn has read must not wait as long.
                    self.deliver()
                    if isAtWork { self.outbox.endReading() }
                    isAtWork = false
                    await self.pauseReading()
                    pace.noteWait()
                }
                let space = self.demultiplexer.parser.freeSpace()
                switch try self.transport.receive(into: space) {
                case .bytes(let count):
                    self.demultiplexer.parser.received(count)
                    self.liveness.noteRead()
                    try self.parse()
                    pace.noteRead(count)
                    // A full read means that more is there.
                    let isFull = count == space.count
                    if isFull, !isAtWork {
                        isAtWork = true
                        self.outbox.beginReading()
                    }
                    // So does a frame that is not complete; but each read may count as a whole chunk, which is much for
                    // a small hard limit.
                    let isCut = isFull || self.demultiplexer.parser.expectsMore
                    if isCut || !self.demultiplexer.hasNews, !pace.isTurnOver { continue }
                    pace.endTurn()
                    self.deliver()
                    if isAtWork { self.outbox.endTurn() }
                    await Task.yield()
                case .wouldBlock:
                    let hadNews = self.demultiplexer.hasNews
                    pace.endTurn()
                    self.deliver()
                    // Only a wait watches those whose buffers are full.
                    let pauses =
                        !self.mayBeFull
                        && pace.takePause(hasLargeFrames: self.demultiplexer.parser.hasLargeFrames)
                    if hadNews, !pauses {
                        if isAtWork { self.outbox.endTurn() }
                        await Task.yield()
                        continue
                    }
                    if isAtWork { self.outbox.endReading() }
                    isAtWork = false
                    self.forgetAbandoned()
                    if pauses {
                        await self.transport.waitForMore()
                    } else {
                        pace.noteWait()
                        self.demultiplexer.parser.releaseChunk()
                        await self.waitForBytes()
                    }
                case .endOfStream:
                    if self.outbox.isClosing { return .finished }
                    throw STOMPError(.connectionLost, "\(self.peerDescription) closed the connection.")
                }
            }
            return .cancelled
        } catch {
            return .failed(error)
        }
    }

    /// Takes the frames out of what has been read, into one batch per subscription.
    private func parse() throws(STOMPError) {
        defer { self.demultiplexer.seal() }
        while true {
            switch try self.demultiplexer.sort() {
            case .drained:
                return
            case .unrouted(let frame):
                self.noteLate(frame)
            case .frame(let frame):
                // What came before it counts before it.
                self.demultiplexer.seal()
                self.deliver()
                try self.handle(frame)
            }
        }
    }

    // MARK: - Messages

    /// Hands over what was read, messages first, so that a receipt never overtakes them.
    private func deliver() {
        let batches = self.demultiplexer.takeBatches()
        if !batches.isEmpty {
            let now = self.time.now
            for (storage, batch) in batches { self.deliver(batch, to: storage, at: now) }
        }
        self.deliveryTags?.settle()
        let confirmed = self.demultiplexer.takeConfirmed()
        guard !confirmed.isEmpty else { return }
        for id in self.outbox.confirm(confirmed) {
            self.events.send(.unexpectedFrame(STOMPFrame(.receipt, headers: [.receiptID: String(id)])))
        }
    }

    private func deliver(_ batch: MessageBatch, to storage: SubscriptionStorage, at now: Duration) {
        self.deliveryTags?.note(messageID: batch.rawMessageID(batch.count - 1), count: batch.count)
        guard self.outbox.deliver(batch) else { return self.noteLate(batch, of: storage) }
        switch storage.deliver(batch, at: now) {
        case .accepted:
            break
        case .dropped(let count):
            self.events.send(.messagesDropped(subscription: storage.id, count: count))
        case .overflow:
            let error = STOMPError(
                .subscriptionOverflow,
                "The subscription \(storage.id) to \(storage.destination) buffered more than its hard limit of "
                    + "\(storage.options.hardLimit) bytes: its consumer is too slow."
            )
            // Else it was ended by another task, which says goodbye.
            if self.fail(storage, error) { try? self.outbox.writeFarewell(Farewell(storage: storage)) }
        case .ended:
            // Its farewell, which is about to be written, gives these back.
            self.events.send(.unexpectedMessage(subscription: storage.id))
        }
        if storage.isAtSoftLimit { self.mayBeFull = true }
        if storage.becameStuck(at: now, after: self.configuration.slowConsumerTimeout) {
            self.events.send(.slowConsumer(subscription: storage.id))
        }
    }

    /// Ends one subscription; the connection and the others go on.
    ///
    /// Returns whether it was this that ended it.
    func fail(_ storage: SubscriptionStorage, _ error: STOMPError) -> Bool {
        // Without acks, what is buffered would be lost.
        guard storage.end(.failed(error), revoking: storage.mode != .auto) else { return false }
        self.demultiplexer.remove(storage)
        self.events.send(.subscriptionFailed(subscription: storage.id, error))
        return true
    }

    /// Forgets subscriptions that ended without this actor.
    func forgetAbandoned() {
        for id in self.outbox.takeAbandoned() where self.demultiplexer.storage(id: id)?.hasEnded == true {
            self.demultiplexer.remove(id: id)
        }
    }

    // MARK: - Other frames

    private func handle(_ frame: STOMPFrame) throws(STOMPError) {
        switch try self.machine.received(frame) {
        case .error(let frame, let receiptID, let subscriptionID):
            try self.handleError(frame, receiptID: receiptID, subscriptionID: subscriptionID)
        case .receipt, .unknown, .connected:
            self.events.send(.unexpectedFrame(frame))
        case .refused(let error):
            throw error
        }
    }

    /// An ERROR that names a pending receipt or a subscription ends that; any other one is fatal.
    private func handleError(_ frame: STOMPFrame, receiptID: String?, subscriptionID: String?) throws(STOMPError) {
        if self.noteLate(frame) { return }
        if self.dialect.errorMeaning == .fatalUnlessAttributed {
            let rejected = STOMPError.rejected(by: frame)
            if let id = receiptID.flatMap({ ReceiptTable<Void>.id(from: $0) }), self.outbox.hasIssued(id) {
                // One that nobody waits for any more is no reason to end the connection either.
                if !self.outbox.reject(id, rejected) { self.events.send(.unexpectedFrame(frame)) }
                return
            }
            if let storage = subscriptionID.flatMap({ self.demultiplexer.storage(id: $0) }) {
                _ = self.fail(storage, rejected)
                return self.outbox.closeDeliveries(storage.owner)
            }
        }
        // Whoever waits for a receipt that it names learns of that when nothing can be sent any more.
        throw STOMPError(.serverError, "The broker sent an ERROR: \(frame.errorText)", frame: frame)
    }

    // MARK: - Pausing

    /// Whether reading on would only fill buffers that nobody empties.
    private func mustPause() -> Bool {
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
    private func pauseReading() async {
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
    private func waitForBytes() async {
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
