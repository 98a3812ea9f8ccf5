// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Sends what is to be received, by a connection of its own.
struct Producer: Sendable {
    let target: Target
    let run = Marks.newRun()

    /// Whether the broker keeps messages until somebody subscribes: then they are sent first, and the measured part is
    /// receiving alone.
    static func keeps(_ destination: String) -> Bool {
        !destination.hasPrefix("/topic/") && !destination.hasPrefix("/exchange/")
    }

    /// Sends so many messages to each destination, in turn, and returns when the last ones are confirmed.
    ///
    /// Those of each destination are numbered from 0 on.
    @concurrent
    func send(_ countEach: Int, to destinations: [STOMPDestination]) async throws {
        let body = self.target.body
        let marks = Marks(run: self.run, count: 0)
        // destination, content-type, content-length and the mark.
        let variants = HeaderVariants(total: self.target.arguments.headers, own: 4)
        let total = countEach * destinations.count
        try await self.target.withClient { client in
            for number in 0..<countEach {
                var headers = variants[number]
                headers.append(Marks.header, marks.value(number))
                let receipt: STOMPReceipt = number == countEach - 1 ? .required(within: .seconds(300)) : .none
                for (index, destination) in destinations.enumerated() {
                    try await client.send(
                        body,
                        to: destination,
                        contentType: .plainText,
                        headers: headers,
                        receipt: receipt
                    )
                    let done = number * destinations.count + index + 1
                    guard self.target.tellsProgress(after: done) else { continue }
                    await self.target.progress.note("sent", done, of: total)
                }
            }
        }
    }

    /// Sends and receives: one after the other if the broker keeps what nobody has asked for.
    ///
    /// `receive` says by the closure that it is given when the subscriptions are there.
    func send<Value: Sendable>(
        _ countEach: Int,
        to destinations: [STOMPDestination],
        whileReceiving receive: @escaping @Sendable (_ whenSubscribed: @Sendable () -> Void) async throws -> Value
    ) async throws -> Value {
        if destinations.allSatisfy({ Self.keeps($0.rawValue) }) {
            try await self.send(countEach, to: destinations)
            return try await receive {}
        }
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask(name: "bench.producer") {
                for await _ in stream { break }
                if !Task.isCancelled { try await self.send(countEach, to: destinations) }
                return nil
            }
            group.addTask(name: "bench.receiver") { try await receive { continuation.finish() } }
            var value: Value?
            // The first failure ends both.
            for try await some in group { value = some ?? value }
            guard let value else { throw CancellationError() }
            return value
        }
    }
}
