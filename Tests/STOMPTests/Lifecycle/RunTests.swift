// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting
import TestSupport
import Testing

@testable import STOMP

@Suite("The life of a client", .timeLimit(.minutes(5)))
struct RunTests {
    private func code(of body: () async throws -> Void) async -> STOMPError.Code? {
        await #expect(throws: STOMPError.self) { try await body() }?.code
    }

    @Test("run() is called once, also when it has ended")
    func runTwice() async throws {
        try await withSTOMPBroker { broker in
            let client = STOMPClient(STOMPServer(broker.endpoint), configuration: .patient)
            let running = Task { try await client.run() }
            _ = try await client.connection(until: nil)
            #expect(await self.code { try await client.run() } == .alreadyRunning)
            try await client.send("still here", to: "/queue/a", receipt: .required)
            client.beginGracefulShutdown()
            try await running.value
            #expect(await self.code { try await client.run() } == .alreadyRunning)
            #expect(await self.code { try await client.send("x", to: "/queue/a") } == .closed)
        }
    }

    @Test("Calls before run() wait, and work once there is a connection")
    func callsBeforeRun() async throws {
        try await withSTOMPBroker { broker in
            let client = STOMPClient(STOMPServer(broker.endpoint), configuration: .patient)
            let sends = (0..<10).map { number in
                Task { try await client.send("\(number)", to: "/queue/a", receipt: .required) }
            }
            let subscribing = Task { try await client.subscribe(to: "/queue/a", ack: .auto) }
            let running = Task { try await client.run() }
            for send in sends { try await send.value }
            let subscription = try await subscribing.value
            var bodies = Set<String>()
            for try await message in subscription {
                bodies.insert(try message.text)
                if bodies.count == 10 { break }
            }
            #expect(bodies == Set((0..<10).map(String.init)))
            client.beginGracefulShutdown()
            try await running.value
        }
    }

    @Test("Without run() a call waits for connectionWaitTimeout, or until it is cancelled")
    func connectionWait() async throws {
        let clock = ManualClock()
        let client = try STOMPClient(STOMPServer("stomp://localhost:1"), configuration: .with(\.clock, clock))
        let send = Task { try await client.send("x", to: "/queue/a") }
        let cancelled = Task { try await client.subscribe(to: "/queue/a") }
        try await clock.waitForSleepers(2)
        cancelled.cancel()
        #expect(await self.code { _ = try await cancelled.value } == .cancelled)
        clock.advance(by: .seconds(30))
        #expect(await self.code { try await send.value } == .notConnected)
        #expect(clock.sleeperCount == 0)
    }

    @Test("A shutdown that was wished before run(): it returns, and later calls say .closed")
    func shutdownBeforeRun() async throws {
        for _ in 0..<100 {
            try await withSTOMPBroker { broker in
                let client = STOMPClient(STOMPServer(broker.endpoint), configuration: .patient)
                let waiting = Task { try await client.send("x", to: "/queue/a", receipt: .required) }
                client.beginGracefulShutdown()
                try await client.run()
                do {
                    try await waiting.value
                } catch let error as STOMPError {
                    try #require([.closed, .notConnected, .connectionLost].contains(error.code))
                }
                #expect(await self.code { try await client.send("x", to: "/queue/a") } == .closed)
            }
        }
    }

