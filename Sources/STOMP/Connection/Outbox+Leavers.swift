// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension Outbox {
    /// Waits for the answer to an empty transaction.
    ///
    /// The broker has then processed what was written before, and what it had written before is here.
    func roundTrip(version: STOMPVersion, within timeout: Duration) async throws(STOMPError) {
        let serializer = FrameSerializer(version: version)
        try await self.appendAwaitingReceipt(
            within: timeout,
            roomWithin: nil,
            isUrgent: true
        ) { state, receipt throws(STOMPError) in
            let id = state.transactions.makeID()
            try serializer.append(STOMPFrame(.begin, headers: [.transaction: id]), to: &state.pending)
            let headers: STOMPHeaders = [.transaction: id, .receipt: String(receipt)]
            try serializer.append(STOMPFrame(.commit, headers: headers), to: &state.pending)
        }
    }

    /// Those for whom messages may still be under way.
    var leaverIDs: [String] {
        self.state.withLock { $0.leavers.ids }
    }

    func leaver(_ id: String) -> LeaverTable.Leaver? {
        self.state.withLock { $0.leavers[id] }
    }

    /// Messages have come for a subscription that has ended.
    func noteLate(_ acknowledgementIDs: [String], of id: String) {
        self.state.withLock { $0.leavers.noteLate(acknowledgementIDs, of: id) }
    }

    /// Returns when nothing of this subscription is with the connection any more; at once if it is not about to leave.
    ///
    /// Of the broker's answers that this needs each has its time, by `stomp.leavers`.
    func waitForLeaver(_ id: String) async throws(STOMPError) {
        let waiter = Completion()
        let number = self.state.withLock { state -> UInt64? in
            guard state.leavers[id] != nil else { return nil }
            let number = state.receipts.register(waiter, deadline: ReceiptTable<Completion>.never)
            state.leavers.addWaiter(number, to: id)
            return number
        }
        guard let number else { return }
        try await self.wait(for: number, waiter)
    }

    /// As ``writeFarewell(_:)``; returns when nothing of this subscription is with the connection any more.
    func leave(_ farewell: Farewell) async throws(STOMPError) {
        let waiter = Completion()
        let (number, action) = try self.state.withLock { state throws(STOMPError) -> (UInt64, Action) in
            let action = try self.append(farewell, to: &state)
            let number = state.receipts.register(waiter, deadline: ReceiptTable<Completion>.never)
            state.leavers.addWaiter(number, to: farewell.owner.subscriptionID)
            return (number, action)
        }
        self.perform(action)
        self.leaverSignal.raise()
        try await self.wait(for: number, waiter)
    }

    /// Ends the wait for this leaver, unless messages came too late.
    ///
    /// - Returns: whether it has left.
    func hasLeft(_ id: String) -> Bool {
        switch self.state.withLock({ $0.leavers.leave(id) }) {
        case .stays:
            return false
        case .left(let waiters):
            _ = self.confirm(waiters)
            return true
        case .givenUp(let waiters):
            for waiter in waiters { _ = self.reject(waiter, Self.notTakenBack) }
            return true
        }
    }

    private static let notTakenBack = STOMPError(
        .rejected,
        "The broker did not take back what came too late for the subscription: it keeps that until the connection ends."
    )

    /// What is under way stays with the connection.
    func forgetLeavers(_ error: STOMPError) {
        let waiters = self.state.withLock { $0.leavers.removeAll() }
        for waiter in waiters { _ = self.reject(waiter, error) }
    }
}
