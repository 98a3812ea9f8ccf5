// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTesting

/// Hears what goes to a topic, or to a queue whose broker forgets what it has sent: perhaps not all of it, but nothing twice.
struct Listener {
    let destination: STOMPDestination
    let world: World
    let source: ClientSource
    var random: SplitMix64

    private var name: String { "listener of \(self.destination)" }

    mutating func run() async {
        while !self.source.isOver {
            if let subscription = await self.subscribe() { await self.listen(to: subscription) }
            await self.world.pause(self.random.milliseconds(in: 20...2_000))
        }
    }

    private mutating func subscribe() async -> STOMPSubscription? {
        let (client, destination) = (self.source.client, self.destination)
        let terms = Journal.Terms(
            limit: .seconds(90),
            errors: STOMPError.Code.notSent.union(STOMPError.Code.unknown)
        )
        let result = await self.world.journal.call("\(self.name) subscribes", terms) { () throws(STOMPError) in
            try await client.subscribe(to: destination, ack: .auto)
        }
        return try? result.get()
    }

    /// One loop; it is left, and with it the subscription, now and then.
    private mutating func listen(to subscription: STOMPSubscription) async {
        var highest = 0
        do throws(STOMPError) {
            for try await message in subscription {
                guard let text = try? message.text, let number = Int(text.split(separator: "-").last ?? "") else {
                    return self.world.journal.violate("\(self.name) hears what nobody has sent")
                }
                self.world.journal.heard(text, by: self.name)
                // The next one was sent when this one was confirmed; of others the order is the network's.
                if number < highest, self.world.journal.fate(of: text) == .confirmed {
                    self.world.journal.violate("\(self.name) hears \(text) after \(highest)")
                }
                highest = max(highest, number)
                if self.random.hits(10) { await self.world.pause(self.random.milliseconds(in: 1...3_000)) }
                if self.random.hits(5) { return }
            }
            self.world.journal.note("\(self.name): the subscription has ended")
        } catch {
            self.world.journal.note("\(self.name): the subscription has failed: \(error.code)")
            if error.code != .rejected { self.world.journal.violate("\(self.name)'s loop must not fail with \(error)") }
        }
    }
}

/// Sends numbers that nobody has to hear, one after the other.
struct NewsProducer {
    static let destinations: [STOMPDestination] = ["/topic/news", "/queue/heard-once"]

    let destination: STOMPDestination
    let world: World
    let source: ClientSource
    var random: SplitMix64

    mutating func run() async {
        for number in 1...self.world.options.newsCount {
            await self.world.pause(.milliseconds(self.random.magnitude(below: 8_000)))
            await self.send(number)
        }
    }

    /// Until one is heard.
    mutating func sendLast() async -> Bool {
        for number in 1_001...1_060 {
            let key = await self.send(number)
            await self.world.pause(.seconds(4))
            if self.world.journal.hasReceived(key) { return true }
        }
        return false
    }

    @discardableResult
    private mutating func send(_ number: Int) async -> String {
        let key = "\(self.destination)-\(number)"
        let wantsReceipt = self.random.hits(70) && self.world.hasReceipts
        let (client, destination) = (self.source.client, self.destination)
        var terms = Journal.Terms(limit: .seconds(90), errors: STOMPError.Code.notSent)
        if wantsReceipt { terms.errors.formUnion(STOMPError.Code.unknown) }
        self.world.journal.isFleeting(key)
        let result = await self.world.journal.call("send \(key)", terms) { () throws(STOMPError) in
            try await client.send(key, to: destination, receipt: wantsReceipt ? .required : .none)
        }
        switch result {
        case .success:
            self.world.journal.sent(key, wantsReceipt ? .confirmed : .unknown)
        case .failure(let error):
            let isUnknown = wantsReceipt && STOMPError.Code.unknown.contains(error.code)
            self.world.journal.sent(key, isUnknown ? .unknown : .notSent)
        }
        return key
    }
}
