// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization

extension STOMPConnection {
    /// Why the reader lets go of the actor.
    private enum Rest {
        /// There is more to read, and others had to wait.
        case yield
        /// There will be more in a moment.
        case pause
        /// There is no more.
        case wait
        /// There is no room for more.
        case relief
        /// There will be no more.
        case end
    }

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
            var rest = Rest.yield
            // After a wait for room one read follows in any case.
            while rest == .relief || !Task.isCancelled {
                rest = try self.takeTurn(&pace, evenIfFull: rest == .relief)
                switch rest {
                case .yield: await Task.yield()
                case .pause: await self.transport.waitForMore()
                case .wait: await self.waitForBytes()
                case .relief: await self.pauseReading()
                case .end: return .finished
                }
            }
            return .cancelled
        } catch {
            return .failed(error)
        }
    }

    /// Reads as much as one may at a time, and hands it over.
    ///
    /// Not inlined: the memory of a task that waits would have room for all of this.
    @inline(never)
    private func takeTurn(_ pace: inout ReadPace, evenIfFull: Bool) throws(STOMPError) -> Rest {
        var evenIfFull = evenIfFull
        while true {
            if !evenIfFull, self.mustPause() {
                // What an unfinished turn has read must not wait as long.
                self.deliver()
                if pace.endWork() { self.outbox.endReading() }
                pace.noteWait()
                return .relief
            }
            evenIfFull = false
            let space = self.demultiplexer.parser.freeSpace()
            switch try self.transport.receive(into: space) {
            case .bytes(let count):
                self.demultiplexer.parser.received(count)
                self.liveness.noteRead()
                try self.parse()
                // A full read means that more is there.
                let isFull = count == space.count
                if pace.noteRead(count, isFull: isFull) { self.outbox.beginReading() }
                // So does a frame that is not complete; but each read may count as a whole chunk, which is much for a
                // small hard limit.
                let isCut = isFull || self.demultiplexer.parser.expectsMore
                let goesOn = isCut || !self.demultiplexer.hasNews
                if goesOn, !pace.isTurnOver, !Task.isCancelled { continue }
                pace.endTurn()
                self.deliver()
                if pace.isAtWork { self.outbox.endTurn() }
                return .yield
            case .wouldBlock:
                let hadNews = self.demultiplexer.hasNews
                pace.endTurn()
                self.deliver()
                // Only a wait watches those whose buffers are full.
                let pauses =
                    !self.mayBeFull && pace.takePause(hasLargeFrames: self.demultiplexer.parser.hasLargeFrames)
                if hadNews, !pauses {
                    if pace.isAtWork { self.outbox.endTurn() }
                    return .yield
                }
                if pace.endWork() { self.outbox.endReading() }
                self.forgetAbandoned()
                if pauses { return .pause }
                pace.noteWait()
                self.demultiplexer.parser.releaseChunk()
                return .wait
            case .endOfStream:
                if self.outbox.isClosing { return .end }
                throw STOMPError(.connectionLost, "\(self.peerDescription) closed the connection.")
            }
        }
    }

    /// Takes the frames out of what has been read, into one batch per subscription.
    @inline(never)
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
}
