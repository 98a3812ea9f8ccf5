// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Events and the state", .timeLimit(.minutes(5)))
struct EventOrderTests {
    @Test("B-9 A whole life, event by event, each once")
    func life() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(at: first)
            first.hangUp()
            await run.pass(.seconds(1))
            let refusing = try await run.accept()
            _ = try await refusing.receiveFrame()
            try await refusing.refuse()
            await run.pass(.seconds(2))
            let second = try await run.session()
            try await second.confirmFrame()
            await run.untilConnected()
            run.client.beginGracefulShutdown()
            for _ in ["UNSUBSCRIBE", "DISCONNECT"] { try await second.confirmFrame() }
            #expect(
                try await run.eventsToTheEnd() == [
                    "connecting 1", "connected", "resumed 0",
                    "disconnected connectionLost", "reconnecting 1.0 connectionLost",
                    "connecting 1", "reconnecting 2.0 connectRefused",
                    "connecting 2", "connected", "resumed 1",
                    "disconnected as wished", "drained completely",
                ]
            )
            #expect(run.state == "closed as wished")
            withExtendedLifetime(subscription) {}
        }
    }

    @Test("B-9 All listeners see one order, also of what happens on several threads at once")
    func oneOrder() async throws {
        let hub = EventHub()
        let listeners = (0..<3).map { _ in hub.listen() }
        await withTaskGroup { group in
            for sender in 0..<4 {
                group.addTask {
                    for number in 0..<50 { hub.send(.framesLost(sender * 1_000 + number)) }
                }
            }
        }
        hub.finish(.closed(nil))
        var orders: [[String]] = []
        for listener in listeners {
            var notes: [String] = []
            for await event in listener { notes.append(event.note) }
            orders.append(notes)
        }
        #expect(orders[0].count == 200)
        #expect(orders[1] == orders[0])
        #expect(orders[2] == orders[0])
        for sender in 0..<4 {
            let own = orders[0].filter { $0.split(separator: " ")[1].count == 4 || sender == 0 }
            #expect(!own.isEmpty)
        }
    }

    @Test("B-9 The state says where the client stands, at each step")
    func state() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.accept()
            _ = try await first.receiveFrame()
            #expect(run.state == "connecting 1")
            try await first.send("CONNECTED\nversion:1.2\n\n\0")
            await run.untilConnected()
            let subscription = try await run.subscribe(at: first)
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            #expect(run.client.session == nil)
            await run.pass(.seconds(1))
            let second = try await run.session()
            _ = try await second.receiveFrame()
            #expect(run.state == "resuming")
            #expect(run.client.session == nil)
            try await second.confirm("1")
            await run.untilConnected()
            #expect(run.client.session != nil)
            withExtendedLifetime(subscription) {}
        }
    }

    /// Whether a state is none that comes before an event in the life of a connection.
    private static func isInStep(_ state: String, with event: String) -> Bool {
        let life = [
            ("connecting", "connecting"), ("connected", "resuming"), ("resumed", "connected"),
            ("disconnected", "disconnected"), ("reconnecting", "waiting"),
        ]
        guard let place = life.firstIndex(where: { event.hasPrefix($0.0) }) else { return true }
        return !life[..<place].contains { state.hasPrefix($0.1) }
    }

    @Test("B-9 When an event comes, the state is the one that it belongs to, or a later one")
    func stateWithEvents() async throws {
        try await EpochRun.with { configuration in
            configuration.reconnect = STOMPReconnectPolicy(.fixed(.seconds(1)))
        } _: { (run) async throws in
            let lossCount = Shared(0)
            let events = run.client.events
            async let seen: Void = {
                for await event in events {
                    #expect(Self.isInStep(run.state, with: event.note), "\(run.state) at \(event.note)")
                    if case .reconnecting = event { lossCount.withLock { $0 += 1 } }
                }
            }()
            for round in 1...100 {
                let peer = try await run.session()
                await run.untilConnected()
                peer.hangUp()
                await eventually { lossCount.withLock { $0 } == round }
                await run.pass(.seconds(1))
            }
            run.cancel()
            await seen
        }
    }

    @Test("B-9 Whoever has waited for the connection finds the state connected")
    func stateAfterWaiting() async throws {
        for _ in 0..<50 {
            try await EpochRun.with { (run) async throws in
                let waiting = Task {
                    _ = try await run.client.connection(until: nil)
                    return run.state
                }
                await eventually { run.client.inner.withLock { $0.waiters.count } == 1 }
                let peer = try await run.session()
                #expect(try await waiting.value == "connected")
                withExtendedLifetime(peer) {}
            }
        }
    }

    @Test("A listener that came after the end gets an ended stream")
    func lateListener() async throws {
        try await EpochRun.with { (run) async throws in
            run.client.beginGracefulShutdown()
            _ = try await run.end.value()
            for await _ in run.client.events { Issue.record("An event after the end.") }
        }
    }
}
