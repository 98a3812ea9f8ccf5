// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What one subscription's deliveries may still be answered with: each at most once, and none after its end.
///
/// A second ACK kills a RabbitMQ session, so the ledger is asked before anything is written.
package struct AcknowledgementLedger: Sendable {
    package let mode: STOMPAckMode
    /// No longer true from UNSUBSCRIBE on.
    package var isLive = true
    /// In `client` mode: all deliveries below this number are settled (STOMP 1.2, SUBSCRIBE ack).
    package private(set) var settledBelow: UInt64 = 0
    private var nextNumber: UInt64 = 0

    package init(mode: STOMPAckMode) {
        self.mode = mode
    }

    /// Numbers the next `count` deliveries; returns the first number.
    package mutating func delivered(_ count: Int) -> UInt64 {
        defer { self.nextNumber += UInt64(count) }
        return self.nextNumber
    }

    /// Whether this delivery has been answered.
    package func isSettled(_ number: UInt64, flag: Bool) -> Bool {
        flag || number < self.settledBelow
    }

    /// Tests and sets: answers one delivery, and in `client` mode, if `isCumulative`, all before it.
    ///
    /// - Parameter flag: the delivery's own settled bit, which its owner keeps.
    /// - Throws: ``STOMPError/Code/notAcknowledgeable`` or ``STOMPError/Code/alreadyAcknowledged``; then nothing must
    ///   be written.
    package mutating func settle(
        _ number: UInt64,
        flag: inout Bool,
        isCumulative: Bool
    ) throws(STOMPError) {
        guard self.mode != .auto else {
            throw STOMPError(
                .notAcknowledgeable,
                "The subscription's ack mode is auto: its messages need no acknowledgement."
            )
        }
        guard self.isLive else {
            throw STOMPError(
                .notAcknowledgeable,
                "The subscription has ended; the broker takes no acknowledgement and delivers the message again."
            )
        }
        guard !self.isSettled(number, flag: flag) else {
            throw STOMPError(.alreadyAcknowledged, "The message was acknowledged before.")
        }
        flag = true
        if self.mode == .client, isCumulative { self.settledBelow = number + 1 }
    }

    /// A cumulative answer was given in a transaction that was aborted.
    package mutating func restore(settledBelow: UInt64) {
        self.settledBelow = min(self.settledBelow, settledBelow)
    }
}
