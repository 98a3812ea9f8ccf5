// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Versions, content types, and what descriptions show")
struct ValueTests {
    // MARK: - Versions

    @Test("Versions read and written, in order")
    func versions() {
        for (version, text) in [(STOMPVersion.v10, "1.0"), (.v11, "1.1"), (.v12, "1.2")] {
            #expect(STOMPVersion(text) == version)
            #expect(version.description == text)
        }
        for text in ["", "1", "1.", "1.3", "2.0", " 1.2", "1.2 ", "1,2", "1.20", "١.٢"] {
            #expect(STOMPVersion(text) == nil)
        }
        #expect(STOMPVersion.v10 < .v11 && STOMPVersion.v11 < .v12)
        #expect(STOMPVersion.all == [.v10, .v11, .v12])
    }

    @Test("S12-NEG-1 accept-version lists increasing versions, with commas and no spaces")
    func acceptVersion() {
        #expect(STOMPVersion.acceptVersion([.v12, .v10, .v11]) == "1.0,1.1,1.2")
        #expect(STOMPVersion.acceptVersion([.v12, .v12]) == "1.2")
        #expect(STOMPVersion.acceptVersion([.v12, .v11]) == "1.1,1.2")
    }

    @Test("S12-NEG-3 the highest common version")
    func highestCommonVersion() {
        let all = Set(STOMPVersion.all)
        #expect(STOMPVersion.negotiated(accepted: "1.2,1.1", supported: all) == .v12)
        #expect(STOMPVersion.negotiated(accepted: "1.0,1.1,9.9", supported: [.v10, .v11]) == .v11)
        #expect(STOMPVersion.negotiated(accepted: "1.2", supported: [.v11]) == nil)
        #expect(STOMPVersion.negotiated(accepted: nil, supported: [.v11]) == nil)
        #expect(STOMPVersion.negotiated(accepted: ",,1.1,", supported: all) == .v11)
    }

    // MARK: - Content types

    @Test("S12-TYP-4 text without charset is UTF-8")
    func textIsUTF8() {
        for text in ["text/plain", "text/html", "TEXT/Plain", "text/plain;format=flowed", " text/plain "] {
            #expect(STOMPContentType(text).charset == "utf-8", "\(text)")
        }
    }

    @Test("S12-TYP-5 other encodings, and text of other types, have a charset")
    func charset() {
        for (text, charset) in [
            ("text/plain;charset=iso-8859-1", "iso-8859-1"), ("application/xml;charset=utf-8", "utf-8"),
            ("application/json; Charset=\"UTF-8\"", "utf-8"), ("text/plain; a=b ; charset = ascii ;c=d", "ascii"),
            ("text/plain;charset=a;charset=b", "a"),
        ] {
            #expect(STOMPContentType(text).charset == charset, "\(text)")
        }
    }

    @Test("S12-TYP-3 what is not known to be text has no charset")
    func notText() {
        for text in ["application/octet-stream", "application/json", "", ";", "texts/plain", "application/x;charset"] {
            #expect(STOMPContentType(text).charset == nil, "\(text)")
        }
    }

    @Test("S12-TYP-2 the types with names are MIME types")
    func mediaTypes() {
        #expect(STOMPContentType.plainText.rawValue == "text/plain")
        #expect(STOMPContentType.json.rawValue == "application/json")
        #expect(STOMPContentType.octetStream.description == "application/octet-stream")
        #expect(STOMPContentType(" Text/Plain ;charset=x").mediaType == "text/plain")
        #expect(("a/b" as STOMPContentType).mediaType == "a/b")
    }

    // MARK: - Descriptions

    @Test("No description shows a passcode or a body")
    func secretsAreHidden() {
        let frame = STOMPFrame(
            .connect,
            headers: [.login: "guest", .passcode: "hunter2", .passcode: "hunter2again"],
            body: wire("hunter2")
        )
        let error = STOMPError(.connectRefused, "no", frame: frame, cause: STOMPError(.serverError, "x", frame: frame))
        let texts = [
            "\(frame)", "\(frame.headers)", "\(frame.headers.fields)", "\(frame.headers.fields[1])", "\(error)",
            String(reflecting: frame), String(reflecting: frame.headers), String(reflecting: frame.headers.fields),
            String(reflecting: error), "\(Optional(frame) as Any)", "\([frame])",
        ]
        for text in texts { #expect(!text.contains("hunter2"), "\(text)") }
        #expect(frame.description == "CONNECT [login:guest, passcode:(hidden), passcode:(hidden)] (7 bytes)")
    }

    @Test("Errors about a header do not show its value")
    func errorsHideValues() {
        for headers in [[.passcode: "hunter2\n"], [.passcode: "hunter2\0"]] as [STOMPHeaders] {
            let error = #expect(throws: STOMPError.self) { try serialize(STOMPFrame(.connect, headers: headers)) }
            #expect(error.map { "\($0)".contains("hunter2") } == false)
            #expect(error?.message.contains("passcode") == true)
        }
    }

    @Test("An error in one line: its code, its message, its cause")
    func errorDescription() {
        let cause = STOMPError(.connectionLost, "The stream ended.")
        #expect("\(cause)" == "connectionLost: The stream ended.")
        #expect(
            "\(STOMPError(.transactionInDoubt, "Who knows.", cause: cause))"
                == "transactionInDoubt: Who knows. (cause: connectionLost: The stream ended.)"
        )
    }

    @Test("Which errors a later try may not meet again")
    func retriable() {
        let retriable: [STOMPError.Code] = [
            .notConnected, .connectFailed, .connectTimedOut, .connectionLost, .heartBeatLost, .receiptTimedOut,
            .outboxFull, .transactionLost, .subscriptionOverflow,
        ]
        let final: [STOMPError.Code] = [
            .invalidArgument, .invalidURI, .invalidSettings, .notSupported, .connectRefused, .unsupportedVersion,
            .alreadyRunning, .serverError, .protocolViolation, .headerLineTooLong, .tooManyHeaders, .headersTooLarge,
            .bodyTooLarge, .rejected, .closed, .cancelled, .staleAcknowledgement, .alreadyAcknowledged,
            .notAcknowledgeable, .alreadyIterating, .subscriptionEnded, .transactionInDoubt, .transactionEnded,
            .invalidText,
        ]
        for code in retriable { #expect(STOMPError(code, "").isRetriable, "\(code)") }
        for code in final { #expect(!STOMPError(code, "").isRetriable, "\(code)") }
        #expect(Set((retriable + final).map(\.description)).count == retriable.count + final.count)
    }
}
