// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMP

@Suite("Servers on this machine", .timeLimit(.minutes(5)))
struct LocalhostTests {
    /// This machine is `here.example`, with the address 10.0.0.1.
    @Test(
        "prefer_localhost and try_loopback_connect of stomp.py",
        arguments: [
            // Neither: as it is.
            ("a:1 localhost:1 b:1", false, false, "a:1 localhost:1 b:1"),
            // Local ones first, otherwise in order.
            ("a:1 localhost:1 b:1 here.example:2", true, false, "localhost:1 here.example:2 a:1 b:1"),
            ("a:1 HERE.example:1", true, false, "HERE.example:1 a:1"),
            ("a:1 10.0.0.1:1", true, false, "10.0.0.1:1 a:1"),
            ("a:1 127.0.0.9:1", true, false, "127.0.0.9:1 a:1"), ("a:1 ::1:1", true, false, "[::1]:1 a:1"),
            ("a:1 b:1", true, true, "a:1 b:1"),
            // By the loopback interface first, unless that is in the list.
            ("a:1 here.example:2", false, true, "127.0.0.1:2 a:1 here.example:2"),
            ("a:1 here.example:2", true, true, "127.0.0.1:2 here.example:2 a:1"),
            ("here.example:2 localhost:2", false, true, "here.example:2 localhost:2"),
            ("here.example:2 127.0.0.1:2", false, true, "here.example:2 127.0.0.1:2"),
            ("here.example:2 localhost:3", false, true, "127.0.0.1:2 here.example:2 localhost:3"),
            ("here.example:2 10.0.0.1:2", false, true, "127.0.0.1:2 here.example:2 10.0.0.1:2"),
            ("here.example:2 10.0.0.1:3", false, true, "127.0.0.1:2 127.0.0.1:3 here.example:2 10.0.0.1:3"),
        ]
    )
    func settled(before: String, prefersLocalhost: Bool, triesLoopback: Bool, after: String) throws {
        var list = STOMPServerList(
            try before.split(separator: " ").map { text in
                let colon = try #require(text.lastIndex(of: ":"))
                let port = try #require(Int(text[text.index(after: colon)...]))
                return STOMPServer(.tcp(String(text[..<colon]), port: port))
            }
        )
        list.prefersLocalhost = prefersLocalhost
        list.triesLoopback = triesLoopback
        let settled = list.settled(localNames: ["here.example", "10.0.0.1"])
        #expect(settled.servers.map(\.endpoint.description).joined(separator: " ") == after)
        #expect(!settled.prefersLocalhost)
        #expect(!settled.triesLoopback)
    }

    @Test("the way by loopback keeps the server's login and its priority; other transports have none")
    func loopbackCopies() throws {
        var list = try STOMPServerList(
            "failover:(stomp://me:pw@here:1/v,ssl://here:2,unix:/run/b)?priorityBackup=true&randomize=false"
        )
        list.triesLoopback = true
        let settled = list.settled(localNames: ["here"])
        #expect(settled.description == "127.0.0.1:1, here:1, ssl://here:2, unix:/run/b")
        #expect(settled.servers[0].login == STOMPLogin("me", passcode: "pw"))
        #expect(settled.servers[0].virtualHost == "v")
        #expect(settled.servers.indices.filter(settled.isPriority) == [0, 1])
    }
}
