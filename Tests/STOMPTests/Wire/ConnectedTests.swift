// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import TestSupport
import Testing

@testable import STOMP

@Suite("What follows CONNECT", .timeLimit(.minutes(5)))
struct ConnectedTests {
    /// The error of a client whose CONNECT is answered with these bytes; then the peer hangs up.
    private func refusal(
        _ answer: String,
        change: (inout STOMPConfiguration) -> Void = { _ in }
    ) async throws -> STOMPError? {
        var configuration = STOMPConfiguration()
        configuration.clock = ManualClock()
        change(&configuration)
        return try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send(answer)
            peer.hangUp()
        } client: { [configuration] peer in
            await failure {
                let server = STOMPServer(peer.endpoint, login: STOMPLogin("me", passcode: "secret-word"))
                try await STOMPConnection.withConnection(to: server, configuration: configuration) { _ in
                    _ = Issue.record("There is no connection.")
                }
            }
        }
    }

    @Test("a session has what CONNECTED says")
    func session() async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send(
                "\nCONNECTED\r\nversion:1.2\r\nsession:ID:host-1:2\r\nserver:RabbitMQ/3.10.8\r\nheart-beat:0,0\r\n\r\n\0\n"
            )
            try await peer.endSession()
        } client: { peer in
            try await STOMPConnection.withConnection(to: peer.endpoint, configuration: .patient) { connection in
                let session = connection.session
                #expect(session.version == .v12)
                #expect(session.sessionID == "ID:host-1:2")
                #expect(session.serverDescription == "RabbitMQ/3.10.8")
                #expect(session.outgoingHeartBeat == nil)
                #expect(session.incomingHeartBeat == nil)
                #expect(session.headers[.heartBeat] == "0,0")
                #expect(connection.dialect == .rabbitMQ)
            }
        }
    }

    @Test("CONNECTED without a version is 1.0, whose rules then hold")
    func withoutVersion() async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nsession:1\n\n\0")
            try await peer.expect("SEND\ndestination:/queue/a:b\\c\ncontent-length:1\n\nx\0")
            try await peer.endSession()
        } client: { peer in
            try await STOMPConnection.withConnection(to: peer.endpoint, configuration: .patient) { connection in
                #expect(connection.session.version == .v10)
                #expect(connection.dialect == .generic)
                try await connection.send("x", to: "/queue/a:b\\c", contentType: nil)
            }
        }
    }

    @Test("what comes in one read with CONNECTED is not lost")
    func together() async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("CONNECTED\nversion:1.2\n\n\0\nERROR\nmessage:shutting down\n\n\0")
        } client: { peer in
            let error = await failure {
                try await STOMPConnection.withConnection(to: peer.endpoint, configuration: .patient) { connection in
                    let subscription = try? await connection.subscribe(to: "/queue/q")
                    #expect(subscription == nil)
                }
            }
            #expect(error?.code == .serverError)
            #expect(error?.frame?.headers[.message] == "shutting down")
        }
    }

    @Test("a refused login says why, with the frame and without the passcode")
    func refused() async throws {
        let error = try await self.refusal(
            "ERROR\nmessage:Bad CONNECT\ncontent-length:14\n\nAccess refused\0"
        )
        #expect(error?.code == .connectRefused)
        #expect(error?.frame?.command == .error)
        #expect(error?.frame?.headers[.message] == "Bad CONNECT")
        #expect(error?.message.contains("Access refused") == true)
        #expect(error?.isRetriable == false)
        #expect(error.map { "\($0)" }?.contains("secret-word") == false)
    }

    @Test("a refused login is what withSTOMPClient throws")
    func refusedClient() async throws {
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await peer.send("ERROR\nmessage:no\n\n\0")
            peer.hangUp()
        } client: { peer in
            let error = await failure {
                try await withSTOMPClient(STOMPServer(peer.endpoint), configuration: .patient) { _ in
                    _ = Issue.record("There is no connection.")
                }
            }
            #expect(error?.code == .connectRefused)
        }
    }

    @Test("no common version")
    func noCommonVersion() async throws {
        let error = try await self.refusal("ERROR\nversion:1.0\nmessage:Version not supported\n\n\0") {
            $0.versions = [.v12]
        }
        #expect(error?.code == .unsupportedVersion)
    }

    @Test("a version that was not offered", arguments: ["version:1.0\n", "version:1.1\n", "version:2.0\n", ""])
    func notOffered(header: String) async throws {
        let error = try await self.refusal("CONNECTED\n\(header)\n\0") { $0.versions = [.v12] }
        #expect(error?.code == .unsupportedVersion)
        #expect(error?.frame?.command == .connected)
    }

    @Test(
        "a first frame other than CONNECTED and ERROR breaks the protocol",
        arguments: [
            "MESSAGE\nsubscription:1\nmessage-id:1\ndestination:/queue/q\n\nx\0", "RECEIPT\nreceipt-id:1\n\n\0",
            "HELLO\n\n\0", "HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n\0",
        ]
    )
    func otherFrame(frame: String) async throws {
        #expect(try await self.refusal(frame)?.code == .protocolViolation)
    }

    @Test("a connection that ends before CONNECTED", arguments: ["", "\n", "CONNECTED\nversion:1.2\n\n"])
    func endOfStream(beginning: String) async throws {
        let error = try await self.refusal(beginning)
        #expect(error?.code == .connectFailed)
        #expect(error?.isRetriable == true)
    }

    @Test("a peer that does not answer")
    func silence() async throws {
        let clock = ManualClock()
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(10))
            try await peer.expectHangUp()
        } client: { peer in
            var configuration = STOMPConfiguration()
            configuration.clock = clock
            let error = await failure { [configuration] in
                try await STOMPConnection.withConnection(to: peer.endpoint, configuration: configuration) { _ in }
            }
            #expect(error?.code == .connectTimedOut)
        }
    }

    @Test("nobody listens")
    func nobody() async throws {
        let error = try await withScriptedPeer { _ in
        } client: { peer in
            peer.stopListening()
            return await failure {
                try await STOMPConnection.withConnection(to: peer.endpoint, configuration: .patient) { _ in }
            }
        }
        #expect(error?.code == .connectFailed)
    }
}
