// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import Synchronization

/// A broker process of the tests' own: one per kind and process, started on first use, shared by all tests.
///
/// Tests share it, so each takes destinations of its own (``uniqueDestination(_:_:)``), and none may stop it. A test
/// that has to kill a broker starts one for itself with `BrokerProcess.start`.
struct RealBroker: Sendable {
    let kind: BrokerKind
    let host = "127.0.0.1"
    /// All its ports by name: `stomp`, and ActiveMQ's `default-heart-beat` and `small-limits`.
    let ports: [String: Int]
    let processID: Int32
    private let process: BrokerProcess

    /// The usual STOMP port.
    var port: Int { self.ports["stomp"] ?? 0 }

    /// The end of what the broker wrote.
    func log() -> String {
        self.process.log()
    }

    /// The broker of this test process; the first caller starts it, and all others wait for that start.
    ///
    /// A failed start is not tried again: every test that wants the broker fails with the same error, at once.
    static func shared(_ kind: BrokerKind) async throws -> RealBroker {
        let start = self.starts.withLock { starts in
            if let start = starts[kind] {
                return start
            }
            // A task of its own, because the start must survive the test that asked first.
            let start = Task {
                let process = try await BrokerProcess.start(kind)
                return RealBroker(
                    kind: kind,
                    ports: process.ports,
                    processID: process.processID,
                    process: process
                )
            }
            starts[kind] = start
            return start
        }
        return try await start.value
    }

    /// Whether the broker is found on the PATH or in Debian's places.
    static func isInstalled(_ kind: BrokerKind) -> Bool {
        kind.program != nil
    }

    private static let starts = Mutex<[BrokerKind: Task<RealBroker, any Error>]>([:])
}

private let destinationCount = Atomic(0)

/// A queue which no other test uses, with a name that all three brokers take for a queue.
///
/// RabbitMQ allows no further slash, ActiveMQ reads a dot as a level of a hierarchy, and stompserver knows a queue by
/// its prefix only.
func uniqueDestination(_ kind: BrokerKind, _ label: String) -> String {
    let plain = label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    let number = destinationCount.add(1, ordering: .relaxed).newValue
    return "/queue/\(kind.rawValue)-\(String(plain))-\(getpid())-\(number)"
}
