// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import ExampleSupport
import STOMP
import STOMPTesting

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `swift run failover [--url ADDRESS] [--count N] [--pause 5ms]`.
@main
struct Failover {
    static func main() async {
        do {
            let arguments = try Arguments(Array(CommandLine.arguments.dropFirst()))
            let tally = try await self.run(arguments)
            Narrator.say("failover: \(tally)")
            // Counted, not assumed: a number that is missing anywhere is a failure.
            if !tally.isComplete(arguments.count) { exit(1) }
        } catch {
            StandardError.write("failover: \(error)")
            exit(1)
        }
    }

    private static func run(_ arguments: Arguments) async throws -> Tally {
        if let servers = arguments.servers {
            return try await self.deliver(arguments, to: servers) { _ in }
        }
        // No cluster at hand: one inside this process, whose two nodes share their queues.
        return try await withSTOMPBroker(listening: .loopback(ports: [0, 0])) { cluster in
            let (first, second) = (cluster.ports[0], cluster.ports[1])
            Narrator.say("cluster: nodes at 127.0.0.1:\(first) and 127.0.0.1:\(second), inside this process")
            let servers = try STOMPServerList(
                "failover:(stomp://127.0.0.1:\(first),stomp://127.0.0.1:\(second))?randomize=false"
            )
            return try await self.deliver(arguments, to: servers) { confirmedCount in
                if confirmedCount == arguments.count / 2 {
                    Narrator.say("cluster: node 127.0.0.1:\(first) dies")
                    cluster.stopListening(at: first)
                } else if confirmedCount == arguments.count * 3 / 4 {
                    Narrator.say("cluster: the network drops all connections")
                    await cluster.disconnectAll()
                }
            }
        }
    }

    private static func deliver(
        _ arguments: Arguments,
        to servers: STOMPServerList,
        onConfirmed: @escaping @Sendable (_ count: Int) async -> Void
    ) async throws -> Tally {
        var configuration = STOMPConfiguration()
        configuration.reconnect = STOMPReconnectPolicy(.exponential(maximum: .seconds(2)))
        // Whoever stopped the broker may take a while to start it again.
        configuration.connectionWaitTimeout = .seconds(600)
        return try await withSTOMPClient(servers, configuration: configuration) { client in
            try await Narrator.following(client) {
                let delivery = Delivery(
                    client: client,
                    count: arguments.count,
                    pause: arguments.pause,
                    onConfirmed: onConfirmed
                )
                return try await delivery.run()
            }
        }
    }
}
