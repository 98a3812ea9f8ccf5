// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization

extension STOMPConnection {
    /// The task `stomp.reader`: reads until the socket has no more, then waits for it; runs on the actor, and lets others
    /// have it after each chunk.
    func read() async -> End {
        do throws(STOMPError) {
            // Bytes that came along with CONNECTED.
            try self.parse()
            while !Task.isCancelled {
                if self.mustPause() { await self.waitForRelief() }
                switch try self.transport.receive(into: self.parser.freeSpace()) {
                case .bytes(let count):
                    self.parser.received(count)
                    self.liveness.noteRead()
                    try self.parse()
                    await Task.yield()
                case .wouldBlock:
                    self.parser.releaseChunk()
                    await self.transport.waitUntilReadable()
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

    /// Takes the frames out of what has been read, and hands over one batch per subscription.
    private func parse() throws(STOMPError) {
        defer { self.deliver() }
        while let frame = try self.parser.next() {
            if frame.kind == .message {
                try self.machine.receivedMessage()
                self.route(frame)
            } else if frame.kind != .receipt || !self.noteReceipt(frame) {
                // What came before it counts before it.
                self.deliver()
                try self.handle(self.decoded(frame))
            }
        }
    }

    private func decoded(_ frame: FrameReference) -> STOMPFrame {
        self.parser.chunk.decoded(frame, version: self.session.version, leniency: self.configuration.leniency)
    }

    private var rules: HeaderRules {
        HeaderRules(version: self.session.version, leniency: self.configuration.leniency)
    }

    // MARK: - Messages

    /// Puts a message to the others of its subscription.
    private func route(_ frame: FrameReference) {
        guard let slot = self.slot(of: frame) else {
            let block = self.parser.chunk.headerBlock(of: frame, rules: self.rules)
            return self.events.send(.unexpectedMessage(subscription: block.value(of: .subscription)))
        }
        if slot.pending.isEmpty { self.touched.append(slot) }
        slot.pending.append(frame)
    }

    private func slot(of frame: FrameReference) -> Slot? {
        let block = self.parser.chunk.headerBlock(of: frame, rules: self.rules)
        if frame.subscription > 0 {
            return self.subscriptions.entry(rawID: block.rawValue(at: Int(frame.subscription)), rules: self.rules)
        }
        if let raw = block.rawValue(of: .subscription) {
            return self.subscriptions.entry(rawID: raw, rules: self.rules)
        }
        // The Ruby stompserver names no subscription (STOMP 1.0, MESSAGE).
        return block.value(of: .destination).flatMap { self.subscriptions.entry(destination: $0) }
    }

    /// Hands over what the chunk holds, messages first, so that a receipt never overtakes them.
    private func deliver() {
        if !self.touched.isEmpty {
            let now = self.time.now
            for slot in self.touched { self.deliver(slot, at: now) }
            self.touched.removeAll(keepingCapacity: true)
        }
        if !self.confirmed.isEmpty {
            let unexpected = self.outbox.confirm(self.confirmed)
            self.confirmed.removeAll(keepingCapacity: true)
            for _ in 0..<unexpected { self.events.send(.unexpectedFrame(STOMPFrame(.receipt))) }
        }
    }

    private func deliver(_ slot: Slot, at now: Duration) {
        let storage = slot.storage
        let batch = MessageBatch(slot.pending, in: self.parser.chunk, owner: storage.owner)
        slot.pending.removeAll(keepingCapacity: true)
        guard self.outbox.deliver(batch) else { return self.noteLate(slot) }
        switch storage.deliver(batch, at: now) {
        case .accepted:
            if storage.isAtSoftLimit { self.mayBeFull = true }
        case .dropped(let count):
            self.events.send(.messagesDropped(subscription: storage.id, count: count))
        case .overflow:
            self.fail(
                slot,
                STOMPError(
                    .subscriptionOverflow,
                    "The subscription \(storage.id) to \(storage.destination) buffered more than its hard limit of "
                        + "\(storage.options.hardLimit) bytes: its consumer is too slow."
                )
            )
            self.outbox.writeFarewell(Farewell(storage: storage))
        case .ended:
            self.noteLate(slot)
        }
        if storage.becameStuck(at: now, after: self.configuration.slowConsumerTimeout) {
            self.events.send(.slowConsumer(subscription: storage.id))
        }
    }

    /// Ends one subscription; the connection and the others go on.
    private func fail(_ slot: Slot, _ error: STOMPError) {
        let storage = slot.storage
        // Without acks, what is buffered would be lost.
        guard storage.end(.failed(error), revoking: storage.owner.mode != .auto) else { return }
        self.subscriptions.remove(id: storage.id)
        self.events.send(.subscriptionFailed(subscription: storage.id, error))
    }

    /// Messages were under way when their subscription ended: not an error (STOMP 1.2, UNSUBSCRIBE).
    private func noteLate(_ slot: Slot) {
        self.events.send(.unexpectedMessage(subscription: slot.storage.id))
        self.forgetAbandoned()
    }

    /// Forgets subscriptions that ended without this actor.
    func forgetAbandoned() {
        for id in self.outbox.takeAbandoned() where self.subscriptions.entry(id: id)?.storage.hasEnded == true {
            self.subscriptions.remove(id: id)
        }
    }

    // MARK: - Other frames

    /// Notes a RECEIPT without decoding the whole frame. Returns whether its id can be one of ours.
    private func noteReceipt(_ frame: FrameReference) -> Bool {
        let block = self.parser.chunk.headerBlock(of: frame, rules: self.rules)
        guard let raw = block.rawValue(of: .receiptID), let id = ReceiptTable<Void>.id(from: self.rules.text(raw))
        else { return false }
        self.confirmed.append(id)
        return true
    }

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
        let rejected = STOMPError(.rejected, "The broker refused it: \(frame.errorText)", frame: frame)
        if let id = receiptID.flatMap(ReceiptTable<Void>.id(from:)), self.outbox.reject(id, rejected) {
            if self.dialect.errorMeaning == .fatalUnlessAttributed { return }
        } else if self.dialect.errorMeaning == .fatalUnlessAttributed,
            let slot = subscriptionID.flatMap({ self.subscriptions.entry(id: $0) })
        {
            self.fail(slot, rejected)
            return self.outbox.closeDeliveries(slot.storage.owner)
        }
        throw STOMPError(.serverError, "The broker sent an ERROR: \(frame.errorText)", frame: frame)
    }

    // MARK: - Pausing

    /// Whether reading on would only fill buffers that nobody empties.
    private func mustPause() -> Bool {
        guard self.mayBeFull else { return false }
        // Seen by those who free room, before we look at what room there is.
        self.outbox.pause.isPaused.store(true, ordering: .sequentiallyConsistent)
        let isNeeded = self.subscriptions.entries.contains { slot in
            let demand = slot.storage.demand
            return !demand.isAtSoftLimit && demand.isWaiting
        }
        let hasFull = self.subscriptions.entries.contains(where: \.storage.isAtSoftLimit)
        if hasFull, !isNeeded, self.outbox.outstandingReceiptCount == 0 { return true }
        self.mayBeFull = hasFull
        self.outbox.pause.isPaused.store(false, ordering: .sequentiallyConsistent)
        return false
    }

    /// Waits until there is room, somebody needs a frame, the peer hangs up, or the longest pause is over; then at least
    /// one read follows, towards the hard limit.
    private func waitForRelief() async {
        self.events.send(.readingPaused)
        let deadline = self.time.now + self.configuration.maximumPause
        await withTaskGroup(of: Void.self) { group in
            group.addTask(name: "stomp.pause.timer") { await self.time.sleep(until: deadline) }
            group.addTask(name: "stomp.pause.relief") { await self.outbox.pause.signal.wait() }
            group.addTask(name: "stomp.pause.hang-up") { await self.transport.waitUntilHangUp() }
            await group.next()
            group.cancelAll()
        }
        // The peer could not be heard: the watchdog gives it a fresh window.
        self.liveness.noteRead()
        self.outbox.pause.isPaused.store(false, ordering: .sequentiallyConsistent)
        self.events.send(.readingResumed)
        let now = self.time.now
        for slot in self.subscriptions.entries
        where slot.storage.becameStuck(at: now, after: self.configuration.slowConsumerTimeout) {
            self.events.send(.slowConsumer(subscription: slot.storage.id))
        }
    }
}
