// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Pausing", .timeLimit(.minutes(5)))
struct PausingTests {
    /// A subscription for which one message is too much already.
    private func withFullSubscription(
        connected headers: String = "version:1.2\n",
        configuration: STOMPConfiguration = STOMPConfiguration(),
        _ body: (ConnectedPair, STOMPSubscription) async throws -> Void
    ) async throws {
        try await ConnectedPair.with(connected: headers, configuration: configuration) { pair in
            let subscription = try await pair.subscribe { $0.softLimit = 1 }
            try await pair.deliver(ConnectedPair.message("0"))
            try await pair.waitForPause()
            try await body(pair, subscription)
        }
    }

    private func body(_ message: STOMPMessage?) throws -> String? {
        try message.map { message throws(STOMPError) in try message.text }
    }

    @Test("At the soft limit reading pauses, at most for maximumPause, and then goes on")
    func longestPause() async throws {
        try await self.withFullSubscription { pair, subscription in
            for number in 1...3 {
                await eventually { pair.clock.nextDeadline?.offset == .seconds(5 * number) }
                try await pair.peer.send(ConnectedPair.message("\(number)"))
                #expect(pair.leavesBytesUnread)
                pair.clock.advance(by: .seconds(5))
                try await pair.waitForResumption()
                try await pair.waitForPause()
                #expect(!pair.leavesBytesUnread)
            }
            var iterator = subscription.makeAsyncIterator()
            for number in 0...3 { #expect(try self.body(await iterator.next()) == "\(number)") }
        }
    }

    @Test("Reading goes on when the consumer takes, and does not pause while it waits")
    func consumerTakes() async throws {
        try await self.withFullSubscription { pair, subscription in
            try await pair.peer.send(ConnectedPair.message("1"))
            #expect(pair.leavesBytesUnread)
            var iterator = subscription.makeAsyncIterator()
            for number in 0..<100 {
                #expect(try self.body(await iterator.next()) == "\(number)")
                try await pair.peer.send(ConnectedPair.message("\(number + 2)"))
            }
        }
    }

    @Test("Once paused, reading goes on when half of the buffer is taken, not at each batch")
    func halfEmpty() async throws {
        let size = ConnectedPair.message("0").utf8.count + MessageBatch.overhead(of: 1)
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe { $0.softLimit = 8 * size }
            for number in 0..<7 { try await pair.deliver(ConnectedPair.message("\(number)")) }
            #expect(!subscription.handle.storage.isAtSoftLimit)
            try await pair.deliver(ConnectedPair.message("7"))
            try await pair.waitForPause()
            var iterator = subscription.makeAsyncIterator()
            // Asked for the next one, it lets go of the last.
            for number in 0..<4 {
                #expect(try self.body(await iterator.next()) == "\(number)")
                #expect(subscription.handle.storage.isAtSoftLimit, "after message \(number)")
            }
            #expect(try self.body(await iterator.next()) == "4")
            #expect(!subscription.handle.storage.isAtSoftLimit)
            try await pair.waitForResumption()
        }
    }

    @Test("A consumer that stops after a few messages is reported, though there is no room for more")
    func stopsHalfway() async throws {
        let size = ConnectedPair.message("0").utf8.count + MessageBatch.overhead(of: 1)
        // The receipt of SUBSCRIBE is watched for longer than this takes.
        try await ConnectedPair.with(configuration: .with(\.receiptTimeout, .seconds(600))) { pair in
            let subscription = try await pair.subscribe { $0.softLimit = 8 * size }
            for number in 0..<8 { try await pair.deliver(ConnectedPair.message("\(number)")) }
            try await pair.waitForPause()
            var iterator = subscription.makeAsyncIterator()
            for _ in 0..<3 { _ = try await iterator.next() }
            #expect(subscription.handle.storage.isAtSoftLimit)
            // The pause is over, and there is nothing to read.
            await eventually { pair.clock.nextDeadline?.offset == .seconds(5) }
            pair.clock.advance(by: .seconds(5))
            await eventually { pair.clock.nextDeadline?.offset == .seconds(35) }
            pair.clock.advance(by: .seconds(30))
            let id = try await pair.event { event -> String? in
                if case .slowConsumer(let id) = event { id } else { nil }
            }
            #expect(id == "s")
        }
    }

