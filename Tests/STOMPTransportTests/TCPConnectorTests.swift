// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Testing

@testable import STOMPTransport

@Suite(.timeLimit(.minutes(10)))
struct TCPConnectorTests {
    private func connectError(_ host: String, _ port: Int) async throws -> TransportError {
        do throws(TransportError) {
            _ = try await TCPConnector(host: host, port: port).connect()
        } catch {
            return error
        }
        throw CancellationError()
    }

    @Test
    func `a port where nobody listens refuses`() async throws {
        let deaf = try DeafPort()
        let error = try await self.connectError("127.0.0.1", deaf.port)
        #expect(error.kind == .refused)
        #expect(error.errno == ECONNREFUSED)
        #expect(error.message == "Could not connect to 127.0.0.1:\(deaf.port): Connection refused (connect).")
        #expect("\(error)" == error.message)
    }

    @Test
    func `all addresses of a name are tried and told`() async throws {
        let deaf = try DeafPort()
        let error = try await self.connectError("localhost", deaf.port)
        #expect(error.kind == .refused)
        #expect(error.message.contains("localhost:\(deaf.port)"))
        #expect(error.message.contains("127.0.0.1:\(deaf.port)"))
    }

    @Test
    func `a name finds the listener`() async throws {
        let listener = try TCPListener.bind(host: "localhost")
        let client = try await TCPConnector(host: "localhost", port: listener.port).connect()
        let server = try await listener.accept()
        try await client.writeAll([42])
        #expect(try await server.readSome() == [42])
        #expect(client.peerDescription == "127.0.0.1:\(listener.port)")
    }

    @Test
    func `a name that nobody has cannot be resolved`() async throws {
        let error = try await self.connectError("no-such-broker.invalid", 61613)
        #expect(error.kind == .resolution)
        #expect(error.message.hasPrefix("Could not find no-such-broker.invalid: "))
    }

    @Test(
        arguments: [
            (ECONNREFUSED, TransportError.Kind.refused), (ENETUNREACH, .unreachable), (EHOSTUNREACH, .unreachable),
            (ETIMEDOUT, .unreachable), (ECONNRESET, .closed), (EPIPE, .closed), (EMFILE, .system), (EACCES, .system),
        ]
    )
    func `the system's numbers become kinds`(_ number: Int32, _ kind: TransportError.Kind) {
        let error = SystemError(call: "connect", number: number).transportError("Could not connect to x:1")
        #expect(error.kind == kind)
        #expect(error.errno == number)
        #expect(error.message == "Could not connect to x:1: \(String(cString: strerror(number))) (connect).")
    }

    @Test(
        arguments: [
            ("", 61613), ("a\0b", 61613), ("[localhost]", 61613), ("::zz", 61613), ("::zz%lo", 61613), ("[]", 61613),
            ("localhost", 0), ("localhost", 65536), ("localhost", -1),
        ]
    )
    func `nonsense is told at once`(_ host: String, _ port: Int) async throws {
        #expect(try await self.connectError(host, port).kind == .invalidAddress)
    }

    @Test(
        arguments: [
            ("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("[::1]", "[::1]:80"),
            ("fe80::1%lo", "[fe80::1%lo]:80"),
            ("[fe80::1%lo]", "[fe80::1%lo]:80"), ("::ffff:127.0.0.1", "[::ffff:127.0.0.1]:80"),
        ]
    )
    func `addresses in digits need no look-up`(_ host: String, _ expected: String) throws {
        let address = try HostAndPort(host: host, port: 80, allowedPorts: 1...100).literalAddress()
        #expect(address?.description == expected)
    }

    @Test(arguments: ["none", "99999", "", "lo%lo"])
    func `an interface that is not there is told, with those that are`(_ zone: String) async throws {
        let error = try await self.connectError("fe80::1%\(zone)", 61613)
        #expect(error.kind == .unreachable)
        let start = "fe80::1%\(zone) is out of reach: this machine has no network interface \"\(zone)\"; it has "
        #expect(error.message.hasPrefix(start))
        #expect(error.message.contains(/\blo/))
    }

    @Test
    func `an interface by its number is known by its name`() throws {
        let byName = try address("fe80::1%lo", 80)
        let number = byName.bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(try address("fe80::1%\(number)", 80) == byName)
        #expect(throws: TransportError.self) { try address("2001:db8::1%lo", 80) }
    }

    @Test
    func `a link-local address without its interface gets a hint`() async throws {
        let message = try await self.connectError("fe80::1", 61613).message
        #expect(message.hasPrefix("Could not connect to [fe80::1]:61613: "))
        #expect(message.hasSuffix("(connect); a link-local address needs its interface, as in fe80::1%eth0."))
    }

    @Test
    func `a listener wants an address that is its own and free`() async throws {
        func bindError(_ host: String, _ port: Int) -> TransportError.Kind? {
            do throws(TransportError) {
                _ = try TCPListener.bind(host: host, port: port)
                return nil
            } catch {
                return error.kind
            }
        }
        let listener = try TCPListener.bind()
        #expect(listener.port > 0)
        #expect(bindError("127.0.0.1", listener.port) == .system)
        #expect(bindError("broker.example", 0) == .invalidAddress)
        #expect(bindError("127.0.0.1", 65536) == .invalidAddress)
        listener.close()
    }

    @Test
    func `many look-ups share few threads`() async throws {
        let resolver = Resolver(threadLimit: 2)
        let name = try HostAndPort(host: "localhost", port: 80, allowedPorts: 80...80)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<200 {
                group.addTask { try await resolver.resolve(name).count }
                if index.isMultiple(of: 3) {
                    let cancelled = Task { try await resolver.resolve(name) }
                    cancelled.cancel()
                }
            }
            for try await count in group {
                #expect(count > 0)
            }
        }
    }
}
