// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Sends with receipts, so many of them in flight; with one in flight it is `rtt`.
struct Receipts: Workload {
    let target: Target
    let inFlight: Int

    func run() async throws -> [Round] {
        try await self.target.withClient { client in
            [try await self.send(client)]
        }
    }

    @concurrent
    private func send(_ client: STOMPClient) async throws -> Round {
        let arguments = self.target.arguments
        let count = arguments.count
        let body = self.target.body
        let variants = HeaderVariants(total: arguments.headers, own: 4)
        let stopwatch = Stopwatch()
        let times = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for worker in 0..<min(self.inFlight, count) {
                group.addTask(name: "bench.sender") {
                    try await self.send(client, from: worker, body, variants)
                }
            }
            var times: [Duration] = []
            times.reserveCapacity(count)
            for try await some in group { times += some }
            return times
        }
        guard times.count == count else { throw BenchError("\(times.count) of \(count) messages were confirmed") }
        let measurement = stopwatch.measurement(
            mode: arguments.mode.rawValue,
            count: count,
            byteCount: count * arguments.size
        )
        var round = self.target.round(measurement, latencies: Latencies(times))
        if arguments.mode == .receipts { round.measurement.inFlight = self.inFlight }
        return round
    }

    /// One sender's share: every `inFlight`th message, one after the other.
    private func send(
        _ client: STOMPClient,
        from first: Int,
        _ body: [UInt8],
        _ variants: HeaderVariants
    ) async throws -> [Duration] {
        let arguments = self.target.arguments
        let destination = STOMPDestination(arguments.destination ?? "/sink")
        var times: [Duration] = []
        times.reserveCapacity(arguments.count / self.inFlight + 1)
        var last = ContinuousClock.now
        for number in stride(from: first, to: arguments.count, by: self.inFlight) {
            try await client.send(
                body,
                to: destination,
                contentType: .plainText,
                headers: variants[number],
                receipt: .required
            )
            let now = ContinuousClock.now
            times.append(now - last)
            last = now
            if first == 0, self.target.progress.isShown, times.count & 255 == 0 {
                await self.target.progress.note("confirmed", number, of: arguments.count)
            }
        }
        return times
    }
}
