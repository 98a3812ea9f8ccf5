// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPTesting
import Testing

// The code of README.md and of the articles, word for word, so that it compiles; `SnippetTests` compares them.

@Test("An order is acknowledged once it is handled")
func orderIsAcknowledged() async throws {
    try await withSTOMPBroker { broker in
        try await broker.publish("order-1", to: "/queue/orders")
        try await withSTOMPClient(connectedTo: broker) { client in
            try await client.withSubscription(to: "/queue/orders") { orders in
                for try await order in orders {
                    try await order.ack(receipt: .required)
                    break
                }
            }
        }
        #expect(await broker.settled(in: "/queue/orders") == [.acknowledged("order-1")])
    }
}

private func handle(_ order: STOMPMessage) async throws {}

private func tenLines() async throws {
    try await withSTOMPClient("stomp://guest:guest@localhost:61613") { client in
        try await client.withSubscription(to: "/queue/greetings") { greetings in
            try await client.send("hello", to: "/queue/greetings", receipt: .required)
            for try await greeting in greetings {
                print(try greeting.text)
                try await greeting.ack()
                break
            }
        }
    }
}

private func service() async throws {
    let client = STOMPClient(try STOMPServer("stomp://guest:guest@localhost:61613"))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        try await client.send("started", to: "/topic/status")
        client.beginGracefulShutdown()
        try await group.waitForAll()
    }
}

private func loop(_ client: STOMPClient) async throws {
    try await client.withSubscription(to: "/queue/orders", ack: .clientIndividual) { orders in
        for try await order in orders {
            try await handle(order)
            try await order.ack()
        }
    }
}

private func confirmedAck(_ order: STOMPMessage) async throws {
    try await order.ack(receipt: .required)
}

private func transaction(_ client: STOMPClient, _ order: STOMPMessage) async throws {
    try await client.withTransaction { transaction in
        try await transaction.send("paid", to: "/queue/ledger")
        try await transaction.ack(order)
    }
}

private func severalAtATime(_ orders: STOMPSubscription) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        var running = 0
        for try await order in orders {
            if running == 8 {
                try await group.next()
                running -= 1
            }
            group.addTask {
                try await handle(order)
                try await order.ack()
            }
            running += 1
        }
        try await group.waitForAll()
    }
}

private func keeping(_ prices: STOMPSubscription) async throws -> [String: STOMPMessage] {
    var latest: [String: STOMPMessage] = [:]
    for try await price in prices {
        latest[price["symbol"] ?? ""] = price.detached()
    }
    return latest
}

private func codes(_ client: STOMPClient) async {
    // In a closure, where the type must be written.
    await { () async in
        do throws(STOMPError) {
            try await client.send("order-1", to: "/queue/orders", receipt: .required(within: .seconds(5)))
        } catch {
            switch error.code {
            case .rejected:
                print("The broker refused it: \(error.message)")
            case .receiptTimedOut, .connectionLost:
                print("It may have arrived, or not: \(error.message)")
            default:
                print("It was not sent: \(error.message)")
            }
        }
    }()
}

private func patterns(_ client: STOMPClient) async {
    let deliver = { (text: String) async -> Bool in
        do {
            try await client.send(text, to: "/queue/orders", receipt: .required)
            return true
        } catch let error as STOMPError {
            print(error.message)
            return false
        } catch {
            return false
        }
    }
    _ = await deliver("order-1")
}

private func retrying(_ client: STOMPClient) async throws {
    func sendPatiently(_ text: String, id: String) async throws(STOMPError) {
        for attempt in 1... {
            do throws(STOMPError) {
                return try await client.send(
                    text,
                    to: "/queue/orders",
                    headers: ["order-id": id],
                    receipt: .required
                )
            } catch {
                guard error.isRetriable, attempt < 3 else { throw error }
            }
        }
    }
    try await sendPatiently("order-1", id: "1")
}
