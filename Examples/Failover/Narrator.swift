// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Tells what happens, a line at a time.
enum Narrator {
    static func say(_ line: String) {
        print(line)
        // At once, also into a pipe.
        fflush(nil)
    }

    /// Tells the client's events while `body` runs.
    static func following<Value: Sendable>(
        _ client: STOMPClient,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let events = client.events
        self.say("client: connected to \(client.session?.serverDescription ?? "a broker without a name")")
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(name: "failover.events") {
                for await event in events { self.tell(event) }
            }
            let value = try await body()
            group.cancelAll()
            return value
        }
    }

    private static func tell(_ event: STOMPEvent) {
        switch event {
        case .disconnected(let error):
            self.say("client: disconnected: \(error?.message ?? "as wished")")
        case .reconnecting(let delay, let reason):
            self.say("client: tries again after \(delay): \(reason.message)")
        case .connecting(let endpoint, let attempt):
            self.say("client: connects to \(endpoint), attempt \(attempt)")
        case .connected(let session):
            self.say("client: connected, STOMP \(session.version)")
        case .resumed(let count):
            self.say("client: goes on, subscriptions: \(count)")
        case .framesLost(let count):
            self.say("client: frames that were not written: \(count)")
        case .warning(let text):
            self.say("client: warning: \(text)")
        default:
            self.say("client: \(event)")
        }
    }
}
