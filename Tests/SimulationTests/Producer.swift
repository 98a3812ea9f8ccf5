// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTesting

/// Sends numbers, and remembers what is known of each.
struct Producer {
    static let queue: STOMPDestination = "/queue/numbers"

    let world: World
    let source: ClientSource
    var random: SplitMix64

    mutating func run() async {
        for number in 1...self.world.options.messageCount {
            await self.world.pause(.milliseconds(self.random.magnitude(below: 4_000)))
            let isConfirmed = await self.send("number-\(number)", .seconds(90))
            if !isConfirmed { await self.world.pause(self.random.milliseconds(in: 20...2_000)) }
        }
    }

    /// When nothing goes wrong any more, sending works again.
    mutating func sendLast() async -> Bool {
        for attempt in 1...60 {
            let key = "last-\(attempt)"
            let isSent = await self.send(key, .seconds(90), isDisturbed: false)
            if isSent, self.world.hasReceipts { return true }
            await self.world.pause(.seconds(1))
            // Where nothing is confirmed, its coming is what tells.
            if isSent, self.world.journal.hasReceived(key) { return true }
        }
        return false
    }

    private mutating func send(_ key: String, _ limit: Duration, isDisturbed: Bool = true) async -> Bool {
        let wantsReceipt = (self.random.hits(85) || !isDisturbed) && self.world.hasReceipts
        // At least once: it may come twice, and nothing marks it.
        let isRepeated = self.random.hits(40) && wantsReceipt
        let cancelAfter = Duration.milliseconds(self.random.magnitude(below: 8_000))
        let text = key + " " + String(repeating: "x", count: self.random.magnitude(below: 6_000))
        let client = self.source.client
        var terms = Journal.Terms(limit: limit, errors: STOMPError.Code.notSent)
        if wantsReceipt { terms.errors.formUnion(STOMPError.Code.unknown) }
        if isRepeated {
            terms.limit = Journal.Terms.repeatedLimit
            self.world.journal.mayComeTwice(key)
        }
        if self.random.hits(10), isDisturbed { terms.cancelAfter = cancelAfter }
        let receipt: STOMPReceipt =
            isRepeated ? .required(onLoss: .resend) : wantsReceipt ? .required : STOMPReceipt.none
        let manner = isRepeated ? " until confirmed" : wantsReceipt ? " with a receipt" : ""
        let result = await self.world.journal.call("send \(key)\(manner)", terms) { () throws(STOMPError) in
            try await client.send(text, to: Self.queue, receipt: receipt)
        }
        switch result {
        case .success:
            self.world.journal.sent(key, wantsReceipt ? .confirmed : .unknown)
            return true
        case .failure(let error):
            let isUnknown = wantsReceipt && (STOMPError.Code.unknown.contains(error.code) || error.code == .cancelled)
            self.world.journal.sent(key, isUnknown ? .unknown : .notSent)
            return false
        }
    }
}

/// Sends pairs in transactions: both arrive, or neither.
struct PairProducer {
    static let queue: STOMPDestination = "/queue/pairs"

    private struct Change: Error {}

    let world: World
    let source: ClientSource
    var random: SplitMix64

    mutating func run() async {
        for number in 1...self.world.options.pairCount {
            await self.world.pause(self.random.milliseconds(in: 1...15_000))
            let isConfirmed = await self.send("pair-\(number)")
            if !isConfirmed { await self.world.pause(self.random.milliseconds(in: 20...2_000)) }
        }
    }

    private mutating func send(_ key: String) async -> Bool {
        let gap = Duration.milliseconds(self.random.magnitude(below: 3_000))
        let changesItsMind = self.random.hits(15)
        let cancelAfter = Duration.milliseconds(self.random.magnitude(below: 8_000))
        let (world, client) = (self.world, self.source.client)
        // A connection, room for five frames, COMMIT, and ABORT.
        var terms = Journal.Terms(
            limit: .seconds(30 + 5 * 30 + 30 + 5) + gap,
            errors: STOMPError.Code.notSent.union([.transactionLost, .transactionInDoubt, .rejected])
        )
        if self.random.hits(10) {
            terms.cancelAfter = cancelAfter
            terms.farewell = .seconds(10)
        }
        let result = await world.journal.call("transaction \(key)", terms) { () throws(STOMPError) in
            do {
                try await client.withTransaction { transaction in
                    try await transaction.send("\(key)-a", to: Self.queue)
                    await world.pause(gap)
                    if changesItsMind { throw Change() }
                    try await transaction.send("\(key)-b", to: Self.queue)
                }
                return true
            } catch let error as STOMPError {
                throw error
            } catch {
                return false
            }
        }
        let fate: Journal.Fate =
            switch result {
            case .success(let isCommitted): !isCommitted ? .notSent : world.hasReceipts ? .confirmed : .unknown
            case .failure(let error):
                [.transactionInDoubt, .rejected].contains(error.code) ? .unknown : .notSent
            }
        for half in ["a", "b"] { world.journal.sent("\(key)-\(half)", fate) }
        return fate != .notSent
    }
}
