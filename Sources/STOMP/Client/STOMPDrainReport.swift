// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a graceful shutdown had to leave undone.
public struct STOMPDrainReport: Sendable, Hashable {
    /// Subscriptions whose consumer had not come back from its last message in
    /// ``STOMPConfiguration/handlerTimeout``.
    public var busySubscriptions: [String] = []
    /// Subscriptions whose UNSUBSCRIBE the broker did not confirm in ``STOMPConfiguration/shutdownTimeout``.
    public var unconfirmedSubscriptions: [String] = []
    /// Messages that were received and not answered: the broker delivers them again.
    public var unansweredMessageCount = 0
    /// Receipts that calls still waited for.
    public var outstandingReceiptCount = 0

    /// Whether nothing was left undone, but for messages that go back to the broker.
    public var isComplete: Bool {
        self.busySubscriptions.isEmpty && self.unconfirmedSubscriptions.isEmpty && self.outstandingReceiptCount == 0
    }
}
