// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

extension WireVector {
    private static let errorBody =
        "The message:\n-----\nMESSAGE\ndestined:/queue/a\nreceipt:message-12345\n\nHello queue a!\n-----\n"
        + "Did not contain a destination header, which is REQUIRED\nfor message propagation.\n"

    /// The frames that the specification prints.
    static let specification: [WireVector] = [
        WireVector(
            "1.2: SEND",
            "SEND\ndestination:/queue/a\ncontent-type:text/plain\n\nhello queue a\n\0",
            [
                STOMPFrame(
                    .send,
                    headers: [.destination: "/queue/a", .contentType: "text/plain"],
                    body: wire("hello queue a\n")
                )
            ]
        ),
        WireVector(
            "1.2: CONNECT",
            "CONNECT\naccept-version:1.2\nhost:stomp.github.org\n\n\0",
            [STOMPFrame(.connect, headers: [.acceptVersion: "1.2", .host: "stomp.github.org"])]
        ),
        WireVector(
            "1.2: CONNECTED with heart-beats",
            "CONNECTED\nversion:1.2\nheart-beat:0,1000\nserver:Apache/1.3.9\n\n\0",
            [STOMPFrame(.connected, headers: [.version: "1.2", .heartBeat: "0,1000", .server: "Apache/1.3.9"])]
        ),
        WireVector(
            "1.2: ERROR on versions",
            "ERROR\nversion:1.2,2.1\ncontent-type:text/plain\n\nSupported protocol versions are 1.2 2.1\0",
            [
                STOMPFrame(
                    .error,
                    headers: [.version: "1.2,2.1", .contentType: "text/plain"],
                    body: wire("Supported protocol versions are 1.2 2.1")
                )
            ]
        ),
        WireVector(
            "1.2: SUBSCRIBE, UNSUBSCRIBE",
            "SUBSCRIBE\nid:0\ndestination:/queue/foo\nack:client\n\n\0\nUNSUBSCRIBE\nid:0\n\n\0",
            [
                STOMPFrame(.subscribe, headers: [.id: "0", .destination: "/queue/foo", .ack: "client"]),
                STOMPFrame(.unsubscribe, headers: [.id: "0"]),
            ]
        ),
        WireVector(
            "1.2: ACK, BEGIN, COMMIT, ABORT",
            "ACK\nid:12345\ntransaction:tx1\n\n\0BEGIN\ntransaction:tx1\n\n\0COMMIT\ntransaction:tx1\n\n\0"
                + "ABORT\ntransaction:tx1\n\n\0",
            [
                STOMPFrame(.ack, headers: [.id: "12345", .transaction: "tx1"]),
                STOMPFrame(.begin, headers: [.transaction: "tx1"]),
                STOMPFrame(.commit, headers: [.transaction: "tx1"]),
                STOMPFrame(.abort, headers: [.transaction: "tx1"]),
            ]
        ),
        WireVector(
            "1.2: DISCONNECT, RECEIPT",
            "DISCONNECT\nreceipt:77\n\n\0RECEIPT\nreceipt-id:77\n\n\0",
            [
                STOMPFrame(.disconnect, headers: [.receipt: "77"]),
                STOMPFrame(.receipt, headers: [.receiptID: "77"]),
            ]
        ),
        WireVector(
            "1.2: MESSAGE",
            "MESSAGE\nsubscription:0\nmessage-id:007\ndestination:/queue/a\ncontent-type:text/plain\n\n"
                + "hello queue a\0",
            [
                STOMPFrame(
                    .message,
                    headers: [
                        .subscription: "0", .messageID: "007", .destination: "/queue/a", .contentType: "text/plain",
                    ],
                    body: wire("hello queue a")
                )
            ]
        ),
        WireVector(
            "1.2: ERROR",
            "ERROR\nreceipt-id:message-12345\ncontent-type:text/plain\ncontent-length:170\n"
                + "message:malformed frame received\n\n" + errorBody + "\0",
            [
                STOMPFrame(
                    .error,
                    headers: [
                        .receiptID: "message-12345", .contentType: "text/plain", .contentLength: "170",
                        .message: "malformed frame received",
                    ],
                    body: wire(errorBody)
                )
            ]
        ),
        WireVector(
            "1.0: a session",
            "CONNECTED\nsession:s-1\n\n\0\nMESSAGE\ndestination:/queue/a\nmessage-id:m-1\n\nhello queue a\0\n",
            [
                STOMPFrame(.connected, headers: [.session: "s-1"]),
                STOMPFrame(
                    .message,
                    headers: [.destination: "/queue/a", .messageID: "m-1"],
                    body: wire("hello queue a")
                ),
            ],
            version: .v10
        ),
    ]
}

@Suite("The frames that the specification prints")
struct SpecificationExampleTests {
    @Test(
        "S12-FRM-1 a frame is a command, headers, a blank line, a body and a NUL",
        arguments: WireVector.specification
    )
    func framesOfTheSpecification(vector: WireVector) {
        let parsed = parse(vector.bytes, version: vector.version, leniency: .strict)
        #expect(parsed.frames == vector.frames)
        #expect(parsed.failure == nil)
        #expect(!parsed.hasPartialFrame)
    }

    @Test("S12-DIS-5 the blank line is needed, though an example of DISCONNECT is printed without it")
    func blankLineIsNeeded() throws {
        #expect(
            try serialize(STOMPFrame(.disconnect, headers: [.receipt: "77"])) == wire("DISCONNECT\nreceipt:77\n\n\0")
        )
        #expect(parse("RECEIPT\nreceipt-id:77\n\0").failure == .protocolViolation)
        #expect(parse("RECEIPT\nreceipt-id:77\n").frames.isEmpty)
        #expect(parse("RECEIPT\nreceipt-id:77\n\n\0").frames == [STOMPFrame(.receipt, headers: [.receiptID: "77"])])
    }
}
