// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

// The code of SurvivingLosses.md, word for word, so that it compiles; `SnippetTests` compares them.

private func handle(_ order: STOMPMessage) async throws {}

private func passcode(for endpoint: STOMPEndpoint) async throws -> String { "" }

private func oneLoop(_ client: STOMPClient) async throws {
    try await client.withSubscription(to: "/queue/orders") { orders in
        for try await order in orders {
            try await handle(order)
            do throws(STOMPError) {
                try await order.ack()
            } catch {
                // Its connection is gone: the order comes again.
                guard error.code == .staleAcknowledgement else { throw error }
            }
        }
    }
}

private func configured() -> STOMPConfiguration {
    var configuration = STOMPConfiguration()
    configuration.reconnect = STOMPReconnectPolicy(.exponential(maximum: .seconds(5)))
    configuration.reconnect.maximumAttemptsAtStart = .unlimited

    configuration.credentials = { request in
        STOMPLogin("orders", passcode: try await passcode(for: request.endpoint))
    }

    var limits = STOMPSendQueueLimits()
    limits.timeToLive = .seconds(10)
    limits.overflow = .dropOldest
    configuration.sendWhileDisconnected = .enqueue(limits)
    return configuration
}

private func resending(_ client: STOMPClient) async throws {
    try await client.send(
        "order-1",
        to: "/queue/orders",
        headers: ["persistent": "true", "order-id": "1"],
        receipt: .required(onLoss: .resend)
    )
}

private func watching(_ client: STOMPClient) async {
    for await event in client.events {
        switch event {
        case .disconnected(let error):
            print("lost: \(error?.message ?? "as wished")")
        case .reconnecting(let delay, _):
            print("connects again after \(delay)")
        case .resumed(let count):
            print("goes on with \(count) subscriptions")
        case .drained(let report) where !report.isComplete:
            print("left undone: \(report)")
        default:
            break
        }
    }
}
