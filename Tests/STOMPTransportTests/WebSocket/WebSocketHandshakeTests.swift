// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite("Opening a WebSocket", .timeLimit(.minutes(10)))
struct WebSocketHandshakeTests {
    private static let answer =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v12.stomp\r\n\r\n"

    private var request: WebSocketRequest {
        get throws {
            WebSocketRequest(
                host: "localhost:15674",
                path: "/ws?a=b",
                protocols: ["v12.stomp", "v11.stomp"],
                key: try #require(WebSocketKey("dGhlIHNhbXBsZSBub25jZQ==")),
                fields: [("Authorization", "Basic c2VjcmV0")]
            )
        }
    }

    private func head(_ text: String) throws -> HTTPHead {
        try #require(HTTPHead(text.utf8))
    }

    @Test("The request has what RFC 6455 wants, and what the user wants")
    func requestBytes() throws {
        let expected = [
            "GET /ws?a=b HTTP/1.1", "Host: localhost:15674", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: v12.stomp, v11.stomp", "Authorization: Basic c2VjcmV0", "", "",
        ]
        #expect(try String(decoding: self.request.bytes, as: UTF8.self) == expected.joined(separator: "\r\n"))
    }

    @Test("A Host of the user's takes the place of ours")
    func ownHost() throws {
        var request = try self.request
        request.fields = [("host", "broker.example")]
        let text = String(decoding: request.bytes, as: UTF8.self)
        #expect(text.contains("host: broker.example\r\n"))
        #expect(!text.contains("localhost"))
    }

    @Test(
        "What would break the request is refused before anything is sent",
        arguments: [
            "path ", "path ws", "path /a b", "path /a\r\nX: y", "path /ü", "path /a#b", "host a\r\nb", "name a b",
            "name ", "name a:b", "name Upgrade", "name sec-websocket-key", "name Content-Length", "value a\r\nX: y",
            "value a\0b",
        ]
    )
    func badRequests(what: String) throws {
        var request = try self.request
        let value = String(what.drop { $0 != " " }.dropFirst())
        switch what.prefix(4) {
        case "path": request.path = value
        case "host": request.host = value
        case "name": request.fields = [(value, "x")]
        default: request.fields = [("X", value)]
        }
        let error = #expect(throws: TransportError.self) { try request.check() }
        #expect(error?.kind == .invalidAddress)
    }

    @Test("The right answer is taken, however it is written")
    func rightAnswers() throws {
        let request = try self.request
        #expect(try request.accept(self.head(Self.answer)) == "v12.stomp")
        let other = Self.answer.replacing("websocket\r\n", with: "WebSocket\r\n")
            .replacing("Connection: Upgrade", with: "connection:keep-alive ,  UPGRADE\t")
            .replacing("\r\n", with: "\n").replacing("Sec-WebSocket-Protocol: v12.stomp\n", with: "")
        #expect(try request.accept(self.head(other)) == nil)
    }

    @Test(
        "Each wrong answer is told from the others",
        arguments: [
            ("101 Switching Protocols", "404 Not Found", "status 404 Not Found: is the path right?"),
            ("101 Switching Protocols", "401 No", "status 401 No: it wants other headers"),
            ("101 Switching Protocols", "302 Found\r\nLocation: https://x/y?token=z", "points to https://x/y"),
            ("101 Switching Protocols", "200 OK", "status 200 OK and no upgrade"),
            ("101 Switching Protocols", "503 \u{7}Busy", "status 503  Busy"),
            ("HTTP/1.1 101", "HTTP/2 101", "not HTTP"), ("101 ", "1o1 ", "not HTTP"),
            ("Upgrade: websocket\r\n", "", "does not say Upgrade: websocket"),
            ("Upgrade: websocket\r\n", "Upgrade: h2c\r\n", "does not say Upgrade: websocket"),
            ("Connection: Upgrade\r\n", "Connection: close\r\n", "does not say Upgrade: websocket"),
            ("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO=", "does not answer our key"),
            ("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "", "has no Sec-WebSocket-Accept"),
            ("Sec-WebSocket-Protocol: v12.stomp", "Sec-WebSocket-Protocol: mqtt", "\"mqtt\", which was not offered"),
            ("Sec-WebSocket-Protocol: v12.stomp", "Sec-WebSocket-Protocol: v10.stomp", "which was not offered"),
            ("v12.stomp", "v12.stomp, v11.stomp", "which was not offered"),
            ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "an extension"),
        ]
    )
    func wrongAnswers(part: String, replacement: String, reason: String) throws {
        let request = try self.request
        let head = try self.head(Self.answer.replacing(part, with: replacement))
        let error = #expect(throws: TransportError.self) { try request.accept(head) }
        #expect(error?.kind == .handshake)
        #expect(error?.message.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.message.contains("token") == false)
    }

