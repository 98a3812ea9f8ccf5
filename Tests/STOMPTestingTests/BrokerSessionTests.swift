// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTesting

/// Connecting, versions, refusals and the end, byte for byte.
@Suite struct BrokerSessionTests {
    private func violation(_ details: String, receipt: String = "") -> String {
        let receiptLine = receipt.isEmpty ? "" : "receipt-id:\(receipt)\n"
        let body = "The peer broke the protocol: \(details)."
        return "ERROR\nmessage:Protocol violation\n\(receiptLine)content-type:text/plain\n"
            + "content-length:\(body.utf8.count)\n\n\(body)\0"
    }

    @Test func `CONNECT is answered by CONNECTED`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.connect()
            try await client.send("CONNECT\naccept-version:1.0,1.1,1.2\nhost:h\n\n\0")
            try await client.expect(
                "CONNECTED\nsession:session-1\nversion:1.2\nserver:swift-stomp-broker/1.0\nheart-beat:0,0\n\n\0"
            )
        }
    }

    @Test(
        arguments: [
            ("1.0,1.1,1.2", "1.2"), ("1.0,1.1", "1.1"), ("1.1,2.0", "1.1"), ("1.0", nil), (nil, nil),
        ] as [(String?, String?)]
    )
    func `the highest common version is taken`(accepted: String?, version: String?) async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.connect()
            let header = accepted.map { "accept-version:\($0)\n" } ?? ""
            try await client.send("CONNECT\n\(header)host:h\n\n\0")
            #expect(try await client.receive()["version"] == version)
        }
    }

    @Test func `no common version`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.connect()
            try await client.send("CONNECT\naccept-version:2.0\nhost:h\n\n\0")
            let error = try await client.receive()
            #expect(error.command == "ERROR")
            #expect(error["message"] == "Unsupported version")
            #expect(error["version"] == "1.0,1.1,1.2")
            try await client.expectHangUp()
        }
    }

    @Test func `a configured version is the only one`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.versions = [.v11]
        configuration.serverName = "other/2"
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.connect()
            try await client.send("STOMP\r\naccept-version:1.0,1.1,1.2\r\nhost:h\r\n\r\n\0")
            try await client.expect("CONNECTED\nsession:session-1\nversion:1.1\nserver:other/2\nheart-beat:0,0\n\n\0")
        }
    }

    @Test(arguments: ["login:l\npasscode:wrong\n", "login:other\npasscode:p\n", "login:l\n", ""])
    func `wrong or missing credentials`(headers: String) async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.logins = ["l": "p:a\\ss"]
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.connect()
            try await client.send("CONNECT\naccept-version:1.2\nhost:h\n\(headers)\n\0")
            let error = try await client.receive()
            #expect(error.command == "ERROR")
            #expect(error["message"] == "Bad CONNECT")
            try await client.expectHangUp()
            #expect(await broker.receivedFrames.allSatisfy { $0.headers[.passcode] == nil })
        }
    }

    @Test func `a passcode travels without escapes`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.logins = ["l": "p:a\\ss"]
        try await withSTOMPBroker(configuration) { broker in
            _ = try await broker.session(headers: "login:l\npasscode:p:a\\ss\n")
            #expect(await broker.connectionCount == 1)
            #expect(await broker.receivedFrames.first?.headers[.login] == "l")
            #expect(await broker.receivedFrames.first?.headers[.passcode] == nil)
        }
    }

    @Test func `virtual hosts`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.virtualHosts = ["h"]
        try await withSTOMPBroker(configuration) { broker in
            _ = try await broker.session()
            let client = try await broker.connect()
            try await client.send("CONNECT\naccept-version:1.2\nhost:other\n\n\0")
            try await client.expect(
                "ERROR\nmessage:Bad CONNECT\ncontent-type:text/plain\ncontent-length:35\n\n"
                    + "Virtual host 'other' access denied.\0"
            )
            try await client.expectHangUp()
        }
    }

    @Test func `all that a client may send at once`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.connect()
            try await client.send(
                "\nCONNECT\naccept-version:1.1\nhost:h\n\n\0\n\nSUBSCRIBE\nid:0\ndestination:q\nreceipt:1\n\n\0"
                    + "SEND\ndestination:q\nreceipt:2\n\nhello\0DISCONNECT\nreceipt:3\n\n\0"
            )
            #expect(try await client.receive().command == "CONNECTED")
            try await client.expect("RECEIPT\nreceipt-id:1\n\n\0RECEIPT\nreceipt-id:2\n\n\0MESSAGE\nsubscription:0\n")
            #expect(try await client.receiveFrame().hasSuffix("\n\nhello\0"))
            try await client.expect("RECEIPT\nreceipt-id:3\n\n\0")
            try await client.expectHangUp()
        }
    }

    @Test func `frames may come byte by byte`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.connect()
            for byte in "CONNECT\naccept-version:1.2\r\nhost:h\n\n\0\r\nSEND\ndestination:q\nreceipt:1\n\nabc\0".utf8 {
                try await client.send([byte])
            }
            #expect(try await client.receive().command == "CONNECTED")
            try await client.expect("RECEIPT\nreceipt-id:1\n\n\0")
            #expect(await broker.messages(in: "q").map(\.text) == ["abc"])
        }
    }

    @Test(arguments: [
        ("SEND\nreceipt:7\n\n\0", "SEND has no destination header", "7"),
        ("SUBSCRIBE\ndestination:q\n\n\0", "SUBSCRIBE has no id header", ""),
        ("ACK\nmessage-id:1\n\n\0", "ACK has no id header", ""),
        ("BEGIN\n\n\0", "BEGIN has no transaction header", ""),
        ("HELLO\nreceipt:7\n\n\0", "HELLO is not a client's frame in STOMP 1.2", "7"),
        ("send\ndestination:q\n\n\0", "send is not a client's frame in STOMP 1.2", ""),
        ("CONNECT\naccept-version:1.2\nhost:h\n\n\0", "CONNECT is not a client's frame in STOMP 1.2", ""),
        ("SEND\ndestination\n\n\0", "a header line has no colon", ""),
        ("SEND\ndestination:a\\t\n\n\0", "a header value contains an escape that is undefined in STOMP 1.2", ""),
        ("SEND\ndestination:q\ncontent-length:1\n\nab\0", "no NUL follows a body of content-length 1", ""),
        ("BEGIN\ntransaction:t\n\nbody\0", "a BEGIN frame must not have a body", ""),
    ])
    func `a bad frame ends the session`(frame: String, details: String, receipt: String) async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.send(frame)
            try await client.expect(self.violation(details, receipt: receipt))
            try await client.expectHangUp()
            try await broker.waitForDisconnection()
        }
    }

    @Test(arguments: [
        ("SUBSCRIBE\nid:0\ndestination:q\nreceipt:r\n\n\0", "Duplicate subscription id"),
        ("SUBSCRIBE\nid:1\ndestination:q\nack:sometimes\nreceipt:r\n\n\0", "Unknown ack mode"),
        ("SUBSCRIBE\nid:1\ndestination:q\nprefetch-count:x\nreceipt:r\n\n\0", "Bad prefetch"),
        ("UNSUBSCRIBE\nid:9\nreceipt:r\n\n\0", "Unknown subscription"),
        ("ACK\nid:a-9\nreceipt:r\n\n\0", "Unknown delivery"),
        ("NACK\nid:\nreceipt:r\n\n\0", "Unknown delivery"),
        ("ACK\nid:a-9\ntransaction:t\nreceipt:r\n\n\0", "Unknown transaction"),
        ("COMMIT\ntransaction:t\nreceipt:r\n\n\0", "Unknown transaction"),
        ("ABORT\ntransaction:t\nreceipt:r\n\n\0", "Unknown transaction"),
        ("SEND\ndestination:q\ntransaction:t\nreceipt:r\n\n\0", "Unknown transaction"),
        ("SEND\ndestination:/queue/\nreceipt:r\n\n\0", "Bad destination"),
    ])
    func `an impossible request ends the session and names the frame`(frame: String, message: String) async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.subscribe("q", id: "0")
            try await client.send(frame + "SEND\ndestination:late\n\n\0")
            let error = try await client.receive()
            #expect(error.command == "ERROR")
            #expect(error["message"] == message)
            #expect(error["receipt-id"] == "r")
            try await client.expectHangUp()
            try await broker.waitForDisconnection()
            #expect(await broker.messages(in: "late").isEmpty)
            #expect(await broker.subscriptionCount(for: "q") == 0)
        }
    }

    @Test func `a frame before CONNECT`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.connect()
            try await client.send("SEND\ndestination:q\n\n\0")
            try await client.expect(self.violation("SEND came before CONNECT"))
            try await client.expectHangUp()
        }
    }

    @Test func `a frame that is too large`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.limits.bodyLimit = 10
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.session()
            try await client.send("SEND\ndestination:q\ncontent-length:11\n\n")
            #expect(try await client.receive()["message"] == "Frame too large")
            try await client.expectHangUp()
        }
    }

    @Test func `DISCONNECT is confirmed and ends the connection`() async throws {
        try await withSTOMPBroker { broker in
            let client = try await broker.session()
            try await client.send("DISCONNECT\nreceipt:bye\n\n\0SEND\ndestination:q\n\nlate\0")
            try await client.expect("RECEIPT\nreceipt-id:bye\n\n\0")
            try await client.expectHangUp()
            #expect(await broker.connectionCount == 0)
            #expect(await broker.messages(in: "q").isEmpty)
        }
    }

    @Test func `a lenient broker takes raw colons`() async throws {
        var configuration = STOMPBroker.Configuration()
        configuration.leniency = .lenient
        try await withSTOMPBroker(configuration) { broker in
            let client = try await broker.session()
            try await client.request("SEND\ndestination:q\nx:a:b")
            #expect(await broker.messages(in: "q").first?.headers["x"] == "a:b")
        }
    }

    @Test func `a broker runs once`() async throws {
        try await withSTOMPBroker { broker in
            _ = try await broker.session()
            let error = await #expect(throws: STOMPError.self) { try await broker.run() }
            #expect(error?.code == .alreadyRunning)
        }
    }
}
