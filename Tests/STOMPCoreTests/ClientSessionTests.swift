// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("The client's half of a session: after CONNECTED")
struct ClientSessionTests {
    private func connected(_ leniency: STOMPLeniency = .strict, version: String = "1.2") throws -> ClientSession {
        var session = ClientSession(offer: ClientSession.Offer(), leniency: leniency)
        _ = session.connect()
        _ = try session.received(STOMPFrame(.connected, headers: [.version: version]))
        return session
    }

    @Test("S12-REC-1 a RECEIPT names the frame it confirms, unescaped")
    func receipt() throws {
        var session = try self.connected()
        let frame = try #require(parse("RECEIPT\nreceipt-id:r\\c1\\\\\n\n\0", leniency: .strict).frames.first)
        guard case .receipt(let id) = try session.received(frame) else {
            Issue.record("a receipt was expected")
            return
        }
        #expect(id == "r:1\\")
    }

    @Test("A RECEIPT without receipt-id confirms nothing", arguments: [STOMPLeniency.strict, .lenient])
    func receiptWithoutID(leniency: STOMPLeniency) throws {
        var session = try self.connected(leniency)
        #expect(failure { () throws(STOMPError) in try session.received(STOMPFrame(.receipt)) } == .protocolViolation)
    }

    @Test("S12-ERR-3 S12-LIM-2 an ERROR is reported with the frame or the subscription that it names (trap 12)")
    func errorFrame() throws {
        var session = try self.connected()
        let frames: [(STOMPFrame, String?, String?)] = [
            (STOMPFrame(.error, headers: [.message: "no", .receiptID: "7"], body: wire("x")), "7", nil),
            (STOMPFrame(.error, headers: [.message: "cancelled", .subscription: "3"]), nil, "3"),
            (STOMPFrame(.error), nil, nil),
        ]
        for (frame, receiptID, subscriptionID) in frames {
            guard case .error(let reported, let receipt, let subscription) = try session.received(frame) else {
                Issue.record("an error was expected")
                return
            }
            #expect(reported == frame && receipt == receiptID && subscription == subscriptionID)
        }
        // The connection may stay open after an ERROR.
        guard case .receipt("8") = try session.received(STOMPFrame(.receipt, headers: [.receiptID: "8"])) else {
            Issue.record("a receipt was expected")
            return
        }
    }

    @Test("S12-ERR-2 what an ERROR says: its message, the first line of its body, both or neither")
    func errorText() {
        let cases: [(STOMPHeaders, String, String)] = [
            ([.message: "no"], "", "no"), ([.message: "no"], "because\nstack\ntrace", "no (because)"),
            ([:], "because\n", "because"), ([.message: ""], "", "(no reason given)"), ([:], "", "(no reason given)"),
            ([.message: "no"], "\n\nlate", "no (late)"),
        ]
        for (headers, body, text) in cases {
            #expect(STOMPFrame(.error, headers: headers, body: wire(body)).errorText == text)
        }
        let long = STOMPFrame(.error, body: [UInt8](repeating: 0x78, count: 5_000))
        #expect(long.errorText.utf8.count == 200)
        #expect(STOMPFrame(.error, body: [0xff, 0x41]).errorText == "\u{FFFD}A")
    }

    @Test("S12-FRM-7 a client's frame from the server, or an unknown one, is a violation or an event")
    func unknownFrames() throws {
        for command in [STOMPCommand.send, .ack, "WHATEVER", "connected"] {
            var strict = try self.connected()
            #expect(failure { () throws(STOMPError) in try strict.received(STOMPFrame(command)) } == .protocolViolation)
            var lenient = try self.connected(.lenient)
            guard case .unknown(let frame) = try lenient.received(STOMPFrame(command)) else {
                Issue.record("an unknown frame is to be reported")
                return
            }
            #expect(frame.command == command)
        }
    }

    @Test("A second CONNECTED is a violation", arguments: [STOMPLeniency.strict, .lenient])
    func secondConnected(leniency: STOMPLeniency) throws {
        var session = try self.connected(leniency)
        let frame = STOMPFrame(.connected, headers: [.version: "1.2"])
        #expect(failure { () throws(STOMPError) in try session.received(frame) } == .protocolViolation)
    }
}