    @Test(
        "What is no HTTP is recognised by its first bytes",
        arguments: [
            ("", nil), ("H", nil), ("HTTP/1.", nil), ("HTTP/1.1 101", nil), ("HTTP/2", "is it a WebSocket port"),
            ("ERROR\nmessage:", "write stomp instead of ws"), ("\u{15}\u{3}", "write wss instead of ws"),
            ("AMQP", "is it a WebSocket port"),
        ] as [(String, String?)]
    )
    func firstBytes(start: String, reason: String?) {
        let objection = WebSocketRequest.objection(toStart: Array(start.utf8))
        #expect((objection == nil) == (reason == nil))
        if let reason { #expect(objection?.contains(reason) == true) }
    }

    @Test("A head is found wherever it is cut, and what follows it stays")
    func everyCut() {
        let head = Array(Self.answer.utf8)
        let all = head + [1, 2, 3]
        for cut in 0...all.count {
            var reader = HTTPHeadReader(limit: 1_000)
            var outcome = all[..<cut].withUnsafeBytes { reader.append($0) }
            if cut < head.count {
                #expect(outcome == .incomplete)
                outcome = all[cut...].withUnsafeBytes { reader.append($0) }
            }
            #expect(outcome == .complete(head))
            #expect(reader.rest == Array(all[head.count..<max(cut, head.count)]) || reader.rest == [1, 2, 3])
        }
    }

    @Test("A head has a limit, with and without an end")
    func headLimit() {
        let head = Array(Self.answer.utf8)
        var exact = HTTPHeadReader(limit: head.count)
        #expect(head.withUnsafeBytes { exact.append($0) } == .complete(head))
        var short = HTTPHeadReader(limit: head.count - 1)
        #expect(head.withUnsafeBytes { short.append($0) } == .tooLong)
        var endless = HTTPHeadReader(limit: 1_000)
        let line = Array("X: y\r\n".utf8)
        var outcomes: [HTTPHeadReader.Outcome] = []
        for _ in 0..<200 { outcomes.append(line.withUnsafeBytes { endless.append($0) }) }
        #expect(outcomes.firstIndex(of: .tooLong) == 166)
    }

    @Test("Lines that are no fields make no head", arguments: ["a", ": x", "a b: c", "a : c", " a: b", "a: b\r\n c"])
    func badFields(line: String) {
        #expect(HTTPHead("GET / HTTP/1.1\r\n\(line)\r\n\r\n".utf8) == nil)
    }

    // MARK: - The serving side

    private static let ask =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Protocol: v10.stomp, v12.stomp\r\n\r\n"

    @Test("A client of RFC 6455 is let in, with the highest subprotocol that it offers")
    func letIn() throws {
        #expect(
            WebSocketResponse(answering: try self.head(Self.ask), path: "/ws") == .accepted(Array(Self.answer.utf8))
        )
        let unknown = Self.ask.replacing("v10.stomp, v12.stomp", with: "mqtt")
        let without = Self.answer.replacing("Sec-WebSocket-Protocol: v12.stomp\r\n", with: "")
        #expect(WebSocketResponse(answering: try self.head(unknown), path: nil) == .accepted(Array(without.utf8)))
        let query = Self.ask.replacing("/ws ", with: "/ws?user=x ")
        #expect(WebSocketResponse(answering: try self.head(query), path: "/ws") == .accepted(Array(Self.answer.utf8)))
    }

    @Test(
        "Others are refused, with a status",
        arguments: [
            ("GET", "POST", 400), ("HTTP/1.1", "HTTP/1.0", 400), ("HTTP/1.1", "FTP", 400), ("/ws", "/ws/", 404),
            ("/ws", "/", 404), ("Host: localhost\r\n", "", 400), ("Upgrade: websocket\r\n", "", 426),
            ("Connection: Upgrade\r\n", "", 426), ("Version: 13", "Version: 8", 426), ("25jZQ==", "25j", 400),
            ("dGhlIHNhbXBsZSBub25jZQ==", "", 400), ("GET /ws", "GET  /ws", 400),
        ]
    )
    func refused(part: String, replacement: String, status: Int) throws {
        let text = Self.ask.replacing(part, with: replacement, maxReplacements: 1)
        guard case .refused(let bytes, _) = WebSocketResponse(answering: HTTPHead(text.utf8), path: "/ws") else {
            Issue.record("it was let in")
            return
        }
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 \(status) "))
    }

