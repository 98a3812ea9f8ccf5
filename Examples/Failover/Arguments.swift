// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// What the program was asked to do.
struct Arguments {
    /// `nil`: a cluster inside this process.
    private(set) var servers: STOMPServerList?
    private(set) var count = 1_000
    private(set) var pause = Duration.zero

    init(_ words: [String]) throws {
        var rest = words[...]
        while let option = rest.popFirst() {
            guard ["--url", "--count", "--pause"].contains(option) else {
                throw Self.error("\(option) is unknown; the options are --url ADDRESS, --count N and --pause 5ms.")
            }
            guard let value = rest.popFirst() else { throw Self.error("\(option) needs a value.") }
            switch option {
            case "--url": self.servers = try STOMPServerList(value)
            case "--count": self.count = try Self.count(value)
            default: self.pause = try Self.duration(value)
            }
        }
    }

    private static func count(_ text: String) throws -> Int {
        guard let count = Int(text), (4...10_000_000).contains(count) else {
            throw Self.error("--count is a number from 4 to 10000000, not \(text).")
        }
        return count
    }

    private static func duration(_ text: String) throws -> Duration {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number <= 3_600_000 else {
            throw Self.error("--pause is a time such as 5ms or 1s, not \(text).")
        }
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        default: throw Self.error("--pause is a time such as 5ms or 1s, not \(text).")
        }
    }

    private static func error(_ message: String) -> STOMPError {
        STOMPError(.invalidArgument, message)
    }
}
