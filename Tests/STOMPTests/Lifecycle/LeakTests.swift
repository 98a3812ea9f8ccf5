// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPCore
import STOMPTesting
import TestSupport
import Testing

@testable import STOMP

#if os(Linux)
@Suite("What a client leaves behind", .timeLimit(.minutes(5)))
struct LeakTests {
    private struct Remains {
        weak var connection: STOMPConnection?
        weak var outbox: Outbox?
        var isGone: Bool { self.connection == nil && self.outbox == nil }
    }

    private static func socketCount() -> Int {
        let folder = "/proc/self/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
            return target?.hasPrefix("socket:") == true
        }
    }

    private static func useClient(of broker: STOMPBroker, port: Int, round: Int) async throws -> Remains {
        try await withSTOMPClient("stomp://127.0.0.1:\(port)", configuration: .patient) { client in
            try await client.withSubscription(to: "/queue/a") { subscription in
                try await client.send("\(round)", to: "/queue/a", receipt: .required)
                for try await message in subscription {
                    try await message.ack()
                    break
                }
            }
            // One that is dropped, and one that is open to the end.
            _ = try await client.subscribe(to: "/topic/b")
            let open = try await client.subscribe(to: "/topic/c", ack: .auto)
            if round.isMultiple(of: 5) { await broker.disconnectAll() }
            _ = open
            return Remains(connection: client.current, outbox: client.current?.outbox)
        }
    }

    /// In a process of its own, where nobody else opens sockets.
    @Test("After each of 200 clients the sockets are as many as before, connection and outbox gone", .onOwnThread)
    func nothing() async {
        await #expect(processExitsWith: .success) {
            try await withSTOMPBroker(listening: .loopback()) { broker in
                let port = try #require(broker.port)
                let before = Self.socketCount()
                for round in 1...200 {
                    let remains = try? await Self.useClient(of: broker, port: port, round: round)
                    await eventually { Self.socketCount() == before && remains?.isGone != false }
                }
            }
        }
    }
}
#endif
