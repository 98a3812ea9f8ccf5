// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTesting

/// Receives and acknowledges, and subscribes again when its subscription has ended.
struct Consumer {
    let name: String
    let queue: STOMPDestination
    let world: World
    let source: ClientSource
    var random: SplitMix64

    mutating func run() async {
        while !self.source.isOver {
            if let subscription = await self.subscribe() { await self.use(subscription) }
            await self.world.pause(self.random.milliseconds(in: 20...2_000))
        }
    }

    private mutating func subscribe() async -> STOMPSubscription? {
        let (client, queue) = (self.source.client, self.queue)
        let mode: STOMPAckMode = self.world.isLegacy || self.random.hits(25) ? .client : .clientIndividual
        let cancelAfter = Duration.milliseconds(self.random.magnitude(below: 8_000))
        var options = STOMPSubscriptionOptions()
        options.messageCredit = 1 + self.random.magnitude(below: 20)
        var terms = Journal.Terms(
            limit: .seconds(90),
            errors: STOMPError.Code.notSent.union(STOMPError.Code.unknown)
        )
        if self.random.hits(8) { terms.cancelAfter = cancelAfter }
        let chosen = options
        let result = await self.world.journal.call("\(self.name) subscribes", terms) { () throws(STOMPError) in
            try await client.subscribe(to: queue, ack: mode, options: chosen)
        }
        return try? result.get()
    }

    private mutating func use(_ subscription: STOMPSubscription) async {
        while await self.consume(subscription) {
            // The loop was left; the next one goes on with the next message.
            guard self.random.hits(60) else { return await self.unsubscribe(subscription) }
        }
    }

    private mutating func unsubscribe(_ subscription: STOMPSubscription) async {
        // Dropping the last reference does as well.
        guard self.random.hits(70) else { return }
        let terms = Journal.Terms(
            limit: .seconds(5),
            errors: STOMPError.Code.unknown.union([.closed, .notConnected])
        )
        _ = await self.world.journal.call("\(self.name) unsubscribes", terms) { () throws(STOMPError) in
            try await subscription.unsubscribe()
        }
    }

    /// - Returns: whether the subscription goes on.
    private mutating func consume(_ subscription: STOMPSubscription) async -> Bool {
        do throws(STOMPError) {
            for try await message in subscription {
                await self.handle(message)
                if self.random.hits(4) { return true }
            }
            self.world.journal.note("\(self.name): the subscription has ended")
        } catch {
            self.world.journal.note("\(self.name): the subscription has failed: \(error.code)")
            let isAllowed = error.code == .rejected || (error.code == .connectionLost && !self.source.isReconnecting)
            if !isAllowed { self.world.journal.violate("\(self.name)'s loop must not fail with \(error)") }
        }
        return false
    }

    private mutating func handle(_ message: STOMPMessage) async {
        guard let text = try? message.text else { return self.world.journal.violate("a message is no text") }
        let key = String(text.prefix { $0 != " " })
        self.world.journal.received(key, isRedelivered: message.isRedelivered)
        if self.random.hits(10) { await self.world.pause(self.random.milliseconds(in: 1...3_000)) }
        let wantsReceipt = self.random.hits(10) && self.world.hasReceipts
        let isRefused = self.random.hits(4) && !self.world.isLegacy
        var terms = Journal.Terms(
            limit: .seconds(60),
            errors: [.staleAcknowledgement, .notAcknowledgeable, .outboxFull]
        )
        if wantsReceipt { terms.errors.formUnion(STOMPError.Code.unknown.union([.notConnected, .closed])) }
        _ = await self.world.journal.call("\(self.name) \(isRefused ? "nacks" : "acks") \(key)", terms) {
            () throws(STOMPError) in
            let receipt: STOMPReceipt = wantsReceipt ? .required : .none
            if isRefused { try await message.nack(receipt: receipt) } else { try await message.ack(receipt: receipt) }
        }
    }
}
