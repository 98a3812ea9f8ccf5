// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPConnection {
    /// Subscribes again to what an earlier connection was subscribed to, with the same ids and headers.
    ///
    /// All SUBSCRIBEs go out together; returns when the broker has confirmed them, where it gives receipts. One that is
    /// refused by name ends with ``STOMPError/Code/rejected``, the others go on.
    ///
    /// - Throws: why the connection ended before that; ``STOMPError/Code/cancelled``.
    func resume(_ storages: [SubscriptionStorage]) async throws(STOMPError) {
        var resumptions: [Outbox.Resumption] = []
        for storage in storages where !storage.hasEnded {
            do throws(STOMPError) {
                resumptions.append(try self.prepareToResume(storage))
            } catch {
                // Such as client-individual at a 1.0 broker.
                _ = self.fail(storage, error)
            }
        }
        let waits = try self.outbox.resume(
            resumptions,
            within: self.configuration.receiptTimeout,
            hasReceipts: self.dialect.hasReceipts
        )
        for (storage, receipt, waiter) in waits {
            do throws(STOMPError) {
                try await self.outbox.wait(for: receipt, waiter)
            } catch  where error.code == .rejected {
                if self.fail(storage, error) { self.outbox.closeDeliveries(storage.owner) }
            } catch  where error.code == .receiptTimedOut {
                // Whether it is subscribed nobody knows; by another connection it will be known.
                self.outbox.fail(error)
                throw error
            }
        }
        // Those that ended meanwhile have nothing to be found by.
        for storage in storages where storage.hasEnded { self.demultiplexer.remove(storage) }
    }

    private func prepareToResume(_ storage: SubscriptionStorage) throws(STOMPError) -> Outbox.Resumption {
        try self.check(storage.destination, ack: storage.mode, headers: storage.headers, options: storage.options)
        let owner = self.outbox.openDeliveries(subscriptionID: storage.id, mode: storage.mode, session: self.context)
        do throws(STOMPError) {
            try self.demultiplexer.insert(storage, owner)
            return Outbox.Resumption(storage: storage, owner: owner, frame: self.subscribeFrame(storage))
        } catch {
            self.outbox.closeDeliveries(owner)
            throw error
        }
    }
}

extension Outbox {
    /// A subscription that is about to be opened again.
    struct Resumption: Sendable {
        let storage: SubscriptionStorage
        let owner: DeliveryOwner
        let frame: STOMPFrame
    }

    /// Appends all SUBSCRIBEs, in one critical section with what makes their subscriptions belong to this connection:
    /// whoever ends one is either seen here, or says UNSUBSCRIBE afterwards.
    ///
    /// - Returns: whom to wait for.
    func resume(
        _ resumptions: [Resumption],
        within timeout: Duration,
        hasReceipts: Bool
    ) throws(STOMPError) -> [(SubscriptionStorage, UInt64, Completion)] {
        guard !resumptions.isEmpty else { return [] }
        let deadline = self.time.now + timeout
        let (waits, action) = try self.state.withLock {
            state throws(STOMPError) -> ([(SubscriptionStorage, UInt64, Completion)], Action) in
            guard state.phase.admits(.beginning) else { throw Self.refusal(state.phase) }
            var waits: [(SubscriptionStorage, UInt64, Completion)] = []
            let wasEmpty = state.pending.isEmpty
            for resumption in resumptions {
                guard resumption.storage.resume(resumption.owner) else {
                    _ = state.deliveries.close(resumption.owner)
                    continue
                }
                var frame = resumption.frame
                let waiter = Completion()
                if hasReceipts {
                    let id = state.receipts.register(waiter, deadline: deadline)
                    frame.headers.append(.receipt, String(id))
                    waits.append((resumption.storage, id, waiter))
                }
                // It could be said before, by this version or a stricter one.
                let serializer = FrameSerializer(version: resumption.owner.rules.version)
                do throws(STOMPError) {
                    try serializer.append(frame, to: &state.pending)
                } catch {
                    if let (_, id, _) = waits.last, hasReceipts { _ = state.receipts.remove(id) }
                    waiter.resolve(.failure(STOMPError(.rejected, error.message, cause: error)))
                }
            }
            return (waits, self.decide(&state, wasEmpty: wasEmpty, isUrgent: true))
        }
        self.perform(action)
        self.watch(deadline)
        return waits
    }
}
