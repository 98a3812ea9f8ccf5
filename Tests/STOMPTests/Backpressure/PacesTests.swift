// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

/// A fast consumer, a slow one and a dead one on one connection.
@Suite("Paces", .timeLimit(.minutes(5)))
struct PacesTests {
    /// What comes in one read: so many messages for each of the three, in turn.
    enum Load: CaseIterable, CustomTestStringConvertible {
        case singleMessages
        case fullReads

        var perRound: Int { self == .singleMessages ? 1 : 40 }

        /// A third of a chunk for each in a full read.
        var bodyByteCount: Int { self == .singleMessages ? 100 : ChunkPool.shared.chunkCapacity / 3 / 40 - 80 }

        /// What one read counts for each of them: its own messages, also of a chunk that they fill together.
        func counted(_ messageByteCount: Int) -> Int {
            messageByteCount * self.perRound + MessageBatch.overhead(of: self.perRound)
        }

        var testDescription: String { self == .singleMessages ? "a message a read" : "full reads" }
    }

    /// So many reads fit below the soft limit, and below the hard one.
    private static let (softRounds, hardRounds) = (4, 12)
    private static let ids = ["fast", "slow", "dead"]

    private static func message(_ number: Int, to id: String, _ load: Load) -> String {
        let digits = String(String(1_000_000 + number).dropFirst())
        return "MESSAGE\nsubscription:\(id)\nmessage-id:\(digits)\ndestination:/q\n\n"
            + String(repeating: "x", count: load.bodyByteCount) + "\0"
    }

    private static func round(_ round: Int, _ load: Load) -> String {
        (round * load.perRound..<(round + 1) * load.perRound)
            .flatMap { number in self.ids.map { self.message(number, to: $0, load) } }
            .joined()
    }

    private func buffered(_ subscription: STOMPSubscription) -> Int {
        subscription.handle.storage.delivery.withLock { $0.bufferedByteCount }
    }

    /// Takes all there is to the end, and says what the end was.
    private func take(_ subscription: STOMPSubscription, into numbers: Shared<[Int]>) async -> STOMPError.Code? {
        do throws(STOMPError) {
            for try await message in subscription {
                let number = Int(message.messageID) ?? -1
                numbers.withLock { $0.append(number) }
            }
            return nil
        } catch {
            return error.code
        }
    }

    @Test(
        "The fast one gets everything at once, the dead one ends at its hard limit, and no buffer passes its bound",
        arguments: Load.allCases
    )
    func threePaces(load: Load) async throws {
        try await ConnectedPair.with { pair in
            let unit = load.counted(Self.message(0, to: "fast", load).utf8.count)
            let hardLimit = Self.hardRounds * unit
            var subscriptions: [STOMPSubscription] = []
            for id in Self.ids {
                let subscription = try await pair.subscribe(id) { options in
                    options.softLimit = Self.softRounds * unit
                    options.hardLimit = hardLimit
                }
                subscriptions.append(subscription)
            }
            let (fast, slow, dead) = (subscriptions[0], subscriptions[1], subscriptions[2])
            let fastNumbers = Shared<[Int]>([])
            let taker = Task { await self.take(fast, into: fastNumbers) }
            var slowIterator = slow.makeAsyncIterator()
            var slowNumbers: [Int] = []

            let rounds = 2 * Self.hardRounds - 4
            for round in 0..<rounds {
                await eventually { fast.handle.storage.demand.isWaiting }
                // The clock stands still: a pause that were not ended by the fast one's wait would last for ever.
                try await pair.deliver(Self.round(round, load))
                await eventually { fastNumbers.withLock { $0.count } == (round + 1) * load.perRound }
                #expect(fastNumbers.withLock { $0.last } == (round + 1) * load.perRound - 1, "\(load), round \(round)")
                if round % 2 == 1 {
                    for _ in 0..<load.perRound {
                        let message = try await slowIterator.next()
                        slowNumbers.append(message.flatMap { Int($0.messageID) } ?? -1)
                    }
                }
                for subscription in subscriptions {
                    #expect(self.buffered(subscription) <= hardLimit, "\(load), round \(round), \(subscription.id)")
                }
                #expect(self.buffered(dead) == min(round + 1, Self.hardRounds) * unit, "\(load), round \(round)")
                guard round == Self.hardRounds else { continue }
                let failed = try await pair.event { event -> String? in
                    if case .subscriptionFailed(let id, let error) = event, error.code == .subscriptionOverflow {
                        id
                    } else {
                        nil
                    }
                }
                #expect(failed == "dead")
                #expect(try await pair.peer.receiveFrame() == "UNSUBSCRIBE\nid:dead\n\n\0")
            }

            // The slow one is behind, and has lost nothing.
            let all = Array(0..<rounds * load.perRound)
            #expect(slowNumbers == Array(all.prefix(slowNumbers.count)))
            while slowNumbers.count < all.count {
                slowNumbers.append(try await slowIterator.next().flatMap { Int($0.messageID) } ?? -1)
            }
            #expect(slowNumbers == all)
            #expect(fastNumbers.withLock { $0 } == all)
            // What the dead one was sent before its end is there, and then the reason.
            let deadNumbers = Shared<[Int]>([])
            #expect(await self.take(dead, into: deadNumbers) == .subscriptionOverflow)
            #expect(deadNumbers.withLock { $0 } == Array(all.prefix(Self.hardRounds * load.perRound)))
            #expect(self.buffered(dead) == 0)
            taker.cancel()
            #expect(await taker.value == nil)
        }
    }
}
