// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import WorkBudgetPeer

/// Messages are taken in loops over subscriptions; of each, the length of the body and the id are looked at.
struct Receiving {
    var bodyByteCount: Int
    var moreHeaders = 0
    var subscriptionCount = 1
    /// Whether the text and a header are made into strings.
    var decodes = false
    var acknowledges = false
    /// Whether the next message comes only when the last one was taken.
    var isOneByOne = false

    private var cycleCount: Int {
        // A multiple of the subscriptions and of what the lengths of headers repeat after; at most some megabytes.
        if self.moreHeaders > 0 || self.subscriptionCount > 1 { return 61 * 64 }
        return max(16, min(4_096, 1024 * 1024 / self.bodyByteCount))
    }

    func run(_ count: Int) async throws {
        try WorkBudget.expect("rest of \(count) messages", count % self.subscriptionCount, 0)
        try await Session.with { connection, peer in
            var subscriptions: [STOMPSubscription] = []
            for _ in 0..<self.subscriptionCount {
                let mode: STOMPAckMode = self.acknowledges ? .clientIndividual : .auto
                subscriptions.append(try await connection.subscribe(to: "/queue/budget", ack: mode))
            }
            let cycle = MessageCycle(
                self.cycleCount,
                subscriptions: subscriptions.map(\.id),
                bodyByteCount: self.bodyByteCount,
                hasAck: self.acknowledges,
                moreHeaders: self.moreHeaders
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (place, subscription) in subscriptions.enumerated() {
                    group.addTask {
                        try await OneThreadExecutor.withoutPreference {
                            try await self.receive(subscription, place, count, cycle, peer)
                        }
                    }
                }
                if self.isOneByOne {
                    peer.playOne(cycle)
                } else {
                    group.addTask { await peer.play(cycle, count: count) }
                }
                try await group.waitForAll()
            }
            guard self.acknowledges else { return }
            // What was acknowledged before it has come when it is confirmed.
            try await connection.send([], to: "/queue/end", receipt: .required)
            try WorkBudget.expect("acks", peer.ackCount, count)
            let sum = (0..<count).reduce(0) { $0 + $1 % cycle.count }
            try WorkBudget.expect("sum of the acknowledged numbers", peer.ackSum, sum)
        }
    }

    private func receive(
        _ subscription: STOMPSubscription,
        _ place: Int,
        _ count: Int,
        _ cycle: MessageCycle,
        _ peer: Peer
    ) async throws {
        var number = place
        var byteCount = 0
        for try await message in subscription {
            let expected = UInt64(number % cycle.count)
            let isNext = message.withRawMessageID { id in
                id.map { budget_peer_is_number($0.baseAddress, $0.count, expected) } ?? false
            }
            guard isNext else { throw WorkBudget.Wrong(description: "message \(number) is \(message.messageID)") }
            byteCount += message.bodyByteCount
            if self.decodes {
                try WorkBudget.expect("text", try message.text.utf8.count, self.bodyByteCount)
                try WorkBudget.expect("destination", message.destination.rawValue.utf8.count, 13)
            }
            if self.acknowledges { try await message.ack() }
            number += self.subscriptionCount
            if number >= count { break }
            if self.isOneByOne { peer.playOne(cycle) }
        }
        try WorkBudget.expect("bytes", byteCount, count / self.subscriptionCount * self.bodyByteCount)
    }
}
