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

/// `BenchBroker [SECONDS]`: the broker of STOMPTesting on each kind of wire; prints one address a line, and ends with
/// standard input or after so many seconds.
@main
struct BenchBroker {
    /// An address, and who listens there.
    private struct Place {
        let broker: STOMPBroker
        let url: String
    }

    static func main() async {
        do {
            try await self.run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            StandardError.write("BenchBroker: \(error)")
            exit(1)
        }
    }

    private static func run(_ words: [String]) async throws {
        let seconds = words.first.map { Int($0) ?? 0 }
        guard words.count <= 1, seconds.map({ $0 > 0 }) ?? true else {
            throw STOMPError(.invalidArgument, "The only argument is a number of seconds.")
        }
        let certificates = try Certificates()
        let places = try self.places(certificates)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for place in places {
                group.addTask(name: "bench.broker") { try await place.broker.run() }
                print(place.url)
            }
            fflush(nil)
            group.addTask(name: "bench.end") { try await self.waitForEnd(within: seconds) }
            // The end, or the first broker that cannot go on.
            try await group.next()
            group.cancelAll()
        }
    }

    private static func places(_ certificates: borrowing Certificates) throws -> [Place] {
        var security = STOMPTLSConfiguration()
        security.certificateChain = .file(certificates.path("broker.crt"))
        security.privateKey = .file(certificates.path("broker.key"))
        let options = "?tls.caFile=\(certificates.path("ca.crt"))"
        let path = certificates.path("broker.sock")
        let tcp = try self.broker(.loopback())
        let tls = try self.broker(.tls(security))
        let webSocket = try self.broker(.webSocket(path: "/ws"))
        let secureWebSocket = try self.broker(.secureWebSocket(path: "/ws", security))
        return [
            Place(broker: tcp, url: "stomp://localhost:\(tcp.port ?? 0)"),
            Place(broker: tls, url: "stomp+ssl://localhost:\(tls.port ?? 0)\(options)"),
            Place(broker: webSocket, url: "ws://localhost:\(webSocket.port ?? 0)/ws"),
            Place(broker: secureWebSocket, url: "wss://localhost:\(secureWebSocket.port ?? 0)/ws\(options)"),
            Place(broker: try self.broker(.unixSocket(path)), url: "unix:\(path)"),
        ]
    }

    private static func broker(_ listening: STOMPBroker.Listening) throws -> STOMPBroker {
        var configuration = STOMPBroker.Configuration()
        // What is to be received is sent first.
        configuration.maximumQueueByteCount = 4 << 30
        configuration.historyLimit = 0
        return try STOMPBroker(configuration, listening: listening)
    }

    /// Looks now and then: a thread that waited in `read` would not end with the time.
    private static func waitForEnd(within seconds: Int?) async throws {
        let clock = STOMPConfiguration().clock
        let interval = Duration.milliseconds(200)
        var rest = seconds.map { Duration.seconds($0) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while rest.map({ $0 > .zero }) ?? true {
            var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, 0) > 0, read(STDIN_FILENO, &buffer, buffer.count) <= 0 { return }
            try await clock.sleep(for: interval)
            rest = rest.map { $0 - interval }
        }
    }
}
