// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

@Suite("Transactions with real brokers", .realBrokers)
struct BrokerTransactionTests {
    private struct ChangeOfMind: Error {}

    @Test("What is sent in a transaction comes at its COMMIT, and not after an ABORT", arguments: BrokerSession.all)
    func sends(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("transaction")
            try await fixture.withClient { client in
                try await client.withSubscription(to: queue, ack: session.oneByOne) { messages in
                    try await client.withTransaction { transaction in
                        try await transaction.send("in 1", to: queue)
                        try await transaction.send("in 2", to: queue)
                        try await client.send("outside", to: queue, receipt: .required)
                        try await messages.expectTexts(["outside"])
                    }
                    try await messages.expectTexts(["in 1", "in 2"])

                    do {
                        try await client.withTransaction { transaction in
                            try await transaction.send("never", to: queue)
                            throw ChangeOfMind()
                        }
                    } catch is ChangeOfMind {}
                    try await client.send("next", to: queue, receipt: .required)
                    try await messages.expectTexts(["next"])
                }
            }
        }
    }

    @Test("Two transactions side by side, by hand", arguments: BrokerSession.all)
    func byHand(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("by-hand")
            try await fixture.withClient { client in
                let kept = try await client.begin(id: "kept")
                let dropped = try await client.begin()
                await expectFailure(.invalidArgument) { _ = try await client.begin(id: "kept") }
                try await dropped.send("dropped", to: queue)
                try await kept.send("kept", to: queue)
                try await dropped.abort()
                try await kept.commit()
                await expectFailure(.transactionEnded) { try await kept.send("late", to: queue) }
                // The id is free again.
                try await client.begin(id: "kept").abort()
                try await client.withSubscription(to: queue, ack: .auto) { messages in
                    try await messages.expectText("kept")
                }
                try await fixture.expectEmpty(queue, client)
            }
        }
    }

    @Test("Acknowledgements happen at COMMIT; after ABORT they can be given again", arguments: BrokerSession.all)
    func acknowledgements(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("acks")
            try await fixture.withClient { client in
                for text in ["aborted", "committed", "left"] {
                    try await client.send(text, to: queue, receipt: .required)
                }
                let messages = try await client.subscribe(to: queue, ack: session.oneByOne)
                let first = try await messages.take(1)[0]
                do {
                    try await client.withTransaction { transaction in
                        try await transaction.ack(first)
                        await expectFailure(.alreadyAcknowledged) { try await transaction.ack(first) }
                        throw ChangeOfMind()
                    }
                } catch is ChangeOfMind {}
                try await first.ack(receipt: .required)
                let second = try await messages.take(1)[0]
                #expect(try second.text == "committed")
                try await client.withTransaction { transaction in try await transaction.ack(second) }
                await expectFailure(.alreadyAcknowledged) { try await second.ack() }
                await client.expectAlive(fixture.queue("other"))
                withExtendedLifetime(messages) {}
            }
            try await fixture.withClient { client in
                try await client.withSubscription(to: queue, ack: session.oneByOne) { messages in
                    try await messages.expectTexts(["left"])
                }
                try await fixture.expectEmpty(queue, client)
            }
        }
    }

    @Test("A session that ends aborts its transaction", arguments: BrokerSession.all)
    func disconnected(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("lost")
            try await fixture.withClient { client in
                let transaction = try await client.begin()
                try await transaction.send("never", to: queue)
            }
            try await fixture.withClient { client in try await fixture.expectEmpty(queue, client) }
        }
    }
}
