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

/// `swift run quickstart [--url stomp://USER:PASSWORD@HOST:PORT]`.
@main
struct Quickstart {
    static func main() async {
        do {
            let tally = try await run(Array(CommandLine.arguments.dropFirst()))
            print("quickstart: \(tally.sent) sent, \(tally.received) received, \(tally.acknowledged) acknowledged")
        } catch {
            StandardError.write("quickstart: \(error)")
            exit(1)
        }
    }

    private static func run(_ arguments: [String]) async throws -> Tour.Tally {
        switch arguments.count {
        case 0:
            // No broker at hand: one inside this process, on a real socket.
            return try await withSTOMPBroker(listening: .loopback()) { broker in
                let port = broker.port ?? 0
                print("broker: listens on 127.0.0.1:\(port), inside this process")
                return try await self.tour(STOMPServer(.tcp("127.0.0.1", port: port)))
            }
        case 2 where arguments[0] == "--url":
            return try await self.tour(STOMPServer(arguments[1]))
        default:
            throw STOMPError(.invalidArgument, "The only option is --url stomp://USER:PASSWORD@HOST:PORT.")
        }
    }

    private static func tour(_ server: STOMPServer) async throws -> Tour.Tally {
        try await withSTOMPClient(server) { client in
            var tour = Tour(client: client)
            return try await tour.run()
        }
    }
}
