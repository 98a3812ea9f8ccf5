// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting
import STOMPTransport
import TestSupport
import Testing

@testable import STOMP

@Suite("withSTOMPClient, and peers that vanish", .timeLimit(.minutes(5)))
struct ScopeTests {
    private struct Oops: Error {}

    static let places: [STOMPBroker.Listening] = [.inMemory, .loopback()]
    static let once = {
        var configuration = STOMPConfiguration.patient
        configuration.reconnect = .never
        return configuration
    }()

    private func code(of body: () async throws -> Void) async -> STOMPError.Code? {
        await #expect(throws: STOMPError.self) { try await body() }?.code
    }

    @Test("A body that throws: its error, after a clean DISCONNECT", arguments: Self.places)
    func bodyThrows(place: STOMPBroker.Listening) async throws {
        try await withScriptedPeer(listening: place) { peer in
            try await peer.acceptSession()
            #expect(try await peer.receiveFrame().hasPrefix("SEND\n"))
            #expect(try await peer.confirmFrame().hasPrefix("DISCONNECT\nreceipt:"))
            try await peer.expectHangUp()
        } client: { peer in
            _ = await #expect(throws: Oops.self) {
                try await withSTOMPClient(peer.server, configuration: Self.once) { client in
                    try await client.send("x", to: "/queue/a")
                    throw Oops()
                }
            }
        }
    }

    @Test("A body that is cancelled: a clean DISCONNECT", arguments: Self.places)
    func bodyCancelled(place: STOMPBroker.Listening) async throws {
        try await withScriptedPeer(listening: place) { peer in
            try await peer.acceptSession()
            #expect(try await peer.confirmFrame().hasPrefix("DISCONNECT\nreceipt:"))
            try await peer.expectHangUp()
        } client: { peer in
            let isInside = Completion()
            let task = Task {
                try await withSTOMPClient(peer.server, configuration: Self.once) { _ in
                    isInside.resolve(.success(()))
                    await eventually { Task.isCancelled }
                    try Task.checkCancellation()
                }
            }
            try await isInside.value()
            task.cancel()
            _ = await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("A connection lost during the body: the error, although the body has returned", arguments: Self.places)
    func lostDuringBody(place: STOMPBroker.Listening) async throws {
        try await withScriptedPeer(listening: place) { peer in
            try await peer.acceptSession()
            peer.hangUp()
        } client: { peer in
            let code = await self.code {
                try await withSTOMPClient(peer.server, configuration: Self.once) { client in
                    for await event in client.events {
                        if case .disconnected = event { break }
                    }
                }
            }
            #expect(code == .connectionLost)
        }
    }

    @Test("A broker that refuses")
    func refused() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.logins = ["guest": "guest"]
        try await withSTOMPBroker(configuration) { broker in
            let code = await self.code {
                let login = STOMPLogin("guest", passcode: "wrong")
                try await withSTOMPClient(connectedTo: broker, login: login) { _ in _ = Issue.record("It was refused.")
                }
            }
            #expect(code == .connectRefused)
        }
    }

    @Test("A port at which nobody listens")
    func unreachable() async throws {
        let listener = try TCPListener.bind()
        let port = listener.port
        listener.close()
        let code = await self.code {
            try await withSTOMPClient("stomp://127.0.0.1:\(port)", configuration: Self.once) { _ in
                _ = Issue.record("Nobody is there.")
            }
        }
        #expect(code == .connectFailed)
    }

    @Test("A port that accepts and stays silent", arguments: Self.places)
    func silent(place: STOMPBroker.Listening) async throws {
        let clock = ManualClock()
        try await withScriptedPeer(listening: place) { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            await eventually { clock.nextDeadline?.offset == .seconds(10) }
            clock.advance(by: .milliseconds(9_999))
            #expect(clock.nextDeadline?.offset == .seconds(10))
            clock.advance(by: .milliseconds(1))
            try await peer.expectHangUp()
        } client: { peer in
            let configuration = STOMPConfiguration.with(\.clock, clock)
            let code = await self.code {
                try await withSTOMPClient(peer.server, configuration: configuration) { _ in
                    _ = Issue.record("It said nothing.")
                }
            }
            #expect(code == .connectTimedOut)
        }
    }

    @Test("The end of the stream instead of CONNECTED", arguments: Self.places)
    func endWhileConnecting(place: STOMPBroker.Listening) async throws {
        try await withScriptedPeer(listening: place) { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            peer.hangUp()
        } client: { peer in
            #expect(
                await self.code { try await withSTOMPClient(peer.server, configuration: Self.once) { _ in } }
                    == .connectFailed
            )
        }
    }

    /// How a client fails whose peer opens a session and hangs up when it has done its part.
    private func codeAtHangUp(
        _ place: STOMPBroker.Listening,
        _ script: @escaping @Sendable (ScriptedPeer) async throws -> Void,
        client body: @escaping @Sendable (STOMPClient) async throws -> Void
    ) async throws -> STOMPError.Code? {
        let code = Shared<STOMPError.Code?>(nil)
        try await withScriptedPeer(listening: place) { peer in
            try await peer.acceptSession()
            try await script(peer)
            peer.hangUp()
        } client: { peer in
            let end = await self.code {
                try await withSTOMPClient(peer.server, configuration: Self.once, body)
            }
            code.withLock { $0 = end }
        }
        return code.withLock { $0 }
    }

    @Test("The end of the stream instead of the receipt of SUBSCRIBE", arguments: Self.places)
    func endWhileSubscribing(place: STOMPBroker.Listening) async throws {
        let code = try await self.codeAtHangUp(place) { (peer) async throws in
            #expect(try await peer.receiveFrame().hasPrefix("SUBSCRIBE\n"))
        } client: { client in
            _ = try await client.subscribe(to: "/queue/a")
        }
        #expect(code == .connectionLost)
    }

    @Test("The end of the stream while a loop waits", arguments: Self.places)
    func endWhileIdle(place: STOMPBroker.Listening) async throws {
        let code = try await self.codeAtHangUp(place) { (peer) async throws in
            try await peer.confirmFrame()
        } client: { client in
            for try await _ in try await client.subscribe(to: "/queue/a") {}
            Issue.record("The loop throws.")
        }
        #expect(code == .connectionLost)
    }

    @Test("The end of the stream while sending", arguments: Self.places)
    func endWhileSending(place: STOMPBroker.Listening) async throws {
        let code = try await self.codeAtHangUp(place) { (peer) async throws in
            _ = try await peer.receiveFrame()
        } client: { client in
            let body = [UInt8](repeating: 0, count: 100_000)
            // Lost in the outbox first, then refused.
            while true { try await client.send(body, to: "/queue/a") }
        }
        #expect([.notConnected, .connectionLost].contains(code))
    }

    @Test("The end of the stream while a receipt is awaited: the outcome is unknown", arguments: Self.places)
    func endWhileConfirming(place: STOMPBroker.Listening) async throws {
        let code = try await self.codeAtHangUp(place) { (peer) async throws in
            _ = try await peer.receiveFrame()
        } client: { client in
            try await client.send("x", to: "/queue/a", receipt: .required)
        }
        #expect(code == .connectionLost)
    }
}
