// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

@testable import STOMPTransport

@Suite("Socket options", .timeLimit(.minutes(5)))
struct TCPOptionsTests {
    private func keepAlive(_ idle: Duration? = nil, _ interval: Duration? = nil, _ count: Int? = nil) -> TCPOptions {
        var options = TCPOptions()
        options.keepAlive = .init(idle: idle, interval: interval, count: count)
        return options
    }

    private func from(_ host: String?, port: Int = 0) -> TCPOptions {
        var options = TCPOptions()
        options.localHost = host
        options.localPort = port
        return options
    }

    private func values(_ options: TCPOptions) async throws -> [Int32?] {
        let listener = try TCPListener.bind()
        defer { listener.close() }
        let client = try await TCPConnector(host: "127.0.0.1", port: listener.port, options: options).connect()
        defer { client.close() }
        let descriptor = try #require(client as? Socket).descriptor
        let all: [System.SocketOption] = [.keepAlive, .keepAliveIdle, .keepAliveInterval, .keepAliveCount]
        return try all.map { option in
            try descriptor.use { number throws(SystemError) in try System.value(of: option, on: number) }
        }
    }

    @Test("keep-alive is off unless asked for, and what is not given stays as the system has it")
    func keepAliveValues() async throws {
        let usual = try await self.values(TCPOptions())
        #expect(usual[0] == 0)
        #expect(try await self.values(self.keepAlive()) == [1] + usual[1...])
        #expect(try await self.values(self.keepAlive(.seconds(61), .seconds(11), 7)) == [1, 61, 11, 7])
        #expect(try await self.values(self.keepAlive(nil, nil, 3)) == [1, usual[1], usual[2], 3])
        #expect(try await self.values(self.keepAlive(.milliseconds(1500), .nanoseconds(1))) == [1, 2, 1, usual[3]])
    }

    @Test(
        "seconds are whole, rounded up, and never wrap",
        arguments: [
            (Duration.zero, 0), (.nanoseconds(1), 1), (.milliseconds(1000), 1), (.milliseconds(1001), 2),
            (.seconds(Int64.max), .max), (.seconds(Int64.max) + .milliseconds(1), .max),
            (.seconds(5_000_000_000), .max), (.seconds(-1), -1),
        ] as [(Duration, Int32)]
    )
    func seconds(duration: Duration, seconds: Int32) {
        #expect(TCPOptions.seconds(duration) == seconds)
    }

    @Test("a value that the system refuses is an error that names the option")
    func refusedValues() async throws {
        let listener = try TCPListener.bind()
        let cases = [
            (self.keepAlive(.seconds(40_000)), "keepAliveIdle 40000 s"),
            (self.keepAlive(nil, .zero), "keepAliveInterval 0 s"),
            (self.keepAlive(nil, nil, 1_000), "keepAliveCount 1000"),
        ]
        for (options, name) in cases {
            let error = await TCPConnector(host: "127.0.0.1", port: listener.port, options: options).error()
            #expect(error?.kind == .option)
            #expect(error?.errno == EINVAL)
            let start = "Could not connect to 127.0.0.1:\(listener.port): \(name) is not possible: "
            #expect(error?.message == start + "Invalid argument (setsockopt).")
        }
    }

    #if os(Linux)
    @Test("the peer sees the local address and port that were asked for")
    func localAddress() async throws {
        let listener = try TCPListener.bind()
        func peer(_ options: TCPOptions) async throws -> String {
            let connector = TCPConnector(to: [try address("127.0.0.1", listener.port)], options: options)
            let client = try await connector.connect()
            let server = try await listener.accept()
            server.close()
            client.close()
            return server.peerDescription
        }
        #expect(try await peer(self.from("127.0.0.2")).hasPrefix("127.0.0.2:"))
        // Nobody else gets this port by chance.
        let port = Int.random(in: 20_000..<30_000)
        #expect(try await peer(self.from("127.0.0.3", port: port)) == "127.0.0.3:\(port)")
        // From any address; and the port is to be had again although a connection from it has just ended.
        #expect(try await peer(self.from(nil, port: port)) == "127.0.0.1:\(port)")
        #expect(try await peer(self.from("127.0.0.2", port: port)) == "127.0.0.2:\(port)")
    }

