// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

/// A broker that is not installed: the reason of a skipped test, and of a failed one where brokers are required.
struct MissingBroker: Error, Equatable, CustomStringConvertible {
    let kind: BrokerKind

    var description: String {
        "\(self.kind.name) is not installed (Debian: apt-get install \(self.kind.package))"
    }
}

/// What becomes of the tests of a missing broker.
enum BrokerAvailability {
    /// Whether a missing broker fails its tests (as in CI, where a silent skip would hide that nothing was tested).
    static var isRequired: Bool {
        ProcessInfo.processInfo.environment["STOMP_REQUIRE_BROKERS"] == "1"
    }

    /// Whether tests of the broker shall run: not if it is missing, which is an error if it is required.
    static func admits(
        _ kind: BrokerKind,
        required: Bool = Self.isRequired,
        installed: (BrokerKind) -> Bool = RealBroker.isInstalled
    ) throws -> Bool {
        if installed(kind) {
            return true
        }
        guard required else { return false }
        throw MissingBroker(kind: kind)
    }

    /// The brokers to run over: a missing one is left out with a line that says so.
    ///
    /// If it is required it stays, so that its cases run and fail.
    static func available(
        required: Bool = Self.isRequired,
        installed: (BrokerKind) -> Bool = RealBroker.isInstalled,
        report: (String) -> Void
    ) -> [BrokerKind] {
        BrokerKind.allCases.filter { kind in
            if required || installed(kind) {
                return true
            }
            report("Skipping the test cases of a broker: \(MissingBroker(kind: kind)).\n")
            return false
        }
    }
}

extension BrokerKind {
    /// The brokers to run a parameterised test over: `@Test(arguments: BrokerKind.available)`.
    static let available = BrokerAvailability.available { line in
        FileHandle.standardError.write(Data(line.utf8))
    }
}
