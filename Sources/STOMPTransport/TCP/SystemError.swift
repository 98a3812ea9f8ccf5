// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A failed system call: which, and the system's number.
struct SystemError: Error {
    var call: StaticString
    var number: Int32
    /// What was asked for, if that was an option: "localAddress 10.0.0.1".
    var option: String?

    /// The same, told as the failure of an option.
    func with(option: String) -> SystemError {
        var error = self
        error.option = option
        return error
    }

    /// What happened, in the system's words: "Connection refused (connect)".
    var reason: String {
        let cause = "\(System.describe(self.number)) (\(self.call))"
        return self.option.map { "\($0) is not possible: \(cause)" } ?? cause
    }

    private var kind: TransportError.Kind {
        switch self.number {
        case _ where self.option != nil: .option
        case System.connectionRefused: .refused
        case let number where System.unreachableNumbers.contains(number): .unreachable
        case let number where System.closedNumbers.contains(number): .closed
        default: .system
        }
    }

    /// `failure` is the start of a sentence: "Could not connect to [::1]:61613".
    func transportError(_ failure: String) -> TransportError {
        TransportError(kind: self.kind, errno: self.number, message: "\(failure): \(self.reason).")
    }
}
