// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// `recv` and `ack` from a destination of a real broker, which this program fills first, or meanwhile.
struct BrokerReceiving: Workload {
    let target: Target
    let destination: STOMPDestination
    /// `auto`, or `client-individual` with an ack for each message.
    let mode: STOMPAckMode

    func run() async throws -> [Round] {
        let producer = Producer(target: self.target)
        let count = self.target.arguments.count
        return try await producer.send(count, to: [self.destination]) { whenSubscribed in
            try await self.target.withClient { client in
                [try await self.receive(client, producer.run, whenSubscribed)]
            }
        }
    }

    @concurrent
    private func receive(
        _ client: STOMPClient,
        _ run: String,
        _ whenSubscribed: @Sendable () -> Void
    ) async throws -> Round {
        let count = self.target.arguments.count
        var marks = Marks(run: run, count: count)
        var bytes = 0
        let stopwatch = Stopwatch()
        let messages = try await client.subscribe(to: self.destination, ack: self.mode)
        whenSubscribed()
        for try await message in messages {
            bytes += message.bodyByteCount
            marks.check(message)
            if self.mode != .auto { try await message.ack(receipt: marks.isComplete ? .required : .none) }
            if marks.isComplete { break }
            if self.target.tellsProgress(after: marks.count) {
                await self.target.progress.note("received", marks.count, of: count)
            }
        }
        guard marks.isComplete else {
            throw BenchError("the subscription ended after \(marks.count) of \(count) messages")
        }
        let mode: BenchMode = self.mode == .auto ? .recv : .ack
        var round = self.target.round(
            stopwatch.measurement(mode: mode.rawValue, count: count, byteCount: bytes)
        )
        if !Producer.keeps(self.destination.rawValue) {
            round.notes.append("the messages were sent meanwhile, by this process: its CPU has both")
        }
        if let note = marks.note { round.notes.append(note) }
        try await messages.unsubscribe()
        return round
    }
}
