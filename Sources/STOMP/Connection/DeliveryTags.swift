// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// RabbitMQ's numbers for what it delivers by one connection: one after the other, whatever the subscription.
///
/// A MESSAGE says its own, at the end of `message-id`. The ERROR about a message that was under way at UNSUBSCRIBE says
/// none, but it stands in the stream where the MESSAGE would have stood, so it can be counted.
struct DeliveryTags: Sendable {
    /// What stands before the number in a `message-id`, which is `T_1@@session-x@@7`.
    private static let separator = UInt8(ascii: "@")

    private var last: UInt64 = 0
    private var highest: UInt64 = 0
    private var count: UInt64 = 0
    /// Whether every delivery so far had the number that was due.
    ///
    /// NACKing a guessed one would end the connection, or take away a message that is being handled.
    private var isReliable = true

    /// Messages have come, of which this is the last.
    mutating func note(messageID: UnsafeRawBufferPointer?, count: Int) {
        guard let tag = messageID.flatMap(Self.tag) else {
            self.isReliable = false
            return
        }
        self.highest = max(self.highest, tag)
        self.count += UInt64(count)
    }

    /// All messages that came before now are noted.
    mutating func settle() {
        if self.count > 0, self.highest != self.last + self.count { self.isReliable = false }
        self.last = self.highest
        self.count = 0
    }

    /// The number of a delivery about which there was only an ERROR; `nil`: unknown.
    mutating func next() -> UInt64? {
        self.last += 1
        self.highest = self.last
        return self.isReliable ? self.last : nil
    }

    /// The number at the end of a `message-id`.
    static func tag(_ messageID: UnsafeRawBufferPointer) -> UInt64? {
        guard let end = messageID.lastIndex(of: self.separator) else { return nil }
        return ReceiptTable<Void>.id(from: UnsafeRawBufferPointer(rebasing: messageID[(end + 1)...]))
    }

    /// What a NACK of this number names.
    ///
    /// RabbitMQ wants the subscription that it names to exist; the delivery may be another one's.
    static func acknowledgementID(of tag: UInt64, subscriptionID: String, sessionID: String?) -> String {
        "T_\(subscriptionID)@@\(sessionID ?? "")@@\(tag)"
    }
}
