// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Many subscriptions on one connection, whose messages come by turns.
struct Subscriptions: Workload {
    let target: Target

    func run() async throws -> [Round] {
        let arguments = self.target.arguments
        let count = arguments.subscriptions
        let countEach = arguments.count / count
        guard let base = arguments.destination else {
            let headers = arguments.headers.map { "/\($0)" } ?? ""
            let destination = STOMPDestination("/round/\(count)/\(countEach)/\(arguments.size)\(headers)")
            return [try await self.receive(countEach, from: Array(repeating: destination, count: count), run: nil) {}]
        }
        let producer = Producer(target: self.target)
        let destinations = (1...count).map { STOMPDestination("\(base)-\($0)") }
        return try await producer.send(countEach, to: destinations) { whenSubscribed in
            [try await self.receive(countEach, from: destinations, run: producer.run, whenSubscribed)]
        }
    }

    /// The messages of a run of a real broker, or of the peer, which numbers its own.
    private func receive(
        _ countEach: Int,
        from destinations: [STOMPDestination],
        run: String?,
        _ whenSubscribed: @Sendable () -> Void
    ) async throws -> Round {
        try await self.target.withClient { client in
            let stopwatch = Stopwatch()
            let subscriptions = try await self.subscribe(client, destinations)
            whenSubscribed()
            let bytes = try await withThrowingTaskGroup(of: Int.self) { group in
                for messages in subscriptions {
                    group.addTask(name: "bench.consumer") {
                        if let run {
                            return try await Self.receive(messages, marks: Marks(run: run, count: countEach))
                        }
                        return try await Self.receive(messages, count: countEach)
                    }
                }
                var bytes = 0
                for try await some in group { bytes += some }
                return bytes
            }
            let count = countEach * destinations.count
            guard bytes == count * self.target.arguments.size else {
                throw BenchError("\(bytes) bytes of bodies came instead of \(count * self.target.arguments.size)")
            }
            var round = self.target.round(
                stopwatch.measurement(mode: BenchMode.subscriptions.rawValue, count: count, byteCount: bytes)
            )
            round.measurement.subscriptions = destinations.count
            return round
        }
    }

    /// All at once: the peer begins when the last one has come.
    private func subscribe(
        _ client: STOMPClient,
        _ destinations: [STOMPDestination]
    ) async throws -> [STOMPSubscription] {
        try await withThrowingTaskGroup(of: STOMPSubscription.self) { group in
            for destination in destinations {
                group.addTask(name: "bench.subscribe") { try await client.subscribe(to: destination, ack: .auto) }
            }
            var subscriptions: [STOMPSubscription] = []
            for try await subscription in group { subscriptions.append(subscription) }
            return subscriptions
        }
    }

    private static func receive(_ messages: STOMPSubscription, count: Int) async throws -> Int {
        var bytes = 0
        var received = 0
        var ids = Sequence()
        for try await message in messages {
            bytes += message.bodyByteCount
            message.withRawMessageID { ids.check($0) }
            received += 1
            if received == count { break }
        }
        guard ids.isComplete(count) else {
            throw BenchError("\(received) of \(count) messages came by a subscription, \(ids.wrong) out of order")
        }
        return bytes
    }

    private static func receive(_ messages: STOMPSubscription, marks: Marks) async throws -> Int {
        var marks = marks
        var bytes = 0
        for try await message in messages {
            let known = marks.count
            marks.check(message)
            if marks.count > known { bytes += message.bodyByteCount }
            if marks.isComplete { break }
        }
        guard marks.isComplete else { throw BenchError("a subscription ended after \(marks.count) messages") }
        return bytes
    }
}
