// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Measures the client, as a user would write it: see `stomp-bench --help`.
@main
struct StompBench {
    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            if let job = try Job(driving: words) {
                print(try await self.drive(job))
            } else if words.contains("--help") || words.first == "-h" {
                print(Help.text)
            } else {
                let arguments = try Arguments(words)
                print(arguments.mode == .chart ? try Chart(arguments).svg : try await Bench(arguments).run())
            }
        } catch {
            StandardError.fail("stomp-bench: \(error)")
        }
    }

    /// `stomp-bench HOST PORT recv|send|rtt|ack COUNT BODYSIZE`: one JSON line about one run.
    private static func drive(_ job: Job) async throws -> String {
        let server = STOMPServer(.tcp(job.host, port: job.port))
        return try await withSTOMPClient(server) { client in
            let stopwatch = Stopwatch()
            let result = try await job.run(client)
            var measurement = stopwatch.measurement(
                mode: job.mode.rawValue,
                count: job.count,
                byteCount: result.byteCount
            )
            measurement.percentiles = Latencies(result.roundTrips).percentiles
            return measurement.record.line
        }
    }
}
