// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTesting

/// Sends several numbers at once, each until it is confirmed: the broker gets them in the order of the calls.
struct BurstProducer {
    static let queue: STOMPDestination = "/queue/bursts"

    let world: World
    let source: ClientSource
    var random: SplitMix64

    mutating func run() async {
        guard self.world.hasReceipts else { return }
        for burst in 1...self.world.options.burstCount {
            await self.world.pause(self.random.milliseconds(in: 1...20_000))
            await self.send(burst, self.random.number(in: 2...5))
        }
    }

    private mutating func send(_ burst: Int, _ count: Int) async {
        let (world, client) = (self.world, self.source.client)
        let cancelled = self.random.hits(30) ? self.random.number(in: 1...count) : 0
        let cancelAfter = Duration.milliseconds(self.random.magnitude(below: 8_000))
        await withDiscardingTaskGroup { group in
            for number in 1...count {
                group.addTask {
                    await Self.send(
                        "burst-\(burst)-\(number)",
                        by: client,
                        world.journal,
                        cancelAfter: number == cancelled ? cancelAfter : nil
                    )
                }
            }
        }
    }

    private static func send(_ key: String, by client: STOMPClient, _ journal: Journal, cancelAfter: Duration?) async {
        journal.mayComeTwice(key)
        let terms = Journal.Terms(
            limit: Journal.Terms.repeatedLimit,
            errors: STOMPError.Code.notSent.union(STOMPError.Code.unknown),
            cancelAfter: cancelAfter
        )
        let result = await journal.call("send \(key) until confirmed", terms) { () throws(STOMPError) in
            try await client.send(key, to: Self.queue, receipt: .required(onLoss: .resend))
        }
        switch result {
        case .success:
            journal.sent(key, .confirmed)
        case .failure(let error):
            let isUnknown = STOMPError.Code.unknown.contains(error.code) || error.code == .cancelled
            journal.sent(key, isUnknown ? .unknown : .notSent)
        }
    }

    /// What was confirmed came to the broker in the order in which it was sent, for the first time.
    static func checkOrder(_ frames: [STOMPFrame], _ journal: Journal) {
        var seen: Set<String> = []
        var last = ""
        for frame in frames where frame.command == .send && frame.headers[.destination] == Self.queue.rawValue {
            let key = String(decoding: frame.body, as: UTF8.self)
            guard journal.fate(of: key) == .confirmed, seen.insert(key).inserted else { continue }
            // One digit each.
            if key < last { journal.violate("\(key) came to the broker after \(last)") }
            last = key
        }
    }
}
