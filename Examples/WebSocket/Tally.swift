// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// What was done, counted as it is done.
struct Tally {
    let scheme: String
    private(set) var sent = 0
    private(set) var received = 0
    private(set) var acknowledged = 0

    init(scheme: String) {
        self.scheme = scheme
    }

    /// Sends a text, bytes that are none, and a body that takes several WebSocket messages; receives and acknowledges
    /// them.
    mutating func fill(by client: STOMPClient) async throws {
        let bodies: [[UInt8]] = [Array("hello".utf8), [0, 1, 2, 255], [UInt8](repeating: 42, count: 200_000)]
        var tally = self
        try await client.withSubscription(to: "/queue/websocket") { messages in
            print("connected: STOMP \(client.session?.version ?? .v12), subscribed to \(messages.destination)")
            for body in bodies {
                try await client.send(body, to: messages.destination, receipt: .required)
                tally.sent += 1
                print("sent: \(body.count) bytes, and the broker has confirmed them")
            }
            for try await message in messages {
                guard message.body == bodies[tally.received] else {
                    throw STOMPError(.protocolViolation, "A body came back changed.")
                }
                tally.received += 1
                print("received: \(message.bodyByteCount) bytes")
                try await message.ack(receipt: .required)
                tally.acknowledged += 1
                if tally.acknowledged == tally.sent { break }
            }
        }
        self = tally
    }
}
