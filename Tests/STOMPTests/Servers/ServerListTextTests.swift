// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("A list of servers from text", .timeLimit(.minutes(5)))
struct ServerListTextTests {
    @Test(
        "each spelling",
        arguments: [
            ("stomp://a:1", "a:1"),
            ("failover:(stomp://a:1)", "a:1"),
            ("failover:(stomp://a:1,tcp://b:2)", "a:1, b:2"),
            ("failover://(stomp://a:1,tcp://b:2)", "a:1, b:2"),
            ("FAILOVER:(stomp://a:1,tcp://b:2)", "a:1, b:2"),
            ("failover:stomp://a:1,tcp://b:2", "a:1, b:2"),
            ("failover://stomp://a:1,tcp://b:2", "a:1, b:2"),
            ("failover:(stomp://a:1,ssl://b:2,ws://c:3/x,unix:/d)", "a:1, ssl://b:2, ws://c:3/x, unix:/d"),
            ("failover:(stomp://[::1]:1,stomp://[fe80::1%25en1]:2)", "[::1]:1, [fe80::1%en1]:2"),
            ("failover:(stomp://a:1?keepAlive=true,virtualHost=v,stomp://b:2)", "a:1, b:2"),
            ("failover:stomp://a:1,stomp://b:2?randomize=false,timeout=3000", "a:1, b:2"),
            ("failover:(stomp://a:1,stomp://b:2)?randomize=false,timeout=3000", "a:1, b:2"),
            ("failover:(stomp://a:1,stomp://b:2)?randomize=false&timeout=3000", "a:1, b:2"),
        ]
    )
    func spellings(text: String, servers: String) throws {
        #expect(try STOMPServerList(text).description == servers)
    }

    @Test("an array, a literal, and one server by itself carry no options")
    func arrays() throws {
        let literal: STOMPServerList = [STOMPServer(.tcp("a")), STOMPServer(.tcp("b"))]
        #expect(literal.description == "a:61613, b:61613")
        for list in [literal, STOMPServerList(literal.servers), try STOMPServerList("stomp://a")] {
            #expect(!list.isRandomized)
            #expect(list.priorityEndpoints.isEmpty)
            #expect(list.reconnectPolicy == nil)
            #expect(list.connectionWaitTimeout == nil)
            #expect(!list.prefersLocalhost)
            #expect(!list.triesLoopback)
        }
    }

    @Test("a server carries its own login, virtual host and options; nested ones win")
    func perServer() throws {
        let list = try STOMPServerList(
            "failover:(stomp://a:x@one:1/v?header.n=1&keepAliveCount=2,ssl://two?header.n=2,stomp://b@three)"
                + "?nested.header.n=9&randomize=false&nested.keepAliveCount=7&nested.virtualHost=all"
        )
        #expect(list.servers.map(\.login) == [STOMPLogin("a", passcode: "x"), nil, STOMPLogin("b", passcode: "")])
        #expect(list.servers.map(\.virtualHost) == ["all", "all", "all"])
        #expect(list.servers.allSatisfy { $0.headers == ["n": "9"] && $0.socketOptions.keepAlive?.count == 7 })
        let own = try STOMPServerList("failover:(stomp://one/v?header.n=1,stomp://two?keepAlive=true&header.n=2)")
        #expect(own.servers.map(\.virtualHost) == ["v", "/"])
        #expect(own.servers.map(\.headers) == [["n": "1"], ["n": "2"]])
        #expect(own.servers.map(\.socketOptions.keepAlive) == [nil, .init()])
    }

    @Test("without parentheses the last options belong to the list or to the last server, by their names")
    func lastOptions() throws {
        let list = try STOMPServerList(
            "failover:stomp://a?keepAlive=true,stomp://b?header.n=1&randomize=false&nested.virtualHost=v"
        )
        #expect(!list.isRandomized)
        #expect(list.servers.map(\.socketOptions.keepAlive) == [.init(), nil])
        #expect(list.servers.map(\.headers) == [[:], ["n": "1"]])
        #expect(list.servers.map(\.virtualHost) == ["v", "v"])
    }

    @Test(
        "what cannot be read: why, and in which column",
        arguments: [
            ("failover:▸", "starts with its scheme"), ("failover:(▸)", "starts with its scheme"),
            ("failover:▸(stomp://a", "a \"(\" has no \")\""), ("failover:stomp://a▸)", "no counterpart"),
            ("failover:(▸(stomp://a)", "no counterpart"), ("failover:(stomp://a)▸)", "only \"?\" and options"),
            ("failover:(stomp://a,▸(stomp://b),stomp://c)", "no counterpart"),
            ("failover:stomp://a▸(b", "no counterpart"),
            ("failover:(stomp://u:hunter2▸(@a)", "no counterpart"),
            ("failover:(stomp://u:hunter2)▸@a)", "a \")\" within a password"),
            ("failover:(stomp://a)▸randomize=true", "only \"?\" and options"),
            ("failover:(▸localhost,stomp://b)", "starts with its scheme"),
            ("failover:(▸localhost:61613)", "the scheme is none of"),
            ("failover:(stomp://a,▸)", "starts with its scheme"), ("failover:(▸,stomp://a)", "starts with its scheme"),
            ("failover:(stomp://a,▸b:1)", "the scheme is none of"),
            ("failover:(stomp://u:1,▸hunter2@a)", "a \",\" within a password"),
            ("failover:(stomp://a,stomp://b:▸0)", "a port is"), ("failover:(stomp://a,stomp://b:▸65536)", "a port is"),
            ("failover:(stomp://a,▸ stomp://b)", "a space"), ("failover:(stomp://a)?randomize=▸ true", "a space"),
            ("failover:(▸failover:stomp://a)", "the scheme is none of"), ("fail▸ over:(stomp://a)", "a space"),
            ("▸static:(stomp://a)", "the scheme is none of"),
        ] as [(MarkedText, String)]
    )
    func unreadable(text: MarkedText, reason: String) {
        text.expectError(reason) { try STOMPServerList($0) }
    }

    @Test("passwords appear neither in descriptions nor in what a debugger prints of a list")
    func secrets() throws {
        let list = try STOMPServerList(
            "failover:(stomp://me:hunter2@a,ssl://me:hunter2@b)?timeout=1&priorityBackup=true"
        )
        for text in ["\(list)", String(reflecting: list), "\(list.servers)", String(reflecting: list.servers)] {
            #expect(!text.contains("hunter2"))
        }
    }
}
