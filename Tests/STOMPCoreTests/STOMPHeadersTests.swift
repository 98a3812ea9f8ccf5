// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("Headers, names and commands as values")
struct STOMPHeadersTests {
    @Test("Setting replaces the first and removes its repetitions; nil removes all")
    func setting() {
        var headers: STOMPHeaders = ["a": "1", "b": "2", "a": "3", "c": "4"]
        #expect(headers["a"] == "1")
        #expect(headers[values: "a"] == ["1", "3"])
        headers["a"] = "5"
        #expect(headers == ["a": "5", "b": "2", "c": "4"])
        headers["b"] = nil
        headers["d"] = "6"
        #expect(headers == ["a": "5", "c": "4", "d": "6"])
        #expect(headers.count == 3 && !headers.isEmpty)
        headers["nowhere"] = nil
        #expect(headers.count == 3)
    }

    @Test("Appending keeps what is there")
    func appending() {
        var headers = STOMPHeaders()
        #expect(headers.isEmpty)
        headers.append("a", "1")
        headers.append("a", "2")
        #expect(headers["a"] == "1")
        headers.appendMissing(from: ["a": "3", "b": "4", "b": "5"])
        #expect(headers.fields.map(\.value) == ["1", "2", "4", "5"])
    }

    @Test("Names, values and commands are octets: canonical equivalence is not equality (trap 19)")
    func octets() {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        #expect(composed == decomposed)
        #expect(STOMPHeaders.Name(composed) != STOMPHeaders.Name(decomposed))
        #expect(STOMPCommand(rawValue: composed) != STOMPCommand(rawValue: decomposed))
        let headers = STOMPHeaders([
            .init(name: .init(composed), value: "1"), .init(name: .init(decomposed), value: "2"),
        ])
        #expect(headers[.init(decomposed)] == "2")
        #expect(STOMPHeaders(dictionaryLiteral: ("k", composed)) != STOMPHeaders(dictionaryLiteral: ("k", decomposed)))
        #expect(Set([STOMPHeaders.Name(composed), STOMPHeaders.Name(decomposed)]).count == 2)
        #expect(Set([STOMPHeaders.Name("ack"), .ack, "ack"]).count == 1)
    }

    @Test("Lines are split at octets: a combining mark after a colon or a line feed hides neither (trap 19)")
    func splittingIsOfOctets() {
        let mark = "\u{301}"
        let parsed = parse("MESSAGE\nk:\(mark)v\n\(mark)n:w\r\n\n\0", leniency: .strict)
        #expect(parsed.frames.first?.headers == ["k": "\(mark)v", .init("\(mark)n"): "w"])
        let composed = parse("MESSAGE\n\u{E9}:1\ne\u{301}:2\n\n\0", leniency: .strict)
        #expect(composed.frames.first?.headers[.init("e\u{301}")] == "2")
    }

    @Test("Equal headers hash equally")
    func hashing() {
        let one: STOMPHeaders = ["a": "1", "b": "2"]
        #expect(Set([one, ["a": "1", "b": "2"], ["b": "2", "a": "1"]]).count == 2)
        #expect(Set([STOMPFrame(.send, headers: one), STOMPFrame(.send, headers: one)]).count == 1)
        #expect(STOMPFrame(.send, headers: one, body: [1]) != STOMPFrame(.send, headers: one, body: [2]))
        #expect(Set([STOMPCommand.send, "SEND", .stomp]).count == 2)
    }

    @Test("What a command is and may have")
    func commands() {
        let all: [STOMPCommand] = [
            .connect, .stomp, .connected, .send, .subscribe, .unsubscribe, .ack, .nack, .begin, .commit, .abort,
            .disconnect, .message, .receipt, .error,
        ]
        #expect(all.filter(\.isHandshake) == [.connect, .stomp, .connected])
        #expect(all.filter(\.allowsBody) == [.send, .message, .error])
        #expect(all.filter(\.isFromServer) == [.connected, .message, .receipt, .error])
        #expect(
            all.map(\.description) == [
                "CONNECT", "STOMP", "CONNECTED", "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT",
                "ABORT", "DISCONNECT", "MESSAGE", "RECEIPT", "ERROR",
            ]
        )
    }

    @Test("The names of the specification")
    func names() {
        let names: [(STOMPHeaders.Name, String)] = [
            (.acceptVersion, "accept-version"), (.ack, "ack"), (.contentLength, "content-length"),
            (.contentType, "content-type"), (.correlationID, "correlation-id"), (.destination, "destination"),
            (.expires, "expires"), (.heartBeat, "heart-beat"), (.host, "host"), (.id, "id"), (.login, "login"),
            (.message, "message"), (.messageID, "message-id"), (.passcode, "passcode"), (.persistent, "persistent"),
            (.priority, "priority"), (.receipt, "receipt"), (.receiptID, "receipt-id"), (.redelivered, "redelivered"),
            (.replyTo, "reply-to"), (.selector, "selector"), (.server, "server"), (.session, "session"),
            (.subscription, "subscription"), (.timestamp, "timestamp"), (.transaction, "transaction"),
            (.version, "version"),
        ]
        for (name, text) in names {
            #expect(name.rawValue == text)
            #expect(name.description == text)
        }
    }
}
