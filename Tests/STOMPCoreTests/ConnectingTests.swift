// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("The client's half of a session: connecting")
struct ConnectingTests {
    private func offer(_ set: (inout ClientSession.Offer) -> Void = { _ in }) -> ClientSession.Offer {
        var offer = ClientSession.Offer()
        set(&offer)
        return offer
    }

    private func connect(_ offer: ClientSession.Offer) throws(STOMPError) -> [UInt8] {
        var session = ClientSession(offer: offer, leniency: .strict)
        return try serialize(session.connect())
    }

    /// What the session says to this first frame of the server.
    private func answer(
        _ frame: STOMPFrame,
        offer: ClientSession.Offer,
        leniency: STOMPLeniency = .strict
    ) throws(STOMPError) -> ClientSession.Event {
        var session = ClientSession(offer: offer, leniency: leniency)
        _ = session.connect()
        return try session.received(frame)
    }

    private func info(
        _ headers: STOMPHeaders,
        offer: ClientSession.Offer = ClientSession.Offer(),
        leniency: STOMPLeniency = .strict
    ) throws -> STOMPSessionInfo {
        let event = try self.answer(STOMPFrame(.connected, headers: headers), offer: offer, leniency: leniency)
        guard case .connected(let info) = event else {
            throw STOMPError(.protocolViolation, "not connected: \(event)")
        }
        return info
    }

