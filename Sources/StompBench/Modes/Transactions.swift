// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Sends in transactions, each of them committed, and confirmed, before the next.
struct Transactions: Workload {
    let target: Target

    func run() async throws -> [Round] {
        try await self.target.withClient { client in
            [try await self.send(client)]
        }
    }

    @concurrent
    private func send(_ client: STOMPClient) async throws -> Round {
        let arguments = self.target.arguments
        let destination = STOMPDestination(arguments.destination ?? "/sink")
        let body = self.target.body
        let variants = HeaderVariants(total: arguments.headers, own: 4)
        var times: [Duration] = []
        var sent = 0
        let stopwatch = Stopwatch()
        while sent < arguments.count {
            let start = ContinuousClock.now
            let end = min(sent + arguments.sends, arguments.count)
            try await client.withTransaction { transaction in
                for number in sent..<end {
                    try await transaction.send(
                        body,
                        to: destination,
                        contentType: .plainText,
                        headers: variants[number]
                    )
                }
            }
            sent = end
            times.append(ContinuousClock.now - start)
            if self.target.progress.isShown, times.count & 255 == 0 {
                await self.target.progress.note("sent", sent, of: arguments.count)
            }
        }
        let measurement = stopwatch.measurement(
            mode: arguments.mode.rawValue,
            count: sent,
            byteCount: sent * arguments.size
        )
        var round = self.target.round(measurement, latencies: Latencies(times))
        round.measurement.extras = [
            Record.Field(key: "sends", value: .number(Double(arguments.sends))),
            Record.Field(key: "transactions", value: .number(Double(times.count))),
        ]
        round.notes.append(
            "\(Figure.grouped(times.count)) transactions of \(arguments.sends) sends; the latencies are those of whole "
                + "transactions"
        )
        return round
    }
}
