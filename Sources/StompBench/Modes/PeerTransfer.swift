// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// `recv`, `send`, `rtt` and `ack` against a load peer, with the loops of the driver contract.
struct PeerTransfer: Workload {
    let target: Target
    let mode: Job.Mode

    func run() async throws -> [Round] {
        let arguments = self.target.arguments
        let job = Job(
            host: "",
            port: 0,
            mode: self.mode,
            count: arguments.count,
            bodyByteCount: arguments.size,
            headers: arguments.headers
        )
        return try await self.target.withClient { client in
            let stopwatch = Stopwatch()
            let result = try await job.run(client)
            let measurement = stopwatch.measurement(
                mode: self.mode.rawValue,
                count: arguments.count,
                byteCount: result.byteCount
            )
            let latencies = result.roundTrips.isEmpty ? nil : Latencies(result.roundTrips)
            return [self.target.round(measurement, latencies: latencies)]
        }
    }
}