    @Test("S12-CON-1 S12-CON-2 S12-CON-3 S12-NEG-1 CONNECT names the versions, increasing, and the host")
    func connectFrame() throws {
        let full = self.offer {
            $0.virtualHost = "stomp.example.org"
            $0.login = "guest"
            $0.passcode = "p:a\\ss"
            $0.heartBeat = HeartBeatHeader(outgoing: 4_000, incoming: 5_000)
        }
        #expect(
            try self.connect(full)
                == wire(
                    "CONNECT\naccept-version:1.0,1.1,1.2\nhost:stomp.example.org\nlogin:guest\npasscode:p:a\\ss\n"
                        + "heart-beat:4000,5000\n\n\0"
                )
        )
    }

    @Test("S12-CON-5 S12-CON-6 login, passcode and heart-beat are written only if there are any")
    func optionalHeaders() throws {
        #expect(
            try self.connect(self.offer { $0.virtualHost = "/" })
                == wire("CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\n\n\0")
        )
        let some = self.offer {
            $0.versions = [.v12, .v11]
            $0.login = "me"
        }
        #expect(try self.connect(some) == wire("CONNECT\naccept-version:1.1,1.2\nlogin:me\n\n\0"))
    }

    @Test("S12-NEG-2 a client of 1.0 only sends neither accept-version nor heart-beat")
    func connectIn10() throws {
        let old = self.offer {
            $0.versions = [.v10]
            $0.login = "me"
            $0.heartBeat = HeartBeatHeader(outgoing: 1_000, incoming: 1_000)
        }
        #expect(try self.connect(old) == wire("CONNECT\nlogin:me\n\n\0"))
        #expect(STOMPVersion.negotiated(accepted: nil, supported: Set(STOMPVersion.all)) == .v10)
    }

    @Test("S12-CON-7 CONNECT is the default, STOMP can be chosen")
    func command() throws {
        #expect(self.offer().command == .connect)
        let stomp = self.offer {
            $0.command = .stomp
            $0.versions = [.v12]
            $0.virtualHost = "h"
        }
        #expect(try self.connect(stomp) == wire("STOMP\naccept-version:1.2\nhost:h\n\n\0"))
    }

    @Test(
        "S12-CON-9 S12-RPT-4 CONNECT carries no receipt, and the user's headers do not replace the session's (trap 15)"
    )
    func extraHeaders() throws {
        let extra = self.offer {
            $0.versions = [.v12]
            $0.virtualHost = "h"
            $0.headers = [.receipt: "1", .host: "evil", .acceptVersion: "1.0", "client-id": "me"]
        }
        #expect(try self.connect(extra) == wire("CONNECT\naccept-version:1.2\nhost:h\nclient-id:me\n\n\0"))
    }

    @Test("S12-NEG-3 the version of CONNECTED holds", arguments: STOMPVersion.all)
    func versionOfConnected(version: STOMPVersion) throws {
        #expect(try self.info([.version: version.description]).version == version)
    }

    @Test("S12-NEG-4 CONNECTED without version is 1.0, which must have been offered (trap 10)")
    func missingVersion() throws {
        #expect(try self.info([:]).version == .v10)
        #expect(try self.info([:], offer: self.offer { $0.versions = [.v10] }).version == .v10)
        let newer = self.offer { $0.versions = [.v11, .v12] }
        #expect(
            failure { () throws(STOMPError) in
                try self.answer(STOMPFrame(.connected), offer: newer)
            } == .unsupportedVersion
        )
    }

    @Test(
        "S12-NEG-5 a version that was not offered is an error",
        arguments: ["1.1", "1.3", "2.0", "", "1.2 ", "1", "1.2.0"]
    )
    func versionNotOffered(text: String) {
        let offer = self.offer { $0.versions = [.v10, .v12] }
        let frame = STOMPFrame(.connected, headers: [.version: text])
        #expect(failure { () throws(STOMPError) in try self.answer(frame, offer: offer) } == .unsupportedVersion)
    }

    @Test("S12-NEG-8 the first frame must be CONNECTED or ERROR")
    func firstFrame() {
        for command in [STOMPCommand.receipt, .message, .send, "WHATEVER"] {
            #expect(
                failure { () throws(STOMPError) in
                    try self.answer(STOMPFrame(command), offer: self.offer(), leniency: .lenient)
                } == .protocolViolation
            )
        }
        var session = ClientSession(offer: self.offer(), leniency: .lenient)
        _ = session.connect()
        let message = STOMPFrame(.message)
        #expect(failure { () throws(STOMPError) in _ = try session.received(message) } == .protocolViolation)
    }

    @Test("S12-NEG-7 S12-CON-4 an ERROR in answer to CONNECT is a refusal with its reason")
    func refusal() throws {
        for (frame, reason) in [
            (
                STOMPFrame(.error, headers: [.message: "Bad CONNECT"], body: wire("Access refused\n")),
                "Bad CONNECT (Access refused)"
            ),
            (STOMPFrame(.error, headers: [.message: "Bad CONNECT"]), "Bad CONNECT"),
            (STOMPFrame(.error), "(no reason given)"),
        ] {
            guard case .refused(let error) = try self.answer(frame, offer: self.offer()) else {
                Issue.record("a refusal was expected")
                return
            }
            #expect(error.code == .connectRefused)
            #expect(error.frame == frame)
            #expect(error.message.hasSuffix(reason))
        }
    }

    @Test("S12-NEG-6 an ERROR that lists versions without a common one says so")
    func noCommonVersion() throws {
        let frame = STOMPFrame(.error, headers: [.version: "1.0,1.1", .message: "Version mismatch"])
        for (version, code) in [(STOMPVersion.v12, STOMPError.Code.unsupportedVersion), (.v11, .connectRefused)] {
            let offer = self.offer { $0.versions = [version] }
            guard case .refused(let error) = try self.answer(frame, offer: offer) else {
                Issue.record("a refusal was expected")
                return
            }
            #expect(error.code == code)
        }
    }

    @Test("S12-CTD-1 session, server and heart-beat may be missing")
    func optionalHeadersOfConnected() throws {
        let bare = try self.info([.version: "1.2"])
        #expect(bare.sessionID == nil && bare.serverDescription == nil)
        #expect(bare.outgoingHeartBeat == nil && bare.incomingHeartBeat == nil)
        let old = try self.info([.session: "wow"])
        #expect(old.version == .v10 && old.sessionID == "wow")
    }

    @Test(
        "S12-CTD-2 the server's description is taken as it comes",
        arguments: ["RabbitMQ/3.10.8", "ActiveMQ/${project.version}", "Apache/1.3.9 a comment (x)", "x", "", "/"]
    )
    func server(text: String) throws {
        let info = try self.info([.version: "1.1", .server: text, .session: "ID:vm-1:2"])
        #expect(info.serverDescription == text)
        #expect(info.sessionID == "ID:vm-1:2")
        #expect(info.headers == [.version: "1.1", .server: text, .session: "ID:vm-1:2"])
    }

    @Test("SX-CTD-3 RabbitMQ's version and heart-beat in a 1.0 session")
    func versionIn10() throws {
        let offer = self.offer {
            $0.versions = [.v10]
            $0.heartBeat = HeartBeatHeader(outgoing: 1_000, incoming: 1_000)
        }
        let info = try self.info([.version: "1.0", .heartBeat: "1000,1000"], offer: offer)
        #expect(info.version == .v10)
        #expect(info.schedule == HeartBeatSchedule(outgoing: nil, incoming: nil))
    }

    @Test("The heart-beats of both sides make the schedule; a malformed one is refused or ignored")
    func heartBeats() throws {
        let offer = self.offer { $0.heartBeat = HeartBeatHeader(outgoing: 1_000, incoming: 2_000) }
        let info = try self.info([.version: "1.2", .heartBeat: "3000,4000"], offer: offer)
        #expect(info.schedule == HeartBeatSchedule(outgoing: .seconds(4), incoming: .seconds(3)))
        let bad = STOMPFrame(.connected, headers: [.version: "1.2", .heartBeat: "abc"])
        #expect(failure { () throws(STOMPError) in try self.answer(bad, offer: offer) } == .protocolViolation)
        #expect(try self.info(bad.headers, offer: offer, leniency: .lenient).outgoingHeartBeat == nil)
    }
}
