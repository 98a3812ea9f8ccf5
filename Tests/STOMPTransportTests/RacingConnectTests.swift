// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPCore
import STOMPTesting
import TestSupport
import Testing

@testable import STOMPTransport

@Suite("Connecting to hosts with several addresses", .timeLimit(.minutes(10)))
struct RacingConnectTests {
    private static func pause(_ clock: ManualClock) -> @Sendable (Duration) async -> Void {
        { delay in try? await clock.sleep(for: delay) }
    }

    @Test("an address that gives no answer costs one delay")
    func silentFirst() async throws {
        let silent = try DeafPort(isSilent: true)
        let first = try await TCPConnector(host: "127.0.0.1", port: silent.port).connect()
        defer { first.close() }
        let listener = try TCPListener.bind()
        let clock = ManualClock()
        let addresses = [try address("127.0.0.1", silent.port), try address("127.0.0.1", listener.port)]
        let connector = TCPConnector(to: addresses, pause: Self.pause(clock))
        async let connecting = connector.connect()
        try await clock.waitForSleepers(1)
        clock.advance(by: RaceSchedule.delay)
        let client = try await connecting
        #expect(client.peerDescription == "127.0.0.1:\(listener.port)")
        #expect(clock.sleeperCount == 0)
        let server = try await listener.accept()
        try await client.writeAll([7])
        #expect(try await server.readSome() == [7])
    }

    @Test("IPv6 is tried first, and a refusal goes on at once", .enabled(if: TransportKind.available.contains(.ipv6)))
    func refusedFirst() async throws {
        let deaf = try DeafPort()
        let listener = try TCPListener.bind(host: "::1")
        let both = [try address("127.0.0.1", listener.port), try address("::1", listener.port)]
        let clock = ManualClock()
        let six = try await TCPConnector(to: both, pause: Self.pause(clock)).connect()
        #expect(six.peerDescription == "[::1]:\(listener.port)")
        let plain = try TCPListener.bind()
        let other = [try address("127.0.0.1", plain.port), try address("::1", deaf.port)]
        let four = try await TCPConnector(to: other, pause: Self.pause(clock)).connect()
        #expect(four.peerDescription == "127.0.0.1:\(plain.port)")
        #expect(clock.now.offset == .zero)
    }

    @Test("one error for the host names each address's failure")
    func allFail() async throws {
        let one = try DeafPort()
        let two = try DeafPort()
        let ports = [one.port, two.port]
        let addresses = try ports.map { try address("127.0.0.1", $0) } + [address("fe80::1")]
        let error = await TCPConnector(to: addresses).error()
        #expect(error?.kind == .refused)
        #expect(error?.errno == ECONNREFUSED)
        let message = try #require(error?.message)
        let start = "Could not connect to broker.example:61613 at any of its 3 addresses: [fe80::1]:61613: "
        let refusals = ports.map { "127.0.0.1:\($0): Connection refused (connect)" }
        #expect(message.hasPrefix(start))
        #expect(message.hasSuffix("; \(refusals[0]); \(refusals[1])."))
        let single = await TCPConnector(to: [addresses[0]]).error()
        #expect(single?.message == "Could not connect to broker.example:61613 at \(refusals[0]).")
        let none = await TCPConnector(to: []).error()
        #expect(none?.kind == .resolution)
        #expect(none?.message == "Could not connect to broker.example:61613: it has no address.")
    }

    @Test("a name is looked up at each attempt")
    func freshLookUps() async throws {
        let listener = try TCPListener.bind()
        let deaf = try DeafPort()
        let answers = Locked([
            [try address("127.0.0.1", deaf.port)], [try address("127.0.0.1", listener.port)],
        ])
        let connector = TCPConnector(host: "moving.example", port: 1, pause: nil) { name in
            #expect(name.description == "moving.example:1")
            return answers.withLock { $0.removeFirst() }
        }
        #expect(await connector.error()?.kind == .refused)
        let client = try await connector.connect()
        #expect(client.peerDescription == "127.0.0.1:\(listener.port)")
    }

    #if os(Linux)
    private static func socketCount() -> Int {
        let folder = "/proc/self/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
            return target?.hasPrefix("socket:") == true
        }
    }

    /// In a process of its own, where nobody else opens sockets.
    @Test("When a connect returns, the other attempts' sockets are closed: won, lost and cancelled", .onOwnThread)
    func nothingLeft() async {
        await #expect(processExitsWith: .success) {
            let silent = try DeafPort(isSilent: true)
            let first = try await TCPConnector(host: "127.0.0.1", port: silent.port).connect()
            let deaf = try DeafPort()
            let listener = try TCPListener.bind()
            let unanswered = try address("127.0.0.1", silent.port)
            let refusing = try address("127.0.0.1", deaf.port)
            let answering = try address("127.0.0.1", listener.port)
            let before = Self.socketCount()
            for round in 0..<50 {
                let clock = ManualClock()
                let pause = Self.pause(clock)
                // Won by the last of four; two of them are still under way.
                let addresses = [unanswered, unanswered, refusing, answering]
                async let connecting = TCPConnector(to: addresses, pause: pause).connect()
                for _ in 0..<2 {
                    try await clock.waitForSleepers(1)
                    clock.advance(by: RaceSchedule.delay)
                }
                let client = try await connecting
                try #require(Self.socketCount() == before + 1)
                let server = try await listener.accept()
                server.close()
                client.close()
                try #require(Self.socketCount() == before)

                _ = await TCPConnector(to: [refusing, refusing], pause: pause).error()
                try #require(Self.socketCount() == before)

                let cancelled = Task { await TCPConnector(to: [unanswered, unanswered], pause: pause).error() }
                if !round.isMultiple(of: 3) {
                    try await clock.waitForSleepers(1)
                    clock.advance(by: RaceSchedule.delay)
                }
                for _ in 0..<(round % 7) { await Task.yield() }
                cancelled.cancel()
                try #require(await cancelled.value?.kind == .closed)
                try #require(Self.socketCount() == before)

                // A winner and a cancellation at the same moment.
                let both = Task {
                    try? await TCPConnector(to: [unanswered, answering, answering], pause: { _ in }).connect().close()
                }
                for _ in 0..<(round % 5) { await Task.yield() }
                both.cancel()
                await both.value
                try #require(Self.socketCount() == before)
            }
            first.close()
        }
    }
    #endif
}
