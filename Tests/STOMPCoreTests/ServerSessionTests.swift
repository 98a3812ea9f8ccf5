// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("The broker's half of a session")
struct ServerSessionTests {
    private func session(_ version: STOMPVersion = .v12) throws -> ServerSession {
        var session = ServerSession()
        let connect = STOMPFrame(.connect, headers: [.acceptVersion: version.description, .host: "h"])
        _ = try session.received(connect)
        _ = session.accept(version, session: "s-1", server: "test/1", heartBeat: .none)
        return session
    }

    /// The code with which a frame of a client is refused, or `nil`.
    private func refusal(_ frame: STOMPFrame, _ version: STOMPVersion = .v12) throws -> STOMPError.Code? {
        var session = try self.session(version)
        return failure { () throws(STOMPError) in try session.received(frame) }
    }

    @Test("CONNECTED as it is written, with version, server and heart-beat from 1.1 on")
    func connectedFrame() throws {
        var session = ServerSession()
        #expect(session.version == nil)
        let heartBeat = HeartBeatHeader(outgoing: 1, incoming: 2)
        let frame = session.accept(.v12, session: "s:1", server: "x/1", heartBeat: heartBeat)
        #expect(
            try serialize(frame) == wire("CONNECTED\nsession:s:1\nversion:1.2\nserver:x/1\nheart-beat:1,2\n\n\0")
        )
        #expect(session.version == .v12)
        var old = ServerSession()
        #expect(
            try serialize(old.accept(.v10, session: "s", server: "x", heartBeat: heartBeat), version: .v10)
                == wire("CONNECTED\nsession:s\n\n\0")
        )
    }

    @Test("S12-CON-8 STOMP opens a session as CONNECT does")
    func connectCommands() throws {
        for command in [STOMPCommand.connect, .stomp] {
            var session = ServerSession()
            let event = try session.received(STOMPFrame(command, headers: [.acceptVersion: "1.1,1.2", .host: "h"]))
            guard case .connect(let frame, .v12) = event else {
                Issue.record("CONNECT was expected")
                return
            }
            #expect(frame.command == command)
        }
    }

    @Test("S12-CON-1 the first frame must be CONNECT or STOMP")
    func firstFrame() {
        for command in [STOMPCommand.send, .disconnect, .connected, "WHATEVER"] {
            var session = ServerSession()
            #expect(
                failure { () throws(STOMPError) in try session.received(STOMPFrame(command)) } == .protocolViolation
            )
        }
    }

    @Test(
        "S12-NEG-3 the highest common version is chosen",
        arguments: [
            ("1.0,1.1,1.2", STOMPVersion.v12), ("1.1,1.3", .v11), ("1.0", .v10), ("1.2,1.0", .v12), (nil, .v10),
            // As RabbitMQ and ActiveMQ do: with spaces only the first is understood.
            ("1.0, 1.1, 1.2", .v10),
        ] as [(String?, STOMPVersion)]
    )
    func negotiation(accepted: String?, expected: STOMPVersion) throws {
        var session = ServerSession()
        var frame = STOMPFrame(.connect, headers: [.host: "h"])
        frame.headers[.acceptVersion] = accepted
        guard case .connect(_, let version) = try session.received(frame) else {
            Issue.record("CONNECT was expected")
            return
        }
        #expect(version == expected)
    }

    @Test(
        "S12-NEG-6 without a common version the ERROR lists the supported ones",
        arguments: ["1.3", "", "2.0,3.0", "1.1"]
    )
    func noCommonVersion(accepted: String) throws {
        var session = ServerSession(supported: [.v12, .v10])
        let connect = STOMPFrame(.connect, headers: [.acceptVersion: accepted, .host: "h"])
        let error = #expect(throws: STOMPError.self) { try session.received(connect) }
        #expect(error?.code == .unsupportedVersion)
        #expect(error?.frame == STOMPFrame(.error, headers: [.version: "1.0,1.2"]))
    }

    @Test("S12-CON-3 from 1.1 on CONNECT must have a host")
    func host() throws {
        var session = ServerSession()
        let connect = STOMPFrame(.connect, headers: [.acceptVersion: "1.2"])
        #expect(failure { () throws(STOMPError) in try session.received(connect) } == .protocolViolation)
        #expect(failure { () throws(STOMPError) in try session.received(STOMPFrame(.connect)) } == nil)
    }

    @Test("S12-UNK-1 a frame that is no client's frame is refused")
    func unknownCommand() throws {
        for command in [STOMPCommand.message, .connected, .receipt, .connect, "WHATEVER", "send"] {
            #expect(try self.refusal(STOMPFrame(command)) == .protocolViolation)
        }
    }

    @Test("S12-DIS-2 nothing may come after DISCONNECT")
    func afterDisconnect() throws {
        var session = try self.session()
        guard case .request = try session.received(STOMPFrame(.disconnect, headers: [.receipt: "1"])) else {
            Issue.record("a request was expected")
            return
        }
        #expect(session.version == nil)
        let send = STOMPFrame(.send, headers: [.destination: "/q"])
        #expect(failure { () throws(STOMPError) in try session.received(send) } == .protocolViolation)
    }

    @Test("S12-SND-1 S12-SUB-1 S11-SUB-2 S10-SUB-3 SEND and SUBSCRIBE without what they must have are refused")
    func sendAndSubscribe() throws {
        for version in STOMPVersion.all {
            #expect(try self.refusal(STOMPFrame(.send), version) == .protocolViolation)
            #expect(try self.refusal(STOMPFrame(.send, headers: [.destination: "/q"], body: [1]), version) == nil)
            #expect(try self.refusal(STOMPFrame(.subscribe, headers: [.id: "1"]), version) == .protocolViolation)
            #expect(try self.refusal(STOMPFrame(.subscribe, headers: [.id: "1", .destination: "/q"]), version) == nil)
            let withoutID = STOMPFrame(.subscribe, headers: [.destination: "/q"])
            #expect(try self.refusal(withoutID, version) == (version == .v10 ? nil : .protocolViolation))
        }
    }

    @Test("S12-UNS-1 S10-UNS-2 UNSUBSCRIBE needs the id; in 1.0 the destination will do (trap 18)")
    func unsubscribe() throws {
        for version in STOMPVersion.all {
            #expect(try self.refusal(STOMPFrame(.unsubscribe, headers: [.id: "1"]), version) == nil)
            #expect(try self.refusal(STOMPFrame(.unsubscribe), version) == .protocolViolation)
            let byDestination = STOMPFrame(.unsubscribe, headers: [.destination: "/q"])
            #expect(try self.refusal(byDestination, version) == (version == .v10 ? nil : .protocolViolation))
        }
    }

    @Test("S10-ACK-1 S11-ACK-2 S12-ACK-3 what ACK and NACK must have differs by version (trap 18)")
    func acknowledgements() throws {
        let headers: [(STOMPHeaders, Set<STOMPVersion>)] = [
            ([.messageID: "m"], [.v10]), ([.messageID: "m", .subscription: "s"], [.v10, .v11]),
            ([.id: "a"], [.v12]), ([.subscription: "s"], []), ([:], []),
        ]
        for version in STOMPVersion.all {
            for (headers, versions) in headers {
                let expected: STOMPError.Code? = versions.contains(version) ? nil : .protocolViolation
                #expect(try self.refusal(STOMPFrame(.ack, headers: headers), version) == expected)
                guard version > .v10 else { continue }
                #expect(try self.refusal(STOMPFrame(.nack, headers: headers), version) == expected)
            }
        }
    }

    @Test("S12-ACK-5 1.0 has no NACK (trap 18)")
    func nackIn10() throws {
        #expect(try self.refusal(STOMPFrame(.nack, headers: [.messageID: "m"]), .v10) == .protocolViolation)
    }

    @Test("S12-TRX-1 BEGIN, COMMIT and ABORT need a transaction")
    func transactions() throws {
        for command in [STOMPCommand.begin, .commit, .abort] {
            #expect(try self.refusal(STOMPFrame(command)) == .protocolViolation)
            #expect(try self.refusal(STOMPFrame(command, headers: [.transaction: "t"])) == nil)
        }
    }

    @Test("S12-BDY-1 a body where none may be is refused")
    func bodies() throws {
        #expect(try self.refusal(STOMPFrame(.ack, headers: [.id: "1"], body: [1])) == .protocolViolation)
        #expect(try self.refusal(STOMPFrame(.disconnect, body: [1])) == .protocolViolation)
    }

    @Test("S12-MSG-1 S12-MSG-2 S12-MSG-5 what a MESSAGE must have, and what is missing")
    func requirementsOfMessage() {
        let full: STOMPHeaders = [.destination: "/q", .messageID: "m", .subscription: "s"]
        for version in STOMPVersion.all {
            #expect(FrameRequirements.missingHeader(in: STOMPFrame(.message, headers: full), version: version) == nil)
            for name in [STOMPHeaders.Name.destination, .messageID, .subscription] {
                var headers = full
                headers[name] = nil
                let missing = FrameRequirements.missingHeader(
                    in: STOMPFrame(.message, headers: headers),
                    version: version
                )
                #expect(missing == (version == .v10 && name == .subscription ? nil : name))
            }
        }
        #expect(FrameRequirements.missingHeader(in: STOMPFrame(.receipt), version: .v12) == .receiptID)
        #expect(FrameRequirements.missingHeader(in: STOMPFrame(.error), version: .v12) == nil)
    }
}
