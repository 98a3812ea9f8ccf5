// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMP

@Suite("Addresses of servers", .timeLimit(.minutes(5)))
struct ServerAddressTests {
    @Test(
        "addresses that can be read",
        arguments: [
            ("stomp://localhost", "localhost:61613"), ("tcp://localhost:61614", "localhost:61614"),
            ("STOMP://Broker.Example:1/", "Broker.Example:1"), ("stomp://127.0.0.1:65535", "127.0.0.1:65535"),
            ("stomp://[::1]:61613", "[::1]:61613"), ("stomp://[fe80::1%en1]", "[fe80::1%en1]:61613"),
        ]
    )
    func endpoints(uri: String, endpoint: String) throws {
        let server = try STOMPServer(uri)
        #expect(server.endpoint.description == endpoint)
        #expect(server.login == nil)
        #expect(server.virtualHost == "/")
    }

    @Test(
        "users and passwords",
        arguments: [
            ("stomp://guest:guest@h", "guest", "guest"), ("stomp://me@h", "me", ""), ("stomp://me:@h", "me", ""),
            ("stomp://a%3Ab:c%40d%2Fe%25@h", "a:b", "c@d/e%"), ("stomp://a:b:c@h", "a", "b:c"),
            ("stomp://a:b@c@h", "a", "b@c"), ("stomp://%C3%BC:%e2%82%ac@h:1", "ü", "€"),
        ]
    )
    func logins(uri: String, login: String, passcode: String) throws {
        #expect(try STOMPServer(uri).login == STOMPLogin(login, passcode: passcode))
    }

    @Test(
        "addresses that cannot be read; the password is never in the error",
        arguments: [
            "", "localhost", "localhost:61613", "//u:hunter2@h", "http://u:hunter2@h", "stomp+tls://u:hunter2@h",
            "stomp://", "stomp://u:hunter2@", "stomp://u:hunter2@:61613", "stomp://u:hunter2@h:",
            "stomp://u:hunter2@h:0",
            "stomp://u:hunter2@h:65536", "stomp://u:hunter2@h:x", "stomp://u:hunter2@h:-1", "stomp://u:hunter2@h:+1",
            "stomp://u:hunter2@h:99999999999999999999", "stomp://u:hunter2@h/a/b", "stomp://u:hunter2@h?a=b",
            "stomp://u:hunter2@[::1", "stomp://u:hunter2@[::1]61613", "stomp://u:hunter2@[]:1",
            "stomp://u:hunter2%@h", "stomp://u:hunter2%4@h", "stomp://u:hunter2%zz@h", "stomp://u:hunter2%ff@h",
            "stomp://u:hunter2%+1@h",
            // A host was forgotten, or a special character not escaped.
            "stomp://u:hunter2", "stomp://u:hunter2/x@h", "stomp://u:/hunter2@h", "stomp://u:#hunter2@h",
            "u:hunter2://h", "u:hunter2@h://", "stomp://u:1:hunter2", "stomp://u@h:hunter2",
        ]
    )
    func unreadable(uri: String) {
        let error = #expect(throws: STOMPError.self) { try STOMPServer(uri) }
        #expect(error?.code == .invalidURI)
        #expect(error.map { "\($0)\($0.message)" }?.contains("hunter2") == false)
    }

    @Test("descriptions hide secrets")
    func secrets() throws {
        let server = try STOMPServer("stomp://me:hunter2@h")
        let login = try #require(server.login)
        var headers: STOMPHeaders = [.login: "me"]
        headers.append(.passcode, "hunter2")
        let frame = STOMPFrame(.connect, headers: headers)
        let error = STOMPError(.connectRefused, "no", frame: frame)
        var configuration = STOMPConfiguration()
        configuration.connectHeaders = headers
        let texts = [
            "\(server)", "\(login)", "\(headers)", "\(frame)", "\(error)", "\(configuration)",
            String(reflecting: server), String(reflecting: login), String(reflecting: headers),
            String(reflecting: frame), String(reflecting: error), String(reflecting: configuration),
        ]
        for text in texts { #expect(!text.contains("hunter2")) }
        #expect("\(login)" == "me:(hidden)")
    }
}
