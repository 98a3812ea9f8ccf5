// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization

extension STOMPConnection {
    /// Ends the session so that as little as possible is left undone: nothing more is handed out; handlers finish; then
    /// UNSUBSCRIBE, outstanding receipts and DISCONNECT follow, in this order, since an ACK needs a live subscription.
    ///
    /// What was buffered goes back to the broker with the connection; nothing is refused.
    ///
    /// - Parameter waitingForHandlers: whether somebody may have a message; else nobody is waited for.
    /// - Returns: what was left undone.
    func drain(waitingForHandlers: Bool) async -> STOMPDrainReport {
        var report = STOMPDrainReport()
        let storages = self.demultiplexer.storages.filter { !$0.hasEnded }
        for storage in storages { storage.seal() }
        if waitingForHandlers {
            await self.waitForHandlers(of: storages)
            report.busySubscriptions = storages.filter(\.isBusy).map(\.id)
        }
        self.outbox.beginDraining()
        // One deadline for all that follows.
        let deadline = self.time.now + self.configuration.shutdownTimeout
        let (waits, unanswered) = self.outbox.unsubscribe(storages, until: deadline)
        report.unansweredMessageCount = unanswered
        for (id, receipt, waiter) in waits {
            do throws(STOMPError) {
                try await self.outbox.wait(for: receipt, waiter)
            } catch {
                report.unconfirmedSubscriptions.append(id)
            }
        }
        for storage in storages { self.demultiplexer.remove(storage) }
        report.outstandingReceiptCount = await self.disconnect(quietUntil: deadline, until: deadline)
        return report
    }

    private nonisolated func waitForHandlers(of storages: [SubscriptionStorage]) async {
        let deadline = self.time.now + self.configuration.handlerTimeout
        let late = STOMPError(.cancelled, "Handlers were still at work.")
        try? await withDeadline(deadline, of: self.time, timeout: late) { () throws(STOMPError) in
            for storage in storages where !Task.isCancelled { await storage.waitForHandler() }
        }
    }

    /// The subscriptions are to go on by another connection, though this one ends as wished.
    nonisolated func handOver() {
        self.handsOver.store(true, ordering: .relaxed)
    }
}

extension Outbox {
    /// Ends these subscriptions on a connection that is about to end too.
    ///
    /// - Returns: whom to wait for, where the broker gives receipts; how many messages had no answer.
    func unsubscribe(
        _ storages: [SubscriptionStorage],
        until deadline: Duration
    ) -> (waits: [(id: String, receipt: UInt64, waiter: Completion)], unansweredCount: Int) {
        // First, so that nobody else says it too.
        let ended = storages.filter { $0.end(.finished, revoking: true) }
        guard !ended.isEmpty else { return ([], 0) }
        let (waits, unanswered, action) = self.state.withLock {
            state -> ([(id: String, receipt: UInt64, waiter: Completion)], Int, Action) in
            guard state.phase.admits(.ending) else { return ([], 0, .nothing) }
            var waits: [(id: String, receipt: UInt64, waiter: Completion)] = []
            var unanswered = 0
            let wasEmpty = state.pending.isEmpty
            for storage in ended {
                var farewell = Farewell(storage: storage)
                farewell.givesBack = false
                unanswered += state.deliveries.unansweredCount(of: farewell.owner)
                let waiter = Completion()
                let id = farewell.owner.dialect.hasReceipts ? state.receipts.register(waiter, deadline: deadline) : nil
                // Ids that SUBSCRIBE could say, UNSUBSCRIBE can say too.
                guard (try? farewell.append(to: &state, receipt: id)) != nil else { continue }
                if let id { waits.append((storage.id, id, waiter)) }
            }
            return (waits, unanswered, self.decide(&state, wasEmpty: wasEmpty, isUrgent: true))
        }
        self.perform(action)
        self.watch(deadline)
        return (waits, unanswered)
    }

    /// Calls that wait for a RECEIPT.
    var outstandingReceiptCount: Int {
        self.state.withLock { $0.receipts.count }
    }

    /// Whether the connection has ended.
    var isClosed: Bool {
        self.state.withLock { state in
            if case .closed = state.phase { true } else { false }
        }
    }
}
