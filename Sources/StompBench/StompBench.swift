// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// `stomp-bench HOST PORT recv|send|rtt|ack COUNT BODYSIZE`: one JSON line about one run, written as a user would write
/// it.
@main
struct StompBench {
    static func main() async {
        do {
            let job = try Job(Array(CommandLine.arguments.dropFirst()))
            let server = STOMPServer(.tcp(job.host, port: job.port))
            let line = try await withSTOMPClient(server) { client in
                let stopwatch = Stopwatch()
                let result = try await job.run(client)
                return stopwatch.report(mode: job.mode.rawValue, count: job.count, result)
            }
            print(line)
        } catch {
            Stopwatch.fail("stomp-bench: \(error)")
        }
    }
}
