// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Sends, receives, acknowledges, and shows a transaction.
///
/// Counts what happens.
struct Tour {
    struct Tally {
        var sent = 0
        var received = 0
        var acknowledged = 0
    }

    let client: STOMPClient
    private var tally = Tally()

    init(client: STOMPClient) {
        self.client = client
    }

    mutating func run() async throws -> Tally {
        let version = self.client.session?.version ?? .v12
        let dialect = self.client.dialect ?? .generic
        print("connected: STOMP \(version), \(self.client.session?.serverDescription ?? "a broker without a name")")

        // A queue of our own, so that other people's messages stay out of the count.
        let queue = STOMPDestination("/queue/quickstart-\(UInt64.random(in: 0 ... .max))")
        // STOMP 1.0 has no client-individual.
        let mode = version == .v10 ? STOMPAckMode.client : .clientIndividual
        var tally = self.tally
        try await self.client.withSubscription(to: queue, ack: mode) { greetings in
            print("subscribed: \(queue), ack mode \(mode.rawValue)")
            for text in ["hello", "world"] {
                try await self.client.send(text, to: queue, receipt: dialect.hasReceipts ? .required : .none)
                tally.sent += 1
                print("sent: \(text), and the broker has confirmed it")
            }

            do {
                try await self.client.withTransaction { transaction in
                    try await transaction.send("never", to: queue)
                    throw ChangeOfMind()
                }
            } catch is ChangeOfMind {
                print("transaction: aborted, so its message was never sent")
            }
            try await self.client.withTransaction { transaction in
                try await transaction.send("from a transaction", to: queue)
            }
            tally.sent += 1
            print("transaction: committed, with one message")

            for try await greeting in greetings {
                tally.received += 1
                print("received: \(try greeting.text)")
                try await greeting.ack()
                tally.acknowledged += 1
                if tally.acknowledged == tally.sent { break }
            }
        }
        print("unsubscribed; disconnecting")
        self.tally = tally
        return tally
    }
}

struct ChangeOfMind: Error {}