    @Test("With a limit of nothing, messages come one after the other")
    func noLimit() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe { $0.softLimit = 0 }
            let taker = Task { () -> [String] in
                var bodies: [String] = []
                for try await message in subscription {
                    bodies.append(try message.text)
                    if bodies.count == 5 { break }
                }
                return bodies
            }
            for number in 0..<5 {
                await eventually { subscription.handle.storage.demand.isWaiting }
                try await pair.deliver(ConnectedPair.message("\(number)"))
            }
            #expect(try await taker.value == (0..<5).map(String.init))
        }
    }

    @Test("It does not pause while another subscription's consumer waits")
    func anotherWaits() async throws {
        try await ConnectedPair.with { pair in
            let full = try await pair.subscribe("a") { $0.softLimit = 1 }
            let hungry = try await pair.subscribe("b")
            let taker = Task { () -> [String] in
                var bodies: [String] = []
                for try await message in hungry {
                    bodies.append(try message.text)
                    if bodies.count == 20 { break }
                }
                return bodies
            }
            for number in 0..<20 {
                await eventually { hungry.handle.storage.demand.isWaiting }
                try await pair.deliver(ConnectedPair.message("a", to: "a"))
                try await pair.deliver(ConnectedPair.message("\(number)", to: "b"))
            }
            #expect(try await taker.value == (0..<20).map(String.init))
            // Nobody waits any more.
            try await pair.waitForPause()
            _ = full
        }
    }

    @Test("A consumer that was cancelled while it waited does not count as waiting")
    func ghost() async throws {
        try await ConnectedPair.with { pair in
            let full = try await pair.subscribe("a") { $0.softLimit = 1 }
            let abandoned = try await pair.subscribe("b")
            let taker = Task { for try await _ in abandoned {} }
            await eventually { abandoned.handle.storage.demand.isWaiting }
            taker.cancel()
            try await taker.value
            try await pair.deliver(ConnectedPair.message("0", to: "a"))
            try await pair.waitForPause()
            _ = full
        }
    }

    @Test("A receipt that is awaited ends a pause")
    func receiptAwaited() async throws {
        try await self.withFullSubscription { pair, _ in
            let sent = Task { try await pair.connection.send("x", to: "/r", receipt: .required) }
            let frame = try await pair.peer.receiveFrame()
            let receipt = try #require(frame.header("receipt"))
            // Not even a full stream in the way delays it.
            for number in 1...50 { try await pair.peer.send(ConnectedPair.message("\(number)")) }
            try await pair.peer.send("RECEIPT\nreceipt-id:\(receipt)\n\n\0")
            try await sent.value
        }
    }

    @Test("A handler that awaits a receipt while its own stream is full gets it")
    func handlerAwaitsReceipt() async throws {
        try await ConnectedPair.with { pair in
            let subscription = try await pair.subscribe { $0.softLimit = 1 }
            let handler = Task {
                var count = 0
                for try await message in subscription {
                    try await pair.connection.send(try message.text, to: "/r", receipt: .required)
                    count += 1
                    if count == 50 { break }
                }
            }
            for number in 0..<50 { try await pair.peer.send(ConnectedPair.message("\(number)")) }
            for number in 0..<50 { #expect(try await pair.confirmFrame().frameBody == "\(number)") }
            try await handler.value
        }
    }

    @Test("A hang-up during a pause is seen, and what is buffered is delivered before the error")
    func hangUp() async throws {
        try await self.withFullSubscription { (pair, subscription) async throws in
            pair.peer.hangUp()
            #expect(try await pair.end.value()?.code == .connectionLost)
            var iterator = subscription.makeAsyncIterator()
            #expect(try self.body(await iterator.next()) == "0")
            let error = await #expect(throws: STOMPError.self) { try await iterator.next() }
            #expect(error?.code == .connectionLost)
        }
    }

    @Test("disconnect() during a pause hears its receipt")
    func disconnect() async throws {
        try await self.withFullSubscription { (pair, _) async throws in
            async let disconnected: Void = pair.connection.disconnect()
            #expect(try await pair.confirmFrame().hasPrefix("DISCONNECT\n"))
            await disconnected
            #expect(try await pair.end.value()?.code == nil)
        }
    }

    @Test("A full subscription that has ended does not pause the others", arguments: [false, true])
    func endedSubscription(byDropping: Bool) async throws {
        try await ConnectedPair.with { pair in
            let idle = try await pair.subscribe("b")
            var full: STOMPSubscription? = try await pair.subscribe("a") { $0.softLimit = 1 }
            try await pair.deliver(ConnectedPair.message("0", to: "a"))
            try await pair.waitForPause()
            if byDropping {
                full = nil
                #expect(try await pair.confirmFrame().hasPrefix("UNSUBSCRIBE\n"))
            } else if let full {
                async let unsubscribed: Void = full.unsubscribe()
                try await pair.confirmFrame()
                try await unsubscribed
            }
            for number in 0..<3 { try await pair.deliver(ConnectedPair.message("\(number)", to: "b")) }
            var iterator = idle.makeAsyncIterator()
            for number in 0..<3 { #expect(try self.body(await iterator.next()) == "\(number)") }
            _ = full
        }
    }

    @Test("Our beats go on during a pause, and the watchdog gives a fresh window after it")
    func beatsDuringPause() async throws {
        try await self.withFullSubscription(
            connected: "version:1.2\nheart-beat:10000,10000\n",
            configuration: .with(\.maximumPause, .seconds(100))
        ) { pair, _ in
            for step in 1...19 {
                await eventually { pair.clock.nextDeadline?.offset == .seconds(5 * step) }
                pair.clock.advance(by: .seconds(5))
                #expect(try await pair.peer.receiveBytes(count: 1) == [10])
            }
            await eventually { pair.clock.nextDeadline?.offset == .seconds(100) }
            pair.clock.advance(by: .seconds(5))
            try await pair.waitForResumption()
            #expect(!pair.outbox.isClosing)
        }
    }

    private func slowConsumer(_ pair: ConnectedPair) async throws -> String {
        try await pair.event { event -> String? in
            if case .slowConsumer(let id) = event { id } else { nil }
        }
    }

    @Test("A subscription that is at its limit and unread for 30 s is an event, once")
    func slowConsumerWithTraffic() async throws {
        try await self.withFullSubscription { pair, _ in
            for number in 1...8 {
                await eventually { pair.clock.nextDeadline?.offset == .seconds(5 * number) }
                // Something comes all the time, as from a broker that beats.
                try await pair.peer.send("\n")
                pair.clock.advance(by: .seconds(5))
                try await pair.waitForResumption()
                if number == 6 {
                    guard case .slowConsumer(subscription: "s") = try await pair.event({ $0 }) else {
                        Issue.record("30 s have passed.")
                        return
                    }
                }
                guard case .readingPaused = try await pair.event({ $0 }) else {
                    Issue.record("It is reported once.")
                    return
                }
            }
        }
    }

    @Test("Also when nothing more comes")
    func slowConsumerInSilence() async throws {
        try await self.withFullSubscription { pair, _ in
            await eventually { pair.clock.nextDeadline?.offset == .seconds(5) }
            pair.clock.advance(by: .seconds(5))
            try await pair.waitForResumption()
            await eventually { pair.clock.nextDeadline?.offset == .seconds(30) }
            pair.clock.advance(by: .seconds(25))
            #expect(try await self.slowConsumer(pair) == "s")
        }
    }
}
