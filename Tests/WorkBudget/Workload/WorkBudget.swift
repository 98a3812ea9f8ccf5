// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import WorkBudgetPeer

/// `WorkBudget CASE COUNT` does a fixed amount of work, on one thread and always in the same order, so that what it costs
/// can be counted in instructions.
@main
enum WorkBudget {
    struct Wrong: Error, CustomStringConvertible {
        let description: String
    }

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.isEmpty { return print(Case.all.map(\.name).joined(separator: "\n")) }
        guard
            arguments.count == 2, let what = Case.all.first(where: { $0.name == arguments.first }),
            let count = arguments.last.flatMap({ Int($0) }), count > 0
        else { self.fail("usage: WorkBudget CASE COUNT") }
        let result = Outcome()
        OneThreadExecutor().run {
            do {
                try await what.work(count)
                result.failure = nil
            } catch {
                result.failure = "\(error)"
            }
        }
        if let failure = result.failure { self.fail(failure) }
    }

    /// `@unchecked Sendable`: everything runs on one thread.
    private final class Outcome: @unchecked Sendable {
        var failure: String? = "nothing is left to do, and the work is not done"
    }

    static func expect<Value: Equatable>(_ what: String, _ value: Value, _ expected: Value) throws {
        guard value == expected else { throw Wrong(description: "\(what): \(value), not \(expected)") }
    }

    private static func fail(_ message: String) -> Never {
        budget_fail(message)
    }
}