    @Test("several attempts of one race share a local port")
    func sharedPort() async throws {
        let silent = try DeafPort(isSilent: true)
        let first = try await TCPConnector(host: "127.0.0.1", port: silent.port).connect()
        defer { first.close() }
        let listener = try TCPListener.bind()
        let unanswered = try address("127.0.0.1", silent.port)
        let options = self.from("127.0.0.4", port: Int.random(in: 20_000..<30_000))
        let addresses = [unanswered, try address("127.0.0.1", listener.port)]
        let client = try await TCPConnector(to: addresses, options: options, pause: { _ in }).connect()
        #expect(try await listener.accept().peerDescription == "127.0.0.4:\(options.localPort)")
        client.close()
    }

    @Test("addresses of another family than the local address are left out, and told")
    func families() async throws {
        let listener = try TCPListener.bind()
        let deaf = try DeafPort()
        let six = try address("::1", listener.port)
        let addresses = [six, try address("127.0.0.1", listener.port)]
        let client = try await TCPConnector(to: addresses, options: self.from("127.0.0.2")).connect()
        #expect(client.peerDescription == "127.0.0.1:\(listener.port)")

        let refused = await TCPConnector(
            to: [six, try address("127.0.0.1", deaf.port)],
            options: self.from("127.0.0.2")
        ).error()
        #expect(
            refused?.message
                == "Could not connect to broker.example:61613 at 127.0.0.1:\(deaf.port): Connection refused (connect)"
                + "; not tried: [::1]:\(listener.port), since localAddress 127.0.0.2 is of the other family."
        )
        let none = await TCPConnector(to: [six], options: self.from("127.0.0.2")).error()
        #expect(none?.kind == .option)
        #expect(
            none?.message
                == "Could not connect to broker.example:61613: it has only IPv6 addresses (::1), "
                + "and localAddress 127.0.0.2 is none."
        )
    }
    #endif

    @Test("a local address that is not this machine's, or none at all")
    func badLocalAddress() async throws {
        let listener = try TCPListener.bind()
        func error(_ options: TCPOptions) async -> TransportError? {
            await TCPConnector(host: "127.0.0.1", port: listener.port, options: options).error()
        }
        let foreign = await error(self.from("203.0.113.9", port: 0))
        #expect(foreign?.kind == .option)
        #expect(foreign?.errno == EADDRNOTAVAIL)
        #expect(foreign?.message.contains("localAddress 203.0.113.9 is not possible: ") == true)
        let taken = await error(self.from("127.0.0.1", port: listener.port))
        #expect(taken?.errno == EADDRINUSE)
        #expect(taken?.message.contains("localAddress 127.0.0.1:\(listener.port) is not possible: ") == true)
        let takenPort = await error(self.from(nil, port: listener.port))
        #expect(takenPort?.message.contains("localPort \(listener.port) is not possible: ") == true)

        let name = await error(self.from("localhost"))
        #expect(name?.kind == .invalidAddress)
        #expect(name?.message == "localAddress needs an IPv4 or IPv6 address of this machine, not localhost.")
        #expect(await error(self.from(nil, port: 65_536))?.message.hasPrefix("localPort needs a port") == true)
        #expect(await error(self.from(""))?.message.hasPrefix("localAddress is not possible: ") == true)
        let zone = await error(self.from("fe80::1%none"))
        #expect(zone?.kind == .unreachable)
        #expect(zone?.message.hasPrefix("localAddress is not possible: fe80::1%none is out of reach: ") == true)
    }
}
