// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Who answers for a message", .timeLimit(.minutes(5)))
struct ResponsibilityTests {
    private struct Oops: Error {}

    @Test("B-12 The client acknowledges nothing by itself, neither a message that comes nor one that was looked at")
    func neverByItself() async throws {
        try await EpochRun.with { (run) async throws in
            let peer = try await run.session()
            let opening = Task { try await run.client.subscribe(to: "/queue/q") }
            #expect(try await peer.confirmFrame().header("ack") == "client-individual")
            let subscription = try await opening.value
            for number in 0..<3 { try await peer.deliver("\(number)", number: number) }
            _ = try await subscription.take(3)
            try await run.client.send("mark", to: "/queue/mark")
            #expect(try await peer.receiveFrame().frameBody == "mark")
        }
    }

    @Test("B-16 When a handler throws, what it had and what was buffered goes back at once, and comes again marked")
    func handlerThrows() async throws {
        try await withSTOMPBroker { broker in
            for number in 0..<3 { try await broker.publish("\(number)", to: "/queue/q") }
            try await withSTOMPClient(connectedTo: broker) { client in
                await #expect(throws: Oops.self) {
                    try await client.withSubscription(to: "/queue/q") { messages in
                        for try await message in messages {
                            if try message.text == "1" { throw Oops() }
                            try await message.ack()
                        }
                    }
                }
                // The connection is the same.
                let again = try await client.subscribe(to: "/queue/q")
                let messages = try await again.take(2)
                #expect(try messages.map { try $0.text } == ["1", "2"])
                #expect(messages[0].isRedelivered)
            }
            #expect(await broker.settled(in: "/queue/q") == [.acknowledged("0")])
        }
    }

    @Test("B-25 After a reconnect beats go on, by the clock of the new connection; none goes to the old one")
    func beats() async throws {
        try await EpochRun.with { configuration in
            configuration.heartBeat = STOMPHeartBeat(outgoing: .seconds(10), incoming: .zero)
        } _: { (run) async throws in
            let first = try await run.session(0, "version:1.2\nheart-beat:0,10000\n")
            await run.untilConnected()
            await run.pass(.seconds(5))
            #expect(try await first.receiveBytes(count: 1) == [10])
            run.clock.advance(by: .seconds(3))
            first.hangUp()
            await run.pass(.seconds(1))
            let second = try await run.session(0, "version:1.2\nheart-beat:0,10000\n")
            await run.untilConnected()
            for _ in 0..<3 {
                // Not 1 s after the reconnect, as the old timer would have it.
                await run.pass(.seconds(5))
                #expect(try await second.receiveBytes(count: 1) == [10])
            }
            await eventually { run.clock.sleeperCount == 1 }
            #expect(second.hasReceivedNothing)
        }
    }
}
