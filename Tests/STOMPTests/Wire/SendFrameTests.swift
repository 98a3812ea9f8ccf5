// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import TestSupport
import Testing

@testable import STOMP

@Suite("SEND", .timeLimit(.minutes(5)))
struct SendFrameTests {
    @Test("S12-SND-1 S12-TYP-1 SEND has the destination as it was given, the type and the length of its body")
    func text() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect(
                "SEND\ndestination:/queue//A b/../ü\ncontent-type:text/plain\ncontent-length:5\n\nhello\0"
            )
            try await peer.expect(
                "SEND\ndestination: x \ncontent-type:application/json\ncontent-length:2\n\n{}\0"
            )
            try await peer.expect("SEND\ndestination:q\ncontent-length:0\n\n\0")
        } client: { connection in
            try await connection.send("hello", to: "/queue//A b/../ü")
            try await connection.send("{}", to: " x ", contentType: .json)
            try await connection.send("", to: "q", contentType: nil)
        }
    }

    @Test("bytes go as they are, NULs and all", arguments: STOMPVersion.all)
    func bytes(version: STOMPVersion) async throws {
        let body: [UInt8] = [0, 10, 13, 0xff, 0]
        try await ScriptedSession(version: version).run { peer in
            try await peer.expect("SEND\ndestination:q\ncontent-type:application/octet-stream\ncontent-length:5\n\n")
            #expect(try await peer.receiveBytes(count: 6) == body + [0])
        } client: { connection in
            try await connection.send(body, to: "q")
        }
    }

    @Test("S12-TYP-6 S12-TYP-3 text travels as UTF-8 both ways, its length in octets; without a type it is a blob")
    func encoding() async throws {
        try await ScriptedSession().runSubscribed { peer in
            try await peer.expect("SEND\ndestination:q\ncontent-type:text/plain\ncontent-length:11\n\nGrüße €\0")
            try await peer.send(
                "MESSAGE\nsubscription:1\nmessage-id:1\nack:1\ndestination:q\ncontent-type:text/plain\n\nGrüße €\0"
                    + "MESSAGE\nsubscription:1\nmessage-id:2\nack:2\ndestination:q\ncontent-length:3\n\n"
            )
            try await peer.send([0xff, 0, 0xfe, 0])
        } client: { connection, subscription in
            try await connection.send("Grüße €", to: "q")
            let messages = try await subscription.take(2)
            #expect(try messages[0].text == "Grüße €")
            #expect(messages[1].contentType == nil)
            #expect(messages[1].body == [0xff, 0, 0xfe])
            let error = await failure { _ = try messages[1].text }
            #expect(error?.code == .invalidText)
        }
    }

    @Test(
        "S12-SND-3 user headers are escaped by the version and follow the client's own",
        arguments: [
            (STOMPVersion.v12, "path:C\\c\\\\new\nk\\cey:a\\rb\\nc\n"), (.v11, "path:C\\c\\\\new\nk\\cey:a\rb\\nc\n"),
        ]
    )
    func headers(version: STOMPVersion, expected: String) async throws {
        try await ScriptedSession(version: version).run { peer in
            try await peer.expect(
                "SEND\ndestination:q\ncontent-type:text/plain\n\(expected)x: 1 \ncontent-length:2\n\nhi\0"
            )
        } client: { connection in
            try await connection.send("hi", to: "q", headers: ["path": "C:\\new", "k:ey": "a\rb\nc", "x": " 1 "])
        }
    }

    @Test("in 1.0 nothing is escaped, and what it cannot say is an error")
    func headersOf10() async throws {
        try await ScriptedSession(version: .v10).run { peer in
            try await peer.expect("SEND\ndestination:a:b\\n\npath:C:\\new\ncontent-length:2\n\nhi\0")
        } client: { connection in
            for headers: STOMPHeaders in [["a": "b\nc"], ["a:b": "c"], ["a": "ü"], ["a": ""], ["": "a"], ["a": "\0"]] {
                let error = await failure { try await connection.send("no", to: "q", headers: headers) }
                #expect(error?.code == .invalidArgument)
            }
            try await connection.send("hi", to: "a:b\\n", contentType: nil, headers: ["path": "C:\\new"])
        }
    }

    @Test(
        "a header that is the client's own is refused with nothing on the wire",
        arguments: ["destination", "content-length", "content-type", "receipt", "transaction"]
    )
    func reserved(name: String) async throws {
        try await ScriptedSession().run { peer in
            try await peer.expectSend("after")
        } client: { connection in
            let headers: STOMPHeaders = ["x": "y", STOMPHeaders.Name(name): "1"]
            let plain = await failure { try await connection.send("no", to: "q", headers: headers) }
            let awaited = await failure {
                try await connection.send([1], to: "q", headers: headers, receipt: .required)
            }
            #expect(plain?.code == .invalidArgument)
            #expect(plain?.message.contains(name) == true)
            #expect(awaited?.code == .invalidArgument)
            try await connection.send("after", to: "/queue/q")
        }
    }

    @Test("what cannot be sent leaves no byte", arguments: STOMPVersion.all)
    func invalid(version: STOMPVersion) async throws {
        try await ScriptedSession(version: version).run { peer in
            try await peer.expectSend("after")
        } client: { connection in
            let errors = [
                await failure { try await connection.send("no", to: "") },
                await failure { try await connection.send("no", to: "a\0b") },
                await failure { try await connection.send("no", to: "q", headers: ["": "x"]) },
                await failure { try await connection.send("no", to: "q", headers: ["x": "\0"]) },
                await failure { try await connection.send("no", to: "q", contentType: "text") },
                await failure { try await connection.send("n\0", to: "q", contentLength: .omitted) },
                await failure { try await connection.send([0], to: "q", contentLength: .omitted, receipt: .required) },
            ]
            #expect(errors.allSatisfy { $0?.code == .invalidArgument })
            try await connection.send("after", to: "/queue/q")
        }
    }

    @Test("S12-LEN-9 content-length can be left out, for one SEND or for all")
    func withoutLength() async throws {
        try await ScriptedSession().run { peer in
            try await peer.expect("SEND\ndestination:q\ncontent-type:text/plain\n\none\0")
        } client: { connection in
            try await connection.send("one", to: "q", contentLength: .omitted)
        }
        var session = ScriptedSession()
        session.configuration.contentLength = .omitted
        try await session.run { peer in
            try await peer.expect("SEND\ndestination:q\ncontent-type:application/octet-stream\n\n1\0")
            try await peer.expect("SEND\ndestination:q\ncontent-length:1\n\n\0\0")
        } client: { connection in
            try await connection.send([49], to: "q")
            try await connection.send([0], to: "q", contentType: nil, contentLength: .included)
        }
    }

    @Test("the client's send writes the same bytes")
    func client() async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nversion:1.2\n\n\0")
            try await peer.expectSend("text")
            try await peer.expect("SEND\ndestination:q\nx:\\c\ncontent-length:2\n\nab\0")
            try await peer.expectSend("third", receipt: 1)
            try await peer.confirm(1)
            try await peer.endSession()
        } client: { peer in
            try await withSTOMPClient(STOMPServer(peer.endpoint), configuration: .patient) { client in
                try await client.send("text", to: "/queue/q")
                try await client.send([97, 98], to: "q", contentType: nil, headers: ["x": ":"])
                try await client.send("third", to: "/queue/q", receipt: .required)
            }
        }
    }
}
