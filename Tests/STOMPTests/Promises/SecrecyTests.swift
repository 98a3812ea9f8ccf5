// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import TestSupport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Passwords appear in no error, description or event", .timeLimit(.minutes(5)))
struct SecrecyTests {
    private static let secret = "hush"
    private static let login = STOMPLogin("guest", passcode: Self.secret)

    /// All that can be seen of a value: as text, for debugging, and by looking inside.
    private func texts(of value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return ["\(value)", String(reflecting: value), dumped]
    }

    private func expectSecrecy(_ value: Any, sourceLocation: SourceLocation = #_sourceLocation) {
        for text in self.texts(of: value) {
            #expect(!text.contains(Self.secret), "It is shown.", sourceLocation: sourceLocation)
        }
    }

    @Test("Not in what describes a login, a server, a client or a connection")
    func descriptions() async throws {
        #expect("\(Self.login)".contains("guest"))
        self.expectSecrecy(Self.login)
        var server = STOMPServer(.tcp("localhost"), login: Self.login)
        server.virtualHost = "/v"
        self.expectSecrecy(server)
        self.expectSecrecy(try STOMPServer("stomp://guest:\(Self.secret)@localhost"))
        self.expectSecrecy(STOMPClient(server))
        self.expectSecrecy([server])
        self.expectSecrecy(["a": server.login])
    }

    @Test(
        "Not in the errors about an address",
        arguments: [
            "guest:hush@localhost", "http://guest:hush@localhost", "hush://localhost", "stomp://guest:hush@",
            "stomp://guest:hush@:1", "stomp://guest:hush@localhost:hush", "stomp://guest:hush%@localhost",
            "stomp://guest:hush@localhost:99999",
        ]
    )
    func addresses(uri: String) throws {
        let error = try #require(throws: STOMPError.self) { _ = try STOMPServer(uri) }
        #expect(error.code == .invalidURI)
        self.expectSecrecy(error)
        self.expectSecrecy(error.message)
    }

    private enum Answer: String, CaseIterable {
        case refusal = "ERROR\nmessage:Bad CONNECT\n\nAccess refused for user 'guest'\n\0"
        case nonsense = "HTTP/1.1 400 Bad Request\r\n\r\n\0"
        case endOfStream = ""
        case version = "CONNECTED\nversion:9.9\n\n\0"
        case violation = "CONNECTED\nversion:1.2\n\n\0CONNECTED\nversion:1.2\n\n\0"
        case fatal = "CONNECTED\nversion:1.2\n\n\0ERROR\nmessage:no\n\n\0"
        case session = "CONNECTED\nversion:1.2\n\n\0"
    }

    @Test("Not in the errors and events of connecting and of a connection's end", arguments: Answer.allCases)
    private func connecting(answer: Answer) async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            // There it must be.
            #expect(try await peer.receiveFrame().contains("passcode:\(Self.secret)\n"))
            try await peer.send(answer.rawValue)
            peer.hangUp()
        } client: { peer in
            let server = STOMPServer(peer.endpoint, login: Self.login)
            let client = STOMPClient(server, configuration: .patient(\.reconnect, .never))
            let events = client.events
            let running = Task { try await client.run() }
            let error = try #require(await failure { try await running.value })
            self.expectSecrecy(error)
            for await event in events { self.expectSecrecy(event) }
            let later = try #require(await failure { try await client.send("a", to: "/q") })
            self.expectSecrecy(later)
        }
    }

    @Test("Not in the error when nobody listens or nobody answers")
    func unreachable() async throws {
        let listener = try TCPListener.bind()
        let uri = "stomp://guest:\(Self.secret)@127.0.0.1:\(listener.port)"
        let clock = ManualClock()
        let silent = Task {
            try await withSTOMPClient(uri, configuration: .with(\.clock, clock)) { _ in }
        }
        try await clock.waitForSleepers(1)
        clock.advance(by: .seconds(10))
        let timeout = try #require(await failure { try await silent.value })
        #expect(timeout.code == .connectTimedOut)
        self.expectSecrecy(timeout)
        listener.close()
        let refused = try #require(await failure { try await withSTOMPClient(uri) { _ in } })
        #expect(refused.code == .connectFailed)
        self.expectSecrecy(refused)
    }
}
