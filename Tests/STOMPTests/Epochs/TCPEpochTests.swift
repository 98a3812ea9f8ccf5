// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting
import TestSupport
import Testing

@testable import STOMP

/// The same loop and the same sends through several connections over sockets.
@Suite("Connections over TCP, one after the other", .timeLimit(.minutes(5)))
struct TCPEpochTests {
    enum Loss: CaseIterable {
        /// The peer goes down.
        case closed
        /// The connection is reset.
        case reset
        /// It ends in the middle of a frame to us.
        case cutInAMessage
        /// It ends in the middle of a frame of ours.
        case cutInASend
        /// Nothing moves any more, and the peer is still there.
        case blackhole
    }

    private static let count = 300

    private func lose(_ loss: Loss, _ proxy: TCPProxy, _ client: STOMPClient, _ clock: ManualClock) async throws {
        switch loss {
        case .closed: proxy.close()
        case .reset: proxy.reset()
        case .cutInAMessage: proxy.cut(afterBytes: 1_050, .toClient)
        case .cutInASend: proxy.cut(afterBytes: 1_050, .toServer)
        case .blackhole:
            proxy.blackhole()
            // One wake-up after the other, since a watchdog that wakes late blames itself.
            while client.state.note == "connected", let next = clock.nextDeadline {
                clock.advance(to: next)
                for _ in 0..<20 { await Task.yield() }
            }
        }
    }

    /// Lets the time pass that the client waits for before it connects again.
    private func passDelays(_ events: AsyncStream<STOMPEvent>, _ clock: ManualClock) async {
        for await event in events {
            guard case .reconnecting(let delay, _) = event, delay > .zero else { continue }
            await eventually { clock.nextDeadline?.offset == clock.now.offset + delay }
            clock.advance(by: delay)
        }
    }

    private func configuration(_ loss: Loss, _ clock: ManualClock) -> STOMPConfiguration {
        var configuration = STOMPConfiguration()
        configuration.clock = clock
        configuration.reconnect = STOMPReconnectPolicy(.fixed(.zero))
        configuration.livenessExecutor = nil
        configuration.receiptTimeout = .seconds(3_600)
        let beats = STOMPHeartBeat(outgoing: .zero, incoming: .seconds(10))
        configuration.heartBeat = loss == .blackhole ? beats : .none
        return configuration
    }

    @Test(
        "B-1 B-2 B-8 Every confirmed number arrives, and there is never more than one connection",
        arguments: Loss.allCases
    )
    func goesOn(loss: Loss) async throws {
        try await withSTOMPBroker(listening: .loopback()) { broker in
            try await TCPProxy.with(to: try #require(broker.port)) { proxy in
                let clock = ManualClock()
                let server = STOMPServer(.tcp("127.0.0.1", port: proxy.port))
                let received = Shared<Set<Int>>([])
                try await withSTOMPClient(server, configuration: self.configuration(loss, clock)) { client in
                    let events = client.events
                    async let _ = self.passDelays(events, clock)
                    let subscription = try await client.subscribe(to: "/queue/numbers")
                    let loop = Task { try await self.receiveAll(subscription, into: received) }
                    for number in 1...Self.count {
                        if number.isMultiple(of: 100) {
                            try await self.lose(loss, proxy, client, clock)
                            proxy.heal()
                        }
                        let text = "\(number) " + String(repeating: "x", count: 100)
                        try await client.send(text, to: "/queue/numbers", receipt: .required(onLoss: .resend))
                        if loss != .blackhole { #expect(proxy.connectionCount <= 1) }
                    }
                    try await loop.value
                    withExtendedLifetime(subscription) {}
                    #expect(await broker.connectionCount == 1)
                    #expect(await broker.subscriptionCount(for: "/queue/numbers") == 1)
                }
                #expect(received.withLock { $0.count } == Self.count)
                try await proxy.waitForConnections(0)
            }
        }
    }

    /// One loop.
    private func receiveAll(_ subscription: STOMPSubscription, into received: Shared<Set<Int>>) async throws {
        for try await message in subscription {
            let number = try #require(Int(try message.text.prefix { $0 != " " }))
            let count = received.withLock { received in
                received.insert(number)
                return received.count
            }
            do throws(STOMPError) {
                try await message.ack()
            } catch {
                guard error.code == .staleAcknowledgement else { throw error }
            }
            if count == Self.count { return }
        }
    }
}
