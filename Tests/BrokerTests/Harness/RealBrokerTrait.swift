// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

// Conditions, because Swift Testing then reports the skipped suite with the reason; a condition that throws is a
// recorded issue, which is what a required broker's absence shall be.
extension Trait where Self == ConditionTrait {
    /// Runs the suite or test against one broker, if that is installed.
    static func realBroker(_ kind: BrokerKind) -> Self {
        .enabled("\(MissingBroker(kind: kind).description)") { try BrokerAvailability.admits(kind) }
    }

    /// Runs the suite or test, whose tests take their brokers from `BrokerKind.available`, if any is installed.
    static var realBrokers: Self {
        let reasons = BrokerKind.allCases.map { MissingBroker(kind: $0).description }
        return .enabled("\(reasons.joined(separator: "; "))") {
            // All are asked, so that a required broker is missed even when another one is there.
            try BrokerKind.allCases.map { try BrokerAvailability.admits($0) }.contains(true)
        }
    }
}
