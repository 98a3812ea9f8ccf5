// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import TestSupport
import Testing

/// A producer and a consumer of numbered messages, on two clients, while something happens to their broker.
struct SurvivalRun: Sendable {
    /// How many sends may wait for their receipts.
    private static let window = 8

    let servers: STOMPServerList
    let queue: STOMPDestination
    let count: Int
    /// For SUBSCRIBE and SEND alike.
    var queueHeaders: STOMPHeaders = [:]
    let record = Shared(SurvivalRecord())

    /// For the report of a test that got stuck.
    var progress: String {
        let record = self.record.value
        return "\(record.confirmed.count) confirmed, \(record.received.count) received"
    }

    private var configuration: STOMPConfiguration {
        var configuration = STOMPConfiguration.patient
        configuration.reconnect = STOMPReconnectPolicy(.fixed(.milliseconds(100)))
        return configuration
    }

    /// Returns when each number that was confirmed has been received; the record tells how.
    ///
    /// - Parameters:
    ///   - preparation: what happens when there is a queue, and nothing was sent.
    ///   - interruption: what happens when a third of the numbers is confirmed.
    /// - Throws: what ended the producer, the consumer, the preparation or the interruption.
    func run(
        preparing preparation: () async throws -> Void = {},
        _ interruption: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withSTOMPClient(self.servers, configuration: self.configuration) { consumer in
            try await consumer.withSubscription(to: self.queue, headers: self.queueHeaders) { messages in
                try await preparation()
                try await withSTOMPClient(self.servers, configuration: self.configuration) { producer in
                    try await self.run(producer, consumer.events, messages, interruption)
                }
            }
        }
    }

    private func run(
        _ producer: STOMPClient,
        _ events: AsyncStream<STOMPEvent>,
        _ messages: STOMPSubscription,
        _ interruption: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let listening = group.addTaskUnlessCancelled {
                for await event in events {
                    if case .resumed = event { self.record.update { $0.noteResumption() } }
                }
            }
            try #require(listening)
            try await withThrowingTaskGroup(of: Void.self) { workers in
                workers.addTask { try await self.receiveAll(messages) }
                workers.addTask { try await self.sendAll(by: producer) }
                workers.addTask {
                    while self.record.value.confirmed.count < self.count / 3 {
                        try await RealTime.pass(.milliseconds(1))
                    }
                    self.record.update { $0.noteInterruption() }
                    try await interruption()
                }
                try await workers.waitForAll()
            }
            group.cancelAll()
        }
    }

    private func sendAll(by producer: STOMPClient) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...self.count {
                if number > Self.window { try await group.next() }
                group.addTask { try await self.send(number, by: producer) }
            }
            try await group.waitForAll()
        }
    }

    private func send(_ number: Int, by producer: STOMPClient) async throws {
        var headers = self.queueHeaders
        headers["persistent"] = "true"
        self.record.update { $0.noteSending(number) }
        try await producer.send(
            String(number),
            to: self.queue,
            headers: headers,
            receipt: .required(onLoss: .resend)
        )
        self.record.update { $0.noteConfirmed(number) }
    }

    /// One loop, through all connections, until every number is there.
    private func receiveAll(_ messages: STOMPSubscription) async throws {
        for try await message in messages {
            let number = try #require(Int(try message.text))
            let isMarked = message["redelivered"] == "true"
            self.record.update { $0.noteReceived(number, isMarked: isMarked) }
            do {
                try await message.ack()
            } catch {
                // Its connection is gone: it comes again.
                guard error.code == .staleAcknowledgement else { throw error }
            }
            if self.record.value.received.count == self.count { return }
        }
        Issue.record("the loop has ended before everything was received")
    }
}