    @Test("Both ends understand each other, and what follows the handshake is not lost")
    func bothEnds() async throws {
        let (one, other) = InMemoryPipe.makePair()
        var options = WebSocketOptions()
        options.host = "localhost"
        options.path = "/ws"
        options.protocols = ["v12.stomp"]
        async let accepted = WebSocketTransport.accept(over: other, path: "/ws", options: WebSocketOptions())
        let client = try await WebSocketTransport.connect(over: one, options: options, name: "ws://test")
        let server = try await accepted
        #expect(client.subprotocol == "v12.stomp")
        try await client.writeAll(Array("there".utf8))
        #expect(try await server.readExactly(5) == Array("there".utf8))

        // A server may say something with its answer.
        let (pipe, peer) = InMemoryPipe.makePair()
        options.random = FixedNumber(value: 0)
        let key = try #require(WebSocketKey(Base64.encode([UInt8](repeating: 0, count: 16))))
        let text = Self.answer.replacing("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", with: key.acceptance)
        try await peer.writeAll(Array(text.utf8) + frame(2, [1, 2, 3]) + frame(2, [4]))
        let eager = try await WebSocketTransport.connect(over: pipe, options: options, name: "ws://test")
        #expect(eager.unreadByteCount > 0)
        await eager.waitUntilReadable()
        #expect(try await eager.readSome(limit: 2) == [1, 2])
        await eager.waitUntilReadable()
        #expect(try await eager.readExactly(2) == [3, 4])
    }

    @Test(
        "A refused opening closes the stream and names the server",
        arguments: ["HTTP/1.1 404 Not Found\r\n\r\n", "ERROR\n\n\0", "HTTP/1.1 101 X\r\n\r\n", ""]
    )
    func refusedOpening(answer: String) async throws {
        let (one, peer) = InMemoryPipe.makePair()
        try await peer.writeAll(Array(answer.utf8))
        if answer.isEmpty { peer.close() }
        var options = WebSocketOptions()
        options.host = "h"
        let error = await #expect(throws: TransportError.self) {
            _ = try await WebSocketTransport.connect(over: one, options: options, name: "ws://h/ws")
        }
        if answer.isEmpty {
            #expect(error?.kind == .closed || error?.kind == .handshake)
        } else {
            #expect(error?.kind == .handshake)
            #expect(error?.message.hasPrefix("ws://h/ws opens no WebSocket: ") == true)
        }
        #expect(await errorKind { () throws(TransportError) in _ = try one.readOnce() } == .closed)
    }

    @Test("Cancelling an opening ends it, on both sides")
    func cancelled() async throws {
        let (one, other) = InMemoryPipe.makePair()
        let attempts = [
            Task { () -> TransportError.Kind? in
                await errorKind { () async throws(TransportError) in
                    var options = WebSocketOptions()
                    options.host = "h"
                    _ = try await WebSocketTransport.connect(over: one, options: options, name: "ws://h")
                }
            },
            Task { () -> TransportError.Kind? in
                let (silent, peer) = InMemoryPipe.makePair()
                let kind = await errorKind { () async throws(TransportError) in
                    _ = try await WebSocketTransport.accept(over: silent, path: nil, options: WebSocketOptions())
                }
                peer.close()
                return kind
            },
        ]
        // The first has asked, and waits for an answer.
        #expect(try await other.readSome() != nil)
        for attempt in attempts { attempt.cancel() }
        for attempt in attempts { #expect(await attempt.value == .closed) }
        #expect(try await other.readToEnd() == [])
    }

    @Test("A client that speaks without end is told so")
    func endlessRequest() async throws {
        let (one, client) = InMemoryPipe.makePair()
        try await client.writeAll(Array(("GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 5_000)).utf8))
        let kind = await errorKind { () async throws(TransportError) in
            _ = try await WebSocketTransport.accept(over: one, path: nil, options: WebSocketOptions())
        }
        #expect(kind == .handshake)
        #expect(String(decoding: try await client.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 431 "))
    }
}
