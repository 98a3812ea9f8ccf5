// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A message as the broker keeps it, from SEND to the end of its last delivery.
struct BrokerMessage: Sendable {
    /// As SEND had it, also where the broker knows the queue by another spelling.
    let destination: String
    /// What is passed on to subscribers.
    let headers: STOMPHeaders
    let body: [UInt8]
    /// What it counts for against the bounds.
    let byteCount: Int

    init(destination: String, headers: STOMPHeaders, body: [UInt8]) {
        var kept = STOMPHeaders()
        // Only the first of a repeated header has a meaning; brokers pass on no other.
        for field in headers.fields where !Self.ownNames.contains(field.name) && kept[field.name] == nil {
            kept.append(field.name, field.value)
        }
        self.destination = destination
        self.headers = kept
        self.body = body
        self.byteCount = kept.fields.reduce(Self.overhead + destination.utf8.count + body.count) {
            $0 + $1.name.rawValue.utf8.count + $1.value.utf8.count
        }
    }

    /// What an empty message takes, roughly.
    private static let overhead = 64

    /// Headers that belong to the sender's frame or are the broker's to write.
    private static let ownNames: Set<STOMPHeaders.Name> = [
        .destination, .receipt, .transaction, .ack, .messageID, .subscription, .redelivered, .contentLength,
    ]
}

extension BrokerMessage {
    /// The body as text; what is not UTF-8 is replaced.
    var text: String {
        String(decoding: self.body, as: UTF8.self)
    }
}

/// A message in its place in a queue.
struct QueuedMessage: Sendable {
    let message: BrokerMessage
    /// Where in the queue it was put at first; what comes back goes in front of all higher ones.
    let position: UInt64
    var isRedelivered = false
    /// How often it was negatively acknowledged.
    var refusalCount = 0
}

/// A subscription, for the queue that serves it.
struct ConsumerID: Hashable, Sendable {
    let connection: UInt64
    let number: UInt64
}

/// A message on its way to a subscriber.
struct Delivery: Sendable {
    let number: UInt64
    let consumer: ConsumerID
    let content: QueuedMessage

    // Like RabbitMQ's, both are new for each delivery; like ActiveMQ's, they differ, so that an ACK with the wrong one
    // is found out.
    static let messagePrefix = "m-"
    static let acknowledgementPrefix = "a-"

    var messageID: String {
        Self.messagePrefix + String(self.number)
    }

    var acknowledgementID: String {
        Self.acknowledgementPrefix + String(self.number)
    }
}
