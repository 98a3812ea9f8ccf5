// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTesting

/// Where the tasks of a simulation get their client from.
///
/// A client has one connection now, so there is one client after the other.
final class ClientSource: Sendable {
    private struct State {
        var client: STOMPClient
        var isOver = false
    }

    let isReconnecting = true
    private let world: World
    private let servers: [FaultyServer]
    private let state: Locked<State>

    init(_ world: World, servers: [FaultyServer]) {
        self.world = world
        self.servers = servers
        self.state = Locked(State(client: Self.makeClient(world, servers, epoch: 0)))
    }

    /// The only place that knows how a client is made: a reconnecting one gets all servers, and is the only one.
    private static func makeClient(_ world: World, _ servers: [FaultyServer], epoch: Int) -> STOMPClient {
        STOMPClient(STOMPServerList(servers.map { STOMPServer($0.endpoint) }), configuration: world.configuration)
    }

    /// The one in use; it may have ended.
    var client: STOMPClient { self.state.withLock { $0.client } }
    /// Whether nothing is to be begun any more.
    var isOver: Bool { self.state.withLock { $0.isOver } }

    /// Ends the last client as wished.
    func stop() {
        self.world.journal.note("stop")
        let client = self.state.withLock { state in
            state.isOver = true
            return state.client
        }
        client.beginGracefulShutdown()
    }

    /// Runs one client after the other until ``stop()``.
    func run() async {
        var random = SplitMix64(seed: self.world.seed, index: -1)
        var epoch = 0
        while true {
            let client = self.client
            self.world.remember(client)
            await self.run(client, epoch, &random)
            await self.world.pause(random.milliseconds(in: 1...2_000))
            if self.isOver { break }
            epoch += 1
            let next = Self.makeClient(self.world, self.servers, epoch: epoch)
            self.state.withLock { $0.client = next }
        }
    }

    private func run(_ client: STOMPClient, _ epoch: Int, _ random: inout SplitMix64) async {
        let isDoomed = random.hits(15) && !self.isOver
        let wantsGrace = random.hits(60)
        let time = random.milliseconds(in: 1...40_000)
        let end = await withTaskGroup(of: ManualClock.Instant?.self) { group in
            group.addTask {
                for await event in client.events { self.world.journal.note("event \(Self.describe(event))") }
                return nil
            }
            if isDoomed {
                group.addTask {
                    await self.world.pause(time)
                    guard !Task.isCancelled, wantsGrace else { return nil }
                    self.world.journal.note("shut client \(epoch) down")
                    defer { client.beginGracefulShutdown() }
                    return self.world.clock.now
                }
            }
            let terms = Journal.Terms(
                limit: self.world.options.limit,
                errors: STOMPError.Code.endsOfClient,
                cancelAfter: isDoomed && !wantsGrace ? time : nil,
                farewell: Self.farewellLimit
            )
            _ = await self.world.journal.call("run client \(epoch)", terms) { () throws(STOMPError) in
                try await client.run()
            }
            group.cancelAll()
            var end: ManualClock.Instant?
            for await other in group { end = other ?? end }
            return end
        }
        if let end, end.duration(to: self.world.clock.now) > Self.farewellLimit {
            self.world.journal.violate("client \(epoch) took longer than \(Self.farewellLimit) to shut down")
        }
    }

    /// Two waits of `shutdownTimeout` each.
    private static let farewellLimit = Duration.seconds(10)

    private static func describe(_ event: STOMPEvent) -> String {
        switch event {
        case .connected: "connected"
        case .disconnected(let error): "disconnected: \(error.map { "\($0.code)" } ?? "as wished")"
        case .unexpectedFrame(let frame): "unexpected \(frame.command)"
        default: "\(event)"
        }
    }
}

extension STOMPError.Code {
    /// Why a client may end by itself.
    static let endsOfClient: Set<STOMPError.Code> = [
        .connectFailed, .connectTimedOut, .connectRefused, .connectionLost, .heartBeatLost, .serverError,
    ]
    /// Why a call may not have sent anything.
    static let notSent: Set<STOMPError.Code> = [
        .notConnected, .closed, .outboxFull, .connectFailed, .connectTimedOut, .connectRefused,
    ]
    /// Why the outcome of a call with a receipt may be unknown.
    static let unknown: Set<STOMPError.Code> = [.receiptTimedOut, .connectionLost, .serverError, .rejected]
}
