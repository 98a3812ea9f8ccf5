// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A failed system call: which, and the system's number.
struct SystemError: Error {
    var call: StaticString
    var number: Int32

    /// The system's words for it.
    var reason: String { System.describe(self.number) }

    private var kind: TransportError.Kind {
        switch self.number {
        case System.connectionRefused: .refused
        case let number where System.unreachableNumbers.contains(number): .unreachable
        case let number where System.closedNumbers.contains(number): .closed
        default: .system
        }
    }

    /// `failure` is the start of a sentence: "Could not connect to [::1]:61613".
    func transportError(_ failure: String) -> TransportError {
        TransportError(kind: self.kind, errno: self.number, message: "\(failure): \(self.reason) (\(self.call)).")
    }
}
