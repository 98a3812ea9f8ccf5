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

/// `swift run tls-client`: a broker inside this process that wants TLS and a certificate of its clients.
@main
struct TLSClient {
    struct Tally {
        var sent = 0
        var received = 0
        var acknowledged = 0
        var version = ""
    }

    static func main() async {
        do {
            guard CommandLine.arguments.count == 1 else {
                throw STOMPError(.invalidArgument, "There are no options; for a broker of yours use quickstart --url.")
            }
            let tally = try await self.run()
            print(
                "tls-client: \(tally.sent) sent, \(tally.received) received, \(tally.acknowledged) acknowledged over "
                    + tally.version
            )
        } catch {
            StandardError.write("tls-client: \(error)")
            exit(1)
        }
    }

    private static func run() async throws -> Tally {
        let certificates = try Certificates()
        var broker = STOMPTLSConfiguration()
        broker.certificateChain = .file(certificates.path("broker.crt"))
        broker.privateKey = .file(certificates.path("broker.key"))
        // Whose clients are let in.
        broker.trust = [.certificates(.file(certificates.path("ca.crt")))]

        // What you would be given, as an address: stomp+ssl://HOST?tls.caFile=ca.crt&tls.certFile=…&tls.keyFile=…
        let files =
            "tls.caFile=\(certificates.path("ca.crt"))&tls.certFile=\(certificates.path("client.crt"))"
            + "&tls.keyFile=\(certificates.path("client.key"))"
        return try await withSTOMPBroker(listening: .tls(broker, clientCertificates: .required)) { broker in
            let port = broker.port ?? 0
            print("broker: listens for TLS on 127.0.0.1:\(port), inside this process")
            // Without the authority, the broker could be anybody.
            await self.explainRefusal(try STOMPServer("stomp+ssl://localhost:\(port)"))
            return try await self.tour(try STOMPServer("stomp+ssl://localhost:\(port)?\(files)"))
        }
    }

    private static func explainRefusal(_ server: STOMPServer) async {
        do {
            try await STOMPConnection.withConnection(to: server) { _ in print("without tls.caFile: accepted?") }
        } catch {
            print("without tls.caFile: \(error)")
        }
    }

    private static func tour(_ server: STOMPServer) async throws -> Tally {
        try await withSTOMPClient(server) { client in
            var tally = Tally()
            if let tls = client.tls {
                tally.version = tls.version
                print("connected: \(tls.version), \(tls.cipher), to \(tls.peerCertificate?.subject ?? "nobody")")
            }
            try await client.withSubscription(to: "/queue/tls-client") { messages in
                for text in ["one", "two", "three"] {
                    try await client.send(text, to: "/queue/tls-client", receipt: .required)
                    tally.sent += 1
                }
                for try await message in messages {
                    tally.received += 1
                    print("received: \(try message.text)")
                    try await message.ack(receipt: .required)
                    tally.acknowledged += 1
                    if tally.acknowledged == tally.sent { break }
                }
            }
            return tally
        }
    }
}