    @Test("A shutdown during the attempt to connect ends it", arguments: [true, false])
    func shutdownWhileConnecting(isGraceful: Bool) async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.expectHangUp()
        } client: { peer in
            let clock = ManualClock()
            let client = STOMPClient(STOMPServer(peer.endpoint), configuration: .with(\.clock, clock))
            let running = Task { try await client.run() }
            try await clock.waitForSleepers(1)
            if isGraceful {
                client.beginGracefulShutdown()
                try await running.value
            } else {
                running.cancel()
                #expect(await self.code { try await running.value } == .cancelled)
            }
            #expect(clock.sleeperCount == 0)
        }
    }

    @Test("A shutdown waits for the receipts that are awaited, then disconnects; a second wish changes nothing")
    func shutdownWhileConnected() async throws {
        try await withScriptedPeer { peer in
            try await peer.acceptSession()
            let send = try await peer.receiveFrame()
            try await peer.send("RECEIPT\nreceipt-id:\(send.header("receipt") ?? "")\n\n\0")
            let farewell = try await peer.receiveFrame()
            #expect(farewell.hasPrefix("DISCONNECT\nreceipt:"))
            try await peer.send("RECEIPT\nreceipt-id:\(farewell.header("receipt") ?? "")\n\n\0")
            try await peer.expectHangUp()
        } client: { peer in
            let client = STOMPClient(STOMPServer(peer.endpoint), configuration: .with(\.clock, ManualClock()))
            let running = Task { try await client.run() }
            let connection = try await client.connection(until: nil)
            let send = Task { try await client.send("x", to: "/queue/a", receipt: .required) }
            await eventually { connection.outbox.state.withLock { $0.receipts.count } == 1 }
            client.beginGracefulShutdown()
            client.beginGracefulShutdown()
            try await send.value
            try await running.value
            client.beginGracefulShutdown()
        }
    }

    @Test("Cancelling run() says goodbye, and closes after the receipt and not before")
    func cancelledWhileConnected() async throws {
        let isAnswered = Shared(false)
        let hasReturned = Shared(false)
        try await withScriptedPeer { peer in
            try await peer.acceptSession()
            let farewell = try await peer.receiveFrame()
            #expect(farewell.hasPrefix("DISCONNECT\nreceipt:"))
            for _ in 0..<1_000 { await Task.yield() }
            #expect(!hasReturned.withLock { $0 })
            isAnswered.withLock { $0 = true }
            try await peer.send("RECEIPT\nreceipt-id:\(farewell.header("receipt") ?? "")\n\n\0")
            try await peer.expectHangUp()
        } client: { peer in
            let client = STOMPClient(STOMPServer(peer.endpoint), configuration: .with(\.clock, ManualClock()))
            let running = Task { try await client.run() }
            _ = try await client.connection(until: nil)
            running.cancel()
            #expect(await self.code { try await running.value } == .cancelled)
            hasReturned.withLock { $0 = true }
            #expect(isAnswered.withLock { $0 })
        }
    }

    @Test("Cancelling run() against a peer that has gone silent returns within shutdownTimeout")
    func cancelledWhileSilent() async throws {
        let clock = ManualClock()
        // The wait for outstanding receipts before it has a deadline of its own, at the same time.
        let isDisconnecting = Locked(false)
        try await withScriptedPeer { peer in
            try await peer.acceptSession()
            #expect(try await peer.receiveFrame().hasPrefix("DISCONNECT\n"))
            isDisconnecting.withLock { $0 = true }
            try await peer.expectHangUp()
        } client: { peer in
            let client = STOMPClient(STOMPServer(peer.endpoint), configuration: .with(\.clock, clock))
            let running = Task { try await client.run() }
            _ = try await client.connection(until: nil)
            running.cancel()
            await eventually { isDisconnecting.withLock { $0 } && clock.nextDeadline?.offset == .seconds(5) }
            clock.advance(by: .seconds(5))
            #expect(await self.code { try await running.value } == .cancelled)
        }
    }

    @Test("Cancelling run() at any time: it ends, and the broker has no session left")
    func cancelledAtAnyTime() async throws {
        try await withSTOMPBroker { broker in
            for round in 0..<300 {
                let client = STOMPClient(STOMPServer(broker.endpoint), configuration: .patient)
                let running = Task { try await client.run() }
                for _ in 0..<round % 40 { await Task.yield() }
                if round.isMultiple(of: 2) { client.beginGracefulShutdown() } else { running.cancel() }
                _ = await running.result
                #expect(await self.code { try await client.send("x", to: "/queue/a") } != nil)
            }
            try await broker.waitForDisconnection()
        }
    }
}

extension ScriptedPeer {
    /// Where a client reaches this peer, by TCP if it listens there.
    var server: STOMPServer {
        STOMPServer(self.port.map { .tcp("127.0.0.1", port: $0) } ?? self.endpoint)
    }

    /// Accepts and opens a session.
    func acceptSession(_ headers: String = "version:1.2\n") async throws {
        try await self.accept()
        _ = try await self.receiveFrame()
        try await self.send("CONNECTED\n\(headers)\n\0")
    }

    /// Confirms the next frame.
    @discardableResult
    func confirmFrame() async throws -> String {
        let frame = try await self.receiveFrame()
        if let id = frame.header("receipt") { try await self.send("RECEIPT\nreceipt-id:\(id)\n\n\0") }
        return frame
    }
}
