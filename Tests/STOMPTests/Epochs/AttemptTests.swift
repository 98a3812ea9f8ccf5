// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Attempts to connect", .timeLimit(.minutes(5)))
struct AttemptTests {
    enum Obstacle: String, CaseIterable {
        case refusal = "connectFailed"
        case silence = "connectTimedOut"
        case hangUp = "connectFailed "
        case otherProtocol = "protocolViolation"
        case error = "connectRefused"
    }

    private func stop(_ obstacle: Obstacle, _ run: EpochRun) async throws {
        guard obstacle != .refusal else { return }
        let peer = try await run.accept(0)
        _ = try await peer.receiveFrame()
        switch obstacle {
        case .refusal: break
        case .silence: await run.pass(.seconds(10))
        case .hangUp: peer.hangUp()
        case .otherProtocol: try await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n\0")
        case .error: try await peer.send("ERROR\nmessage:Bad CONNECT\n\n\0")
        }
        if obstacle != .hangUp { try await peer.expectHangUp() }
    }

    @Test(
        "B-3 An attempt lasts until CONNECTED: whatever comes in between, the next server is tried, without a delay",
        arguments: Obstacle.allCases
    )
    func nextServer(obstacle: Obstacle) async throws {
        try await EpochRun.with(servers: 2) { configuration in
            configuration.reconnect.refusalAtStart = .retried
        } _: { (run) async throws in
            if obstacle == .refusal { run.listeners[0].close() }
            try await self.stop(obstacle, run)
            _ = try await run.session(1)
            await run.untilConnected()
            let code = obstacle.rawValue.trimmingSuffix(" ")
            #expect(
                await run.events(until: "resumed 0")
                    == ["connecting 1", "reconnecting 0.0 \(code)", "connecting 2", "connected", "resumed 0"]
            )
        }
    }

    @Test("B-3 Also after a loss a port that accepts and stays silent is left after the connect deadline")
    func silentLater() async throws {
        try await EpochRun.with(servers: 2) { (run) async throws in
            try await run.session(0).hangUp()
            await run.pass(.seconds(1))
            // The server that failed is the last in the order.
            let dead = try await run.accept(1)
            _ = try await dead.receiveFrame()
            await run.pass(.seconds(10))
            try await dead.expectHangUp()
            _ = try await run.session(0)
            await run.untilConnected()
        }
    }

    @Test("A refused login at the start is final; calls get that error, and no server is asked again")
    func refusedAtStart() async throws {
        try await EpochRun.with(servers: 2) { (run) async throws in
            let send = Task { try await run.client.send("x", to: "/q") }
            let peer = try await run.accept()
            _ = try await peer.receiveFrame()
            try await peer.refuse()
            #expect(try await run.end.value()?.code == .connectRefused)
            #expect(await failure { try await send.value }?.code == .connectRefused)
            #expect(run.state == "closed connectRefused")
        }
    }

    @Test("A refused login after a loss is retried")
    func refusedLater() async throws {
        try await EpochRun.with { (run) async throws in
            try await run.session().hangUp()
            await run.pass(.seconds(1))
            let peer = try await run.accept()
            _ = try await peer.receiveFrame()
            try await peer.refuse()
            await eventually { run.state == "waiting 2.0 connectRefused" }
            await run.pass(.seconds(2))
            _ = try await run.session()
            await run.untilConnected()
        }
    }

    @Test("B-2 When the policy gives up, run() says after how many attempts, and everybody who waits is told")
    func givesUp() async throws {
        try await EpochRun.with { configuration in
            configuration.reconnect.maximumAttempts = .limited(2)
        } _: { (run) async throws in
            let peer = try await run.session()
            let subscription = try await run.subscribe(at: peer)
            let loop = Task { for try await _ in subscription {} }
            run.listeners[0].close()
            peer.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            let send = Task { try await run.client.send("x", to: "/q", receipt: .required) }
            await run.pass(.seconds(1))
            await run.pass(.seconds(2))
            let error = try #require(try await run.end.value())
            #expect(error.code == .connectFailed)
            #expect(error.message.contains("Gave up after 2 attempts"))
            #expect(await failure { try await send.value }?.code == .connectFailed)
            let end = await failure { try await loop.value }
            #expect(end?.code == .connectionLost)
            #expect((end?.cause as? STOMPError)?.code == .connectFailed)
        }
    }

    @Test("With .never the client ends with its connection")
    func never() async throws {
        try await EpochRun.with { configuration in
            configuration.reconnect = .never
        } _: { (run) async throws in
            let peer = try await run.session()
            let subscription = try await run.subscribe(at: peer)
            peer.hangUp()
            #expect(try await run.end.value()?.code == .connectionLost)
            #expect(await failure { for try await _ in subscription {} }?.code == .connectionLost)
            #expect(await failure { try await run.client.send("x", to: "/q") }?.code == .notConnected)
            #expect(
                try await run.eventsToTheEnd()
                    == ["connecting 1", "connected", "resumed 0", "disconnected connectionLost"]
            )
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        self.hasSuffix(suffix) ? String(self.dropLast(suffix.count)) : self
    }
}
