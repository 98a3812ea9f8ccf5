// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Sends numbered messages to a queue, and receives them from there, whatever happens to the connection.
struct Delivery: Sendable {
    /// How many sends may wait for their receipts.
    private static let window = 10
    /// How long to wait for what is missing when everything is sent.
    private static let patience = Duration.seconds(60)

    let client: STOMPClient
    let count: Int
    let pause: Duration
    /// Told how many are confirmed, each time.
    let onConfirmed: @Sendable (_ count: Int) async -> Void
    private let ledger = Ledger()
    /// A queue of our own, so that other people's messages stay out of the count.
    private let queue = STOMPDestination("/queue/failover-\(UInt64.random(in: 0 ... .max))")

    init(
        client: STOMPClient,
        count: Int,
        pause: Duration,
        onConfirmed: @escaping @Sendable (_ count: Int) async -> Void
    ) {
        self.client = client
        self.count = count
        self.pause = pause
        self.onConfirmed = onConfirmed
    }

    func run() async throws -> Tally {
        // STOMP 1.0 has no client-individual.
        let mode = self.client.session?.version == .v10 ? STOMPAckMode.client : .clientIndividual
        let queueHeaders = self.queueHeaders
        try await self.client.withSubscription(to: self.queue, ack: mode, headers: queueHeaders) { messages in
            try await self.run(messages, queueHeaders)
        }
        let repeats = await self.ledger.repeatCount
        Narrator.say("received more than once: \(repeats)")
        return await self.ledger.tally
    }

    private func run(_ messages: STOMPSubscription, _ queueHeaders: STOMPHeaders) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(name: "failover.receiver") { try await self.receiveAll(messages) }
            try await self.sendAll(queueHeaders)
            await self.ledger.noteSendingOver()
            if await !self.ledger.isComplete {
                group.addTask(name: "failover.patience") { try await Task.sleep(for: Self.patience) }
                try await group.next()
            }
            group.cancelAll()
        }
    }

    /// What makes the queue survive a node's death where that has to be said.
    ///
    /// RabbitMQ wants the same words at SUBSCRIBE and SEND.
    private var queueHeaders: STOMPHeaders {
        guard self.client.dialect == .rabbitMQ else { return [:] }
        return [
            "x-queue-type": "quorum", "durable": "true", "auto-delete": "false", "exclusive": "false",
            // Nobody deletes it by STOMP.
            "x-expires": "600000",
        ]
    }

    // MARK: - Sending

    private func sendAll(_ queueHeaders: STOMPHeaders) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...self.count {
                if number > Self.window { try await group.next() }
                group.addTask(name: "failover.send") { try await self.send(number, queueHeaders) }
                if self.pause > .zero { try await Task.sleep(for: self.pause) }
            }
            try await group.waitForAll()
        }
    }

    private func send(_ number: Int, _ queueHeaders: STOMPHeaders) async throws {
        var headers = queueHeaders
        headers["persistent"] = "true"
        await self.ledger.noteSent(number)
        do throws(STOMPError) {
            try await self.client.send(
                String(number),
                to: self.queue,
                headers: headers,
                receipt: .required(onLoss: .resend)
            )
        } catch {
            guard error.code == .receiptTimedOut else { throw error }
            // Not confirmed, so nothing is promised for it.
            return Narrator.say("send: \(number) is not confirmed: \(error.message)")
        }
        await self.onConfirmed(await self.ledger.noteConfirmed(number))
    }

    // MARK: - Receiving

    /// One loop, through all connections.
    private func receiveAll(_ messages: STOMPSubscription) async throws {
        for try await message in messages {
            guard let number = Int(try message.text) else {
                throw STOMPError(.invalidArgument, "A message that is no number is in \(self.queue).")
            }
            await self.ledger.noteReceived(number)
            do throws(STOMPError) {
                try await message.ack()
            } catch {
                guard error.code == .staleAcknowledgement else { throw error }
                // Its connection is gone: it comes again.
                continue
            }
            if await self.ledger.isComplete { break }
        }
    }
}
