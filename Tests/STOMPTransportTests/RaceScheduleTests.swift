// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite("Which address is tried when (RFC 8305)")
struct RaceScheduleTests {
    @Test(
        "IPv6 first, then by turns, each family in the resolver's order",
        arguments: [
            ("", ""), ("1.1.1.1", "1.1.1.1"), ("::1", "::1"),
            ("1.1.1.1 ::1", "::1 1.1.1.1"),
            ("1.1.1.2 1.1.1.1 1.1.1.3", "1.1.1.2 1.1.1.1 1.1.1.3"),
            ("::3 ::1 ::2", "::3 ::1 ::2"),
            ("1.1.1.1 1.1.1.2 1.1.1.3 ::1 ::2", "::1 1.1.1.1 ::2 1.1.1.2 1.1.1.3"),
            ("::1 ::2 ::3 1.1.1.1", "::1 1.1.1.1 ::2 ::3"),
            ("::2 1.1.1.1 ::1 1.1.1.2", "::2 1.1.1.1 ::1 1.1.1.2"),
            ("1.1.1.1 fe80::1%lo", "fe80::1%lo 1.1.1.1"),
        ]
    )
    func order(found: String, tried: String) throws {
        let addresses = try found.split(separator: " ").map { try address(String($0)) }
        #expect(SocketAddress.interleaved(addresses).map(\.host).joined(separator: " ") == tried)
    }

    private enum Step {
        case start, fail
        case delay(after: Int)
    }

    @Test(
        "the next one starts after the delay, or at once when one fails; a failure starts the delay anew",
        arguments: [
            (0, [Step.start], [nil]),
            (1, [.start, .fail], [0, nil]),
            (3, [.start, .delay(after: 0), .delay(after: 1), .delay(after: 2)], [0, 1, 2, nil]),
            (3, [.start, .fail, .fail, .fail], [0, 1, 2, nil]),
            // The delay of the one that failed comes late.
            (3, [.start, .fail, .delay(after: 0), .delay(after: 1)], [0, 1, nil, 2]),
            // An old one fails while a younger one is under way.
            (4, [.start, .delay(after: 0), .fail, .delay(after: 1), .delay(after: 2)], [0, 1, 2, nil, 3]),
        ] as [(Int, [Step], [Int?])]
    )
    private func schedule(count: Int, steps: [Step], started: [Int?]) {
        var schedule = RaceSchedule(count: count)
        let result = steps.map { step in
            switch step {
            case .start: schedule.start()
            case .fail: schedule.fail()
            case .delay(let attempt): schedule.delayIsOver(after: attempt)
            }
        }
        #expect(result == started)
        #expect(schedule.hasNext == (started.compactMap(\.self).count < count))
        let failureCount = steps.count { if case .fail = $0 { true } else { false } }
        #expect(schedule.isLost == (failureCount == count))
    }
}
