// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTesting
import TestSupport
import Testing

@testable import STOMP

@Suite("CONNECT", .timeLimit(.minutes(5)))
struct ConnectFrameTests {
    /// Runs a client that connects and disconnects; its first bytes must be these.
    private func expectConnect(
        _ bytes: String,
        version: String = "1.2",
        configuration: STOMPConfiguration = STOMPConfiguration(),
        change: @escaping @Sendable (inout STOMPServer) -> Void = { _ in }
    ) async throws {
        var configuration = configuration
        configuration.clock = ManualClock()
        try await withScriptedPeer { peer in
            try await peer.accept()
            try await peer.expect(bytes)
            try await peer.send("CONNECTED\nversion:\(version)\n\n\0")
            try await peer.endSession()
        } client: { [configuration] peer in
            var server = STOMPServer(peer.endpoint)
            change(&server)
            try await STOMPConnection.withConnection(to: server, configuration: configuration) { _ in }
        }
    }

    @Test("S12-CON-1 S12-CON-3 CONNECT comes first, with what is offered and the virtual host")
    func connect() async throws {
        try await self.expectConnect(
            "CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nheart-beat:10000,10000\n\n\0"
        )
    }

    @Test(
        "accept-version lists what is offered; a 1.0 client says nothing that 1.0 does not know",
        arguments: [
            ([STOMPVersion.v10], "CONNECT\nhost:/\n\n\0", "1.0"),
            ([.v11], "CONNECT\naccept-version:1.1\nhost:/\nheart-beat:10000,10000\n\n\0", "1.1"),
            ([.v12], "CONNECT\naccept-version:1.2\nhost:/\nheart-beat:10000,10000\n\n\0", "1.2"),
            ([.v10, .v11], "CONNECT\naccept-version:1.0,1.1\nhost:/\nheart-beat:10000,10000\n\n\0", "1.1"),
            ([.v11, .v12], "CONNECT\naccept-version:1.1,1.2\nhost:/\nheart-beat:10000,10000\n\n\0", "1.1"),
        ]
    )
    func versions(versions: [STOMPVersion], bytes: String, answer: String) async throws {
        var configuration = STOMPConfiguration()
        configuration.versions = Set(versions)
        try await self.expectConnect(bytes, version: answer, configuration: configuration)
    }

    @Test("the STOMP command, a virtual host, a login")
    func command() async throws {
        var configuration = STOMPConfiguration()
        configuration.connectCommand = .stomp
        try await self.expectConnect(
            "STOMP\naccept-version:1.0,1.1,1.2\nhost:broker.example\nlogin:me\npasscode:pw\n"
                + "heart-beat:10000,10000\n\n\0",
            configuration: configuration
        ) { server in
            server.virtualHost = "broker.example"
            server.login = STOMPLogin("me", passcode: "pw")
        }
    }

    @Test("colons and backslashes of a login go raw")
    func rawLogin() async throws {
        try await self.expectConnect(
            "CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nlogin:a:b\\c\npasscode:C:\\new\\\\:\n"
                + "heart-beat:10000,10000\n\n\0"
        ) { $0.login = STOMPLogin("a:b\\c", passcode: "C:\\new\\\\:") }
    }

    @Test("a login that CONNECT cannot carry is an error, not another frame", arguments: ["a\nb", "a\rb", "a\0b"])
    func unsayableLogin(passcode: String) async throws {
        let error = try await withScriptedPeer { peer in
            try await peer.accept()
            try await peer.expectHangUp()
        } client: { peer in
            let server = STOMPServer(peer.endpoint, login: STOMPLogin("me", passcode: passcode))
            return await failure {
                try await STOMPConnection.withConnection(to: server, configuration: .patient) { _ in }
            }
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains(passcode) == false)
    }

    @Test("S12-RPT-4 extra headers come after the client's own and never replace them; a receipt is left out")
    func extraHeaders() async throws {
        var configuration = STOMPConfiguration()
        configuration.connectHeaders = [
            .host: "evil", .receipt: "9", "client-id": "me", .acceptVersion: "9.9", .heartBeat: "1,1", .login: "evil",
            .passcode: "evil",
        ]
        try await self.expectConnect(
            "CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nlogin:me\npasscode:pw\nheart-beat:10000,10000\n"
                + "client-id:me\n\n\0",
            configuration: configuration
        ) { $0.login = STOMPLogin("me", passcode: "pw") }
    }

    @Test("a server's own headers come first and win over the configuration's")
    func headersOfTheServer() async throws {
        var configuration = STOMPConfiguration()
        configuration.connectHeaders = ["client-id": "everywhere", "x": "y"]
        try await self.expectConnect(
            "CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nheart-beat:10000,10000\nclient-id:here\nx:y\n\n\0",
            configuration: configuration
        ) { $0.headers = ["client-id": "here"] }
    }

    @Test("what the client does not do, an extra header does not promise")
    func extraPromises() async throws {
        var configuration = STOMPConfiguration()
        configuration.heartBeat = .none
        configuration.versions = [.v10]
        configuration.connectHeaders = [.heartBeat: "1000,1000", .acceptVersion: "1.2", "x": "y"]
        try await self.expectConnect("CONNECT\nhost:/\nx:y\n\n\0", version: "1.0", configuration: configuration)
    }

    @Test(
        "heart-beat is what is configured, in milliseconds",
        arguments: [
            (STOMPHeartBeat(outgoing: .seconds(5), incoming: .zero), "heart-beat:5000,0\n"),
            (STOMPHeartBeat(outgoing: .zero, incoming: .milliseconds(1)), "heart-beat:0,1\n"),
            (STOMPHeartBeat(outgoing: .microseconds(1), incoming: .zero), "heart-beat:1,0\n"),
            (STOMPHeartBeat.none, ""),
        ]
    )
    func heartBeat(heartBeat: STOMPHeartBeat, header: String) async throws {
        var configuration = STOMPConfiguration()
        configuration.heartBeat = heartBeat
        try await self.expectConnect(
            "CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\n\(header)\n\0",
            configuration: configuration
        )
    }

    @Test("S12-HB-15 nothing is written between CONNECT and CONNECTED, not even a beat")
    func silence() async throws {
        let clock = ManualClock()
        var configuration = STOMPConfiguration()
        configuration.clock = clock
        configuration.heartBeat = STOMPHeartBeat(outgoing: .seconds(1), incoming: .zero)
        try await withScriptedPeer { peer in
            try await peer.accept()
            _ = try await peer.receiveFrame()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(9))
            #expect(peer.hasReceivedNothing)
            try await peer.send("CONNECTED\nversion:1.2\nheart-beat:0,1000\n\n\0")
            try await peer.expectSend("first")
            try await peer.endSession()
        } client: { [configuration] peer in
            try await STOMPConnection.withConnection(to: peer.endpoint, configuration: configuration) { connection in
                #expect(connection.session.outgoingHeartBeat == .seconds(1))
                try await connection.send("first", to: "/queue/q")
            }
        }
    }
}
