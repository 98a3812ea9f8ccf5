// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import ExampleCertificates
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

/// `swift run websocket`: a broker inside this process serves WebSocket over TLS, and a client talks to it.
@main
struct WebSocketExample {
    static func main() async {
        do {
            let tally = try await self.run()
            print(
                "websocket: \(tally.sent) sent, \(tally.received) received, \(tally.acknowledged) acknowledged "
                    + "over \(tally.scheme)"
            )
        } catch {
            StandardError.write("websocket: \(error)")
            exit(1)
        }
    }

    private static func run() async throws -> Tally {
        guard CommandLine.arguments.count == 1 else {
            throw STOMPError(.invalidArgument, "There are no options.")
        }
        let certificates = try Certificates()
        var security = STOMPTLSConfiguration()
        security.certificateChain = .file(certificates.path("broker.crt"))
        security.privateKey = .file(certificates.path("broker.key"))
        return try await withSTOMPBroker(listening: .secureWebSocket(path: "/ws", security)) { broker in
            // What you would be given, as an address.
            let options = "tls.caFile=\(certificates.path("ca.crt"))"
            var server = try STOMPServer("wss://localhost:\(broker.port ?? 0)/ws?\(options)")
            server.webSocketOptions.headers = ["User-Agent": "swift-stomp"]
            print("broker: serves \(server.endpoint), inside this process")
            return try await withSTOMPClient(server) { client in
                var tally = Tally(scheme: Self.scheme(of: server.endpoint))
                print("secured: \(client.tls?.version ?? "not at all")")
                try await tally.fill(by: client)
                return tally
            }
        }
    }

    /// What stands before the "://" of an endpoint.
    private static func scheme(of endpoint: STOMPEndpoint) -> String {
        endpoint.description.firstRange(of: "://").map { String(endpoint.description[..<$0.lowerBound]) } ?? "nothing"
    }
}
