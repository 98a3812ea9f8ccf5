// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@Suite("Broker availability")
struct BrokerAvailabilityTests {
    @Test("A missing broker is left out, and a line names it and its package")
    func leavesOut() throws {
        var lines: [String] = []
        let kinds = BrokerAvailability.available(
            required: false,
            installed: { $0 != .activeMQ },
            report: { lines.append($0) }
        )
        #expect(kinds == [.rabbitMQ, .stompserver])
        #expect(lines.count == 1)
        #expect(lines.first?.contains("ActiveMQ Classic") == true)
        #expect(lines.first?.contains("apt-get install activemq") == true)
        #expect(try !BrokerAvailability.admits(.activeMQ, required: false, installed: { _ in false }))
    }

    @Test("A missing broker that is required stays in, and is an error")
    func requires() {
        var lines: [String] = []
        let kinds = BrokerAvailability.available(
            required: true,
            installed: { _ in false },
            report: { lines.append($0) }
        )
        #expect(kinds == BrokerKind.allCases)
        #expect(lines.isEmpty)
        #expect(throws: MissingBroker(kind: .rabbitMQ)) {
            try BrokerAvailability.admits(.rabbitMQ, required: true, installed: { _ in false })
        }
    }
}
