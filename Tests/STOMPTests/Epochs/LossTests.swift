// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("How a connection is lost", .timeLimit(.minutes(5)))
struct LossTests {
    /// Ways in which a session ends, each with the code that it is known by.
    enum Way: String, CaseIterable {
        case endOfStream = "connectionLost"
        case error = "serverError"
        case violation = "protocolViolation"
        case silence = "heartBeatLost"
    }

    private func end(_ peer: EpochRun.Peer, _ way: Way, _ run: EpochRun) async throws {
        switch way {
        case .endOfStream: peer.hangUp()
        case .error: try await peer.send("ERROR\nmessage:no\n\n\0")
        case .violation: try await peer.send("MESSAGE\nno colon in this line\n\n\0")
        case .silence: await run.pass(.seconds(30))
        }
    }

    @Test(
        "B-2 B-8 Every way to lose a connection leads to the next one, after the old socket was closed",
        arguments: Way.allCases
    )
    func everyWay(way: Way) async throws {
        let beats = way == .silence ? "heart-beat:10000,0\n" : ""
        try await EpochRun.with { configuration in
            if way == .silence { configuration.heartBeat = STOMPHeartBeat(outgoing: .zero, incoming: .seconds(10)) }
        } _: { (run) async throws in
            for round in 1...3 {
                let peer = try await run.session(0, "version:1.2\n\(beats)")
                await run.untilConnected()
                try await self.end(peer, way, run)
                // Time stands still, so that nobody can have connected yet.
                if way != .endOfStream { try await peer.expectHangUp() }
                let delay = way == .silence ? 1 : [1.0, 2, 4][round - 1]
                await eventually { run.state == "waiting \(delay) \(way.rawValue)" }
                #expect(run.client.session == nil)
                await run.pass(.seconds(delay))
            }
            _ = try await run.session()
            await run.untilConnected()
        }
    }

    @Test("B-2 A write that fails is the end of a connection, too")
    func write() async throws {
        try await EpochRun.with { (run) async throws in
            let peer = try await run.session()
            await run.untilConnected()
            peer.hangUp()
            _ = try? await run.client.send("x", to: "/q")
            await run.pass(.seconds(1))
            let next = try await run.session()
            try await run.client.send("y", to: "/q")
            _ = try await next.receiveFrame()
        }
    }

    @Test("B-2 The delay begins anew only after a connection that was stable")
    func stability() async throws {
        try await EpochRun.with { (run) async throws in
            for (life, delay) in [(0, 1), (0, 2), (4, 4), (3, 8), (8, 1), (5, 1), (0, 2)] {
                let peer = try await run.session()
                await run.untilConnected()
                run.clock.advance(by: .seconds(life))
                peer.hangUp()
                await eventually { run.state == "waiting \(Double(delay)) connectionLost" }
                await run.pass(.seconds(delay))
            }
        }
    }

    @Test("Jitter comes from the configured source: the same seed, the same delays")
    func jitter() async throws {
        try await EpochRun.with { configuration in
            configuration.random = SameShare(share: 0.5)
            configuration.reconnect = STOMPReconnectPolicy(.fixed(.seconds(1), jitter: 0.5))
        } _: { (run) async throws in
            for _ in 1...3 {
                try await run.session().hangUp()
                await run.pass(.milliseconds(750))
            }
        }
    }

    @Test("B-8 Of a hundred losses no connection is left, and never were there two at once")
    func noGhosts() async throws {
        try await EpochRun.with { configuration in
            configuration.reconnect = STOMPReconnectPolicy(.fixed(.seconds(1)))
        } _: { (run) async throws in
            for round in 1...100 {
                let peer = try await run.session()
                await run.untilConnected()
                if round.isMultiple(of: 2) {
                    try await peer.refuse()
                } else {
                    peer.hangUp()
                }
                await run.pass(.seconds(1))
            }
            #expect(run.clock.sleeperCount <= 1)
        }
    }
}
