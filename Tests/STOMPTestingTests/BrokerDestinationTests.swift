// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTesting

@Suite struct BrokerDestinationTests {
    @Test func `names of queues and topics`() {
        #expect(BrokerDestination("/queue/a") == .queue(OctetString("a")))
        #expect(BrokerDestination("a") == .queue(OctetString("a")))
        #expect(BrokerDestination("/other/a") == .queue(OctetString("/other/a")))
        #expect(BrokerDestination("/topic/a.b") == .topic(OctetString("a.b")))
        #expect(BrokerDestination("/queue/a/b") == .queue(OctetString("a/b")))
        #expect(BrokerDestination("/queue/") == nil)
        #expect(BrokerDestination("/topic/") == nil)
        #expect(BrokerDestination("") == nil)
    }

    @Test func `names are octets`() {
        #expect(BrokerDestination("e\u{301}") != BrokerDestination("\u{e9}"))
    }

    @Test(arguments: [
        ("a.b", "a.b", true), ("a.b", "a.c", false), ("a", "a.b", false), ("a.b", "a", false),
        ("*", "a", true), ("*", "a.b", false), ("a.*", "a.b", true), ("a.*", "a", false), ("*.b", "a.b", true),
        ("#", "a", true), ("#", "a.b.c", true), ("a.#", "a", true), ("a.#", "a.b.c", true), ("a.#", "b.a", false),
        ("#.c", "a.b.c", true), ("#.c", "c", true), ("#.c", "c.d", false), ("a.#.d", "a.d", true),
        ("a.#.d", "a.b.c.d", true), ("a.#.d", "a.b.c", false), ("#.b.#", "a.b.c", true), ("#.b.#", "a.c", false),
        ("*.#.x", "a.x", true), ("*.#.x", "x", false), ("#.a.#.a", "a.b.a.b.a", true), ("a..b", "a..b", true),
        ("a.*.b", "a..b", true), ("ab*", "abc", false),
    ])
    func `wildcards match words`(pattern: String, name: String, matches: Bool) {
        #expect(TopicPattern(OctetString(pattern)).matches(OctetString(name)) == matches)
    }
}
