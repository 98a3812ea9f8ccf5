// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Messages are sent: without receipts in one loop, or with receipts by several tasks.
struct Sending {
    var bodyByteCount: Int
    /// How many wait for their receipts at once; 0: without receipts.
    var inFlight = 0

    /// A sender on a thread of its own leaves the peer one; here it has to let it.
    private static let runLength = 1_000

    func run(_ count: Int) async throws {
        let body = [UInt8](repeating: UInt8(ascii: "x"), count: self.bodyByteCount)
        try WorkBudget.expect("rest of \(count) messages", count % max(1, self.inFlight), 0)
        try await Session.with { connection, peer in
            if self.inFlight == 0 {
                try await OneThreadExecutor.withoutPreference { try await self.send(count, body, by: connection) }
            } else {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<self.inFlight {
                        group.addTask {
                            try await OneThreadExecutor.withoutPreference {
                                try await self.sendAndWait(count / self.inFlight, body, by: connection)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            try await connection.send([], to: "/queue/end", receipt: .required)
            try WorkBudget.expect("messages", peer.sendCount, count + 1)
            try WorkBudget.expect("bytes", peer.sentByteCount, count * self.bodyByteCount)
        }
    }

    private func send(_ count: Int, _ body: [UInt8], by connection: STOMPConnection) async throws {
        for number in 0..<count {
            try await connection.send(body, to: "/queue/budget")
            if number % Self.runLength == 0 { try await OneThreadExecutor.letOthersGoOn() }
        }
    }

    private func sendAndWait(_ count: Int, _ body: [UInt8], by connection: STOMPConnection) async throws {
        for _ in 0..<count { try await connection.send(body, to: "/queue/budget", receipt: .required) }
    }
}
