// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPTesting
import TestSupport
import Testing

@Suite("The TCP proxy of the tests", .timeLimit(.minutes(5)))
struct TCPProxyTests {
    /// How one connection ends is what is looked at.
    private static let once = {
        var configuration = STOMPConfiguration()
        configuration.reconnect = .never
        // On a machine that is busy with other tests.
        configuration.connectTimeout = .seconds(120)
        configuration.receiptTimeout = .seconds(120)
        // What the proxy holds back by the manual clock may be a beat, which the broker misses by the real one.
        configuration.heartBeat = .none
        return configuration
    }()

    private func with(
        clock: any Clock<Duration> = ContinuousClock(),
        _ body: (STOMPBroker, TCPProxy, STOMPServer) async throws -> Void
    ) async throws {
        try await withSTOMPBroker(listening: .loopback()) { broker in
            try await TCPProxy.with(to: try #require(broker.port), clock: clock) { proxy in
                try await body(broker, proxy, STOMPServer(.tcp("127.0.0.1", port: proxy.port)))
            }
        }
    }

    private func error(_ body: () async throws -> Void) async -> STOMPError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? STOMPError
        }
    }

    @Test("Passes on")
    func passesOn() async throws {
        try await self.with { broker, proxy, server in
            try await withSTOMPClient(server, configuration: Self.once) { client in
                let body = [UInt8](repeating: 7, count: 1_000_000)
                try await client.send(body, to: "/queue/a", receipt: .required)
                let subscription = try await client.subscribe(to: "/queue/a")
                let message = try await subscription.first { _ in true }
                #expect(message?.body == body)
                #expect(proxy.connectionCount == 1)
            }
            try await proxy.waitForConnections(0)
            try await broker.waitForDisconnection()
        }
    }

    @Test("A reset is an error for both sides")
    func reset() async throws {
        try await self.with { broker, proxy, server in
            let error = await self.error {
                try await withSTOMPClient(server, configuration: Self.once) { client in
                    let subscription = try await client.subscribe(to: "/queue/a")
                    proxy.reset()
                    for try await _ in subscription {}
                }
            }
            #expect(error?.code == .connectionLost)
            #expect(error?.description.contains("reset") == true, "\(String(describing: error))")
            try await broker.waitForDisconnection()
        }
    }

    @Test("Closing is the end of the stream")
    func close() async throws {
        try await self.with { broker, proxy, server in
            let error = await self.error {
                try await withSTOMPClient(server, configuration: Self.once) { client in
                    let subscription = try await client.subscribe(to: "/queue/a")
                    proxy.close()
                    for try await _ in subscription {}
                }
            }
            #expect(error?.code == .connectionLost)
            try await broker.waitForDisconnection()
        }
    }

    @Test("Cuts in the middle of a frame")
    func cut() async throws {
        try await self.with { broker, proxy, server in
            let error = await self.error {
                try await withSTOMPClient(server, configuration: Self.once) { client in
                    proxy.cut(afterBytes: 1_000, .toServer)
                    let text = String(repeating: "x", count: 100_000)
                    try await client.send(text, to: "/queue/a", receipt: .required)
                }
            }
            #expect(error?.code == .connectionLost)
            try await broker.waitForDisconnection()
            #expect(await broker.messages(in: "/queue/a").isEmpty)
        }
    }

    @Test("Refuses, and accepts again at the same port")
    func refuse() async throws {
        try await self.with { _, proxy, server in
            proxy.refuse()
            let error = await self.error { try await withSTOMPClient(server, configuration: Self.once) { _ in } }
            #expect(error?.code == .connectFailed)
            try proxy.accept()
            try await withSTOMPClient(server, configuration: Self.once) { _ in }
        }
    }

    @Test("A black hole keeps the connection and passes nothing on, until it is healed")
    func blackhole() async throws {
        try await self.with { broker, proxy, server in
            try await withSTOMPClient(server, configuration: Self.once) { client in
                proxy.blackhole([.toClient])
                async let sent: Void = client.send("a", to: "/queue/a", receipt: .required)
                _ = try await broker.messages(in: "/queue/a", count: 1)
                #expect(proxy.connectionCount == 1)
                proxy.heal()
                try await sent
            }
        }
    }

    @Test("Delays and throttles by the clock")
    func delay() async throws {
        let clock = ManualClock()
        try await self.with(clock: clock) { broker, proxy, server in
            try await withSTOMPClient(server, configuration: Self.once) { client in
                proxy.delay(.seconds(3), [.toServer])
                async let sent: Void = client.send("a", to: "/queue/a", receipt: .required)
                try await clock.waitForSleepers(1)
                #expect(await broker.messages(in: "/queue/a").isEmpty)
                clock.advance(by: .seconds(3))
                try await sent

                proxy.heal()
                proxy.throttle(bytesPerSecond: 100, [.toServer])
                async let throttled: Void = client.send("b", to: "/queue/a", receipt: .required)
                // Ten bytes at a time.
                for _ in 0..<5 {
                    try await clock.waitForSleepers(1)
                    clock.advance(by: .milliseconds(100))
                }
                try await clock.waitForSleepers(1)
                #expect(await broker.messages(in: "/queue/a").count == 1)
                proxy.heal()
                clock.advance(by: .milliseconds(100))
                try await throttled
            }
        }
    }
}
