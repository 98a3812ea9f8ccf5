// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Subscribing again", .timeLimit(.minutes(5)))
struct ResubscriptionTests {
    @Test(
        "B-1 B-18 The next connection begins with the same SUBSCRIBEs; then come queued sends, then calls that waited"
    )
    func sameBytes() async throws {
        try await EpochRun.with { configuration in
            configuration.sendWhileDisconnected = .enqueue(STOMPSendQueueLimits())
        } _: { (run) async throws in
            let first = try await run.session()
            async let mine = run.client.subscribe(
                to: "/queue/a",
                ack: .client,
                id: "mine",
                headers: ["selector": "a = 1", "x": "a:b"]
            )
            let one = "SUBSCRIBE\nid:mine\ndestination:/queue/a\nack:client\nselector:a = 1\nx:a\\cb\nreceipt:1\n\n\0"
            try await first.expect(one)
            try await first.confirm("1")
            let subscriptions = [try await mine, try await run.subscribe(to: "/topic/b", ack: .auto, at: first)]
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            try await run.client.send("queued", to: "/queue/q")
            let waiting = Task { try await run.client.send("waited", to: "/queue/q", receipt: .required) }
            await eventually { run.client.inner.withLock { $0.waiters.count } == 1 }
            await run.pass(.seconds(1))
            let second = try await run.session()
            try await second.expect(one)
            try await second.expect("SUBSCRIBE\nid:1\ndestination:/topic/b\nack:auto\nreceipt:2\n\n\0")
            // Not before the broker has confirmed both.
            try await second.confirm("2")
            for _ in 0..<100 { await Task.yield() }
            #expect(second.hasReceivedNothing)
            try await second.confirm("1")
            #expect(try await second.receiveFrame().frameBody == "queued")
            let last = try await second.confirmFrame()
            #expect(last.frameBody == "waited")
            #expect(last.header("receipt") == "3")
            try await waiting.value
            #expect(second.hasReceivedNothing)
            withExtendedLifetime(subscriptions) {}
        }
    }

    @Test("B-1 The same loop goes on, over several losses, also when two follow at once")
    func loopGoesOn() async throws {
        try await EpochRun.with { (run) async throws in
            var peer = try await run.session()
            let subscription = try await run.subscribe(at: peer)
            let bodies = Task {
                var bodies: [String] = []
                for try await message in subscription {
                    bodies.append(try message.text)
                    try await message.ack()
                    if bodies.count == 3 { break }
                }
                return bodies
            }
            for (index, delay) in [1, 2].enumerated() {
                try await peer.deliver("\(index)", number: index)
                #expect(try await peer.receiveFrame() == "ACK\nid:\(index)\n\n\0")
                peer.hangUp()
                await run.pass(.seconds(delay))
                peer = try await run.session()
                if index == 1 {
                    // While it subscribes again.
                    _ = try await peer.receiveFrame()
                    peer.hangUp()
                    await run.pass(.seconds(4))
                    peer = try await run.session()
                }
                #expect(try await peer.confirmFrame().hasPrefix("SUBSCRIBE\nid:1\n"))
                await run.untilConnected()
            }
            try await peer.deliver("2", number: 2)
            #expect(try await bodies.value == ["0", "1", "2"])
        }
    }

    enum Leaving: CaseIterable {
        case unsubscribing, dropping
    }

    @Test("B-1 What was ended while there was no connection is not subscribed to again", arguments: Leaving.allCases)
    func endedBetween(way: Leaving) async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            var gone: STOMPSubscription? = try await run.subscribe(at: first)
            let kept = try await run.subscribe(at: first)
            first.hangUp()
            await eventually { run.state == "waiting 1.0 connectionLost" }
            if way == .unsubscribing { try await gone?.unsubscribe() }
            gone = nil
            await run.pass(.seconds(1))
            let second = try await run.session()
            #expect(try await second.confirmFrame().header("id") == "2")
            await run.untilConnected()
            #expect(await run.events(until: "resumed 1").last == "resumed 1")
            try await run.client.send("x", to: "/queue/q")
            #expect(try await second.receiveFrame().hasPrefix("SEND"))
            withExtendedLifetime(kept) {}
        }
    }

    @Test(
        "B-1 What is ended while it is subscribed to again is left by the new connection",
        arguments: Leaving.allCases
    )
    func endedDuring(way: Leaving) async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            var gone: STOMPSubscription? = try await run.subscribe(at: first)
            let second = try await run.next(after: first)
            let frame = try await second.receiveFrame()
            let leaving = way == .unsubscribing ? Task { [gone] in try await gone?.unsubscribe() } : nil
            gone = nil
            #expect(try await second.confirmFrame().hasPrefix("UNSUBSCRIBE\nid:1\n"))
            try await leaving?.value
            try await second.confirm(try #require(frame.header("receipt")))
            await run.untilConnected()
        }
    }

    @Test("B-1 One whose unsubscribe() is cut short by the loss has ended all the same", arguments: 0..<20)
    func endedByLoss(round: Int) async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session(0, "version:1.2\nserver:RabbitMQ/3.10.8\n")
            let subscription = try await run.subscribe(at: first)
            let leaving = Task { try await subscription.unsubscribe() }
            #expect(try await first.receiveFrame().hasPrefix("BEGIN"))
            first.hangUp()
            _ = await leaving.result
            await run.pass(.seconds(1))
            let second = try await run.session()
            await run.untilConnected()
            #expect(second.hasReceivedNothing)
            withExtendedLifetime(subscription) {}
        }
    }

    @Test("B-1 Ids that are made by a later connection are not those of subscriptions that went on")
    func freshIDs() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let old = [try await run.subscribe(at: first), try await run.subscribe("3", at: first)]
            let second = try await run.next(after: first)
            for _ in old { try await second.confirmFrame() }
            let new = [try await run.subscribe(at: second), try await run.subscribe(at: second)]
            #expect(Set((old + new).map(\.id)).count == 4)
        }
    }

    @Test("A subscription that the broker refuses by name this time ends; the others go on")
    func rejectedByName() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let bad = try await run.subscribe(at: first)
            let good = try await run.subscribe(at: first)
            let second = try await run.next(after: first)
            let receipt = try #require(try await second.receiveFrame().header("receipt"))
            try await second.refuse("receipt-id:\(receipt)\n")
            try await second.confirmFrame()
            await run.untilConnected()
            #expect(await failure { for try await _ in bad {} }?.code == .rejected)
            try await second.deliver("a", to: good.id)
            #expect(try await good.take(1)[0].text == "a")
            #expect(await run.events(until: "resumed 1").suffix(2) == ["failed 1 rejected", "resumed 1"])
            try await run.client.send("x", to: "/queue/q")
            #expect(try await second.receiveFrame().hasPrefix("SEND"))
        }
    }

    @Test("One that the broker does not confirm in time is tried again by another connection")
    func unconfirmed() async throws {
        try await EpochRun.with { (run) async throws in
            let first = try await run.session()
            let subscription = try await run.subscribe(at: first)
            let second = try await run.next(after: first)
            _ = try await second.receiveFrame()
            await run.pass(.seconds(30))
            // An ERROR that says why might still come.
            await run.pass(.seconds(1))
            try await second.expectHangUp()
            await run.pass(.seconds(1))
            let third = try await run.session()
            try await third.confirmFrame()
            try await third.deliver("a")
            #expect(try await subscription.take(1)[0].text == "a")
        }
    }
}
