// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import WorkBudgetPeer

/// One message with a large body; prints by how many bytes the most memory that the process has used has grown.
struct Large {
    /// Whether there is a `content-length`; without, the body's end is found as it comes.
    var isAnnounced: Bool

    func run(_ byteCount: Int) async throws {
        try await Session.with { connection, peer in
            let subscription = try await connection.subscribe(to: "/queue/budget", ack: .auto)
            var head = "MESSAGE\nsubscription:\(subscription.id)\ndestination:/queue/budget\nmessage-id:0\n"
            if self.isAnnounced { head += "content-length:\(byteCount)\n" }
            head += "\n"
            let before = budget_peer_peak_memory()
            async let playing: Void = peer.playLarge(head, byteCount: byteCount)
            var iterator = subscription.makeAsyncIterator()
            let message = try await iterator.next()
            await playing
            try WorkBudget.expect("bytes", message?.bodyByteCount, byteCount)
            let isWhole = message?.withBody { $0.allSatisfy { $0 == UInt8(ascii: "x") } }
            try WorkBudget.expect("the body is as it was sent", isWhole, true)
            print((budget_peer_peak_memory() - before) * 1_024)
        }
    }
}
