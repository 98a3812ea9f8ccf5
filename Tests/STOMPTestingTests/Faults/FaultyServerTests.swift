// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPTesting
import Testing

@Suite("A faulty server", .timeLimit(.minutes(5)))
struct FaultyServerTests {
    private func with(
        _ scripts: [FaultPlan.Script],
        _ body: (STOMPBroker, FaultyServer, STOMPConfiguration, ManualClock) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        var configuration = STOMPConfiguration()
        configuration.clock = clock
        configuration.heartBeat = .none
        let final = configuration
        try await withSTOMPBroker { broker in
            try await withFaultyServer(broker, plan: FaultPlan(scripts), clock: clock) { server in
                try await body(broker, server, final, clock)
            }
        }
    }

    private func code(_ body: () async throws -> Void) async -> STOMPError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? STOMPError)?.code
        }
    }

    @Test("Without faults it is not noticed")
    func clean() async throws {
        try await self.with([]) { broker, server, configuration, _ in
            try await withSTOMPClient(STOMPServer(server.endpoint), configuration: configuration) { client in
                try await client.send("hello", to: "/queue/a", receipt: .required)
                #expect(server.connectionCount == 1)
            }
            #expect(await broker.messages(in: "/queue/a").map(\.text) == ["hello"])
            #expect(server.attemptCount == 1)
        }
    }

    @Test("Refuses, then lets in")
    func refused() async throws {
        var refused = FaultPlan.Script()
        refused.opening = .refused
        try await self.with([refused]) { _, server, configuration, _ in
            let place = STOMPServer(server.endpoint)
            let first = await self.code { try await withSTOMPClient(place, configuration: configuration) { _ in } }
            #expect(first == .connectFailed)
            try await withSTOMPClient(place, configuration: configuration) { _ in }
            #expect(server.attemptCount == 2)
        }
    }

    @Test("Accepts and stays silent")
    func silent() async throws {
        var silent = FaultPlan.Script()
        silent.opening = .silent
        try await self.with([silent]) { _, server, configuration, clock in
            async let end = self.code {
                try await withSTOMPClient(STOMPServer(server.endpoint), configuration: configuration) { _ in }
            }
            try await clock.waitForSleepers(1)
            clock.advance(by: configuration.connectTimeout)
            #expect(await end == .connectTimedOut)
        }
    }

    @Test("Cuts in the middle of a frame, in either direction", arguments: [0, 1, 10, 60])
    func cut(count: Int) async throws {
        let scripts = [FaultPlan.Script.cut(afterBytesToServer: count), .cut(afterBytesToClient: count)]
        try await self.with(scripts) { broker, server, configuration, _ in
            for _ in scripts {
                let end = await self.code {
                    try await withSTOMPClient(STOMPServer(server.endpoint), configuration: configuration) { client in
                        try await client.send("hello", to: "/queue/a", receipt: .required)
                    }
                }
                #expect(end == .connectFailed || end == .connectionLost)
            }
            #expect(await broker.messages(in: "/queue/a").isEmpty)
        }
    }

    @Test("Stalls in one direction until it is healed")
    func stalled() async throws {
        var script = FaultPlan.Script()
        script.toClient.stallAfter = 200
        try await self.with([script]) { broker, server, configuration, _ in
            try await withSTOMPClient(STOMPServer(server.endpoint), configuration: configuration) { client in
                let padding = String(repeating: "x", count: 300)
                async let sent: Void = client.send("hello", to: "/queue/\(padding)", receipt: .required)
                _ = try await broker.messages(in: "/queue/\(padding)", count: 1)
                let subscribed = Task { try await client.subscribe(to: "/queue/\(padding)") }
                try await broker.waitForSubscription(to: "/queue/\(padding)")
                server.heal()
                try await sent
                #expect(try await subscribed.value.first { _ in true } != nil)
            }
        }
    }

    @Test("Receipts are lost and doubled, and an ERROR names nobody")
    func frames() async throws {
        var script = FaultPlan.Script()
        script.frames.missingReceipts = [1]
        script.frames.duplicateReceipts = [0]
        script.frames.refusedReceipts = [2]
        script.frames.errorBefore = 4
        try await self.with([script]) { broker, server, configuration, clock in
            let end = await self.code {
                try await withSTOMPClient(STOMPServer(server.endpoint), configuration: configuration) { client in
                    try await client.send("a", to: "/queue/a", receipt: .required)
                    async let missing = self.code { try await client.send("b", to: "/queue/a", receipt: .required) }
                    // Sent, so that its time runs.
                    _ = try await broker.messages(in: "/queue/a", count: 2)
                    clock.advance(by: configuration.receiptTimeout)
                    #expect(await missing == .receiptTimedOut)
                    let refused = await self.code { try await client.send("c", to: "/queue/a", receipt: .required) }
                    #expect(refused == .rejected)
                    try await client.send("d", to: "/queue/a", receipt: .required)
                }
            }
            #expect(end == .serverError)
        }
    }

    @Test("Goes down and comes up")
    func down() async throws {
        try await self.with([]) { broker, server, configuration, _ in
            let place = STOMPServer(server.endpoint)
            // Whether the client has learnt of it or not: nothing waits for a clock that stands still.
            var failing = configuration
            failing.sendWhileDisconnected = .fail
            let first = await self.code {
                try await withSTOMPClient(place, configuration: failing) { client in
                    server.goDown()
                    try await broker.waitForDisconnection()
                    try await client.send("a", to: "/queue/a", receipt: .required)
                }
            }
            #expect(first == .notConnected || first == .connectionLost)
            let second = await self.code { try await withSTOMPClient(place, configuration: configuration) { _ in } }
            #expect(second == .connectFailed)
            server.comeUp()
            try await withSTOMPClient(place, configuration: configuration) { _ in }
        }
    }

    @Test("Delays by the clock, and splits")
    func delay() async throws {
        var script = FaultPlan.Script()
        script.toServer.delay = .seconds(1)
        script.toClient.pieceLimit = 1
        try await self.with([script]) { _, server, configuration, clock in
            async let end = self.code {
                try await withSTOMPClient(STOMPServer(server.endpoint), configuration: configuration) { _ in }
            }
            // CONNECT's delay beside the limit of connecting, and then DISCONNECT's beside the limits of the shutdown.
            try await clock.waitForSleepers(2)
            clock.advance(by: .seconds(1))
            try await clock.waitForSleepers(2)
            clock.advance(by: .seconds(1))
            #expect(await end == nil)
        }
    }
}
