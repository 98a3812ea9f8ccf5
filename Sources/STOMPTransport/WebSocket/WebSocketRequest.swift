// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The request that opens a WebSocket (RFC 6455, section 4).
struct WebSocketRequest: Sendable, Equatable {
    /// As in the Host field: with the port unless it is the scheme's own.
    var host: String
    /// Path and query as they are sent.
    var path: String
    var protocols: [String]
    var key: WebSocketKey
    var fields: [(name: String, value: String)] = []

    /// The client's own fields; but Host may be given.
    private static let ownFields: Set<String> = [
        "upgrade", "connection", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol",
        "sec-websocket-extensions", "sec-websocket-accept", "content-length", "transfer-encoding",
    ]

    static func == (lhs: Self, rhs: Self) -> Bool { lhs.bytes == rhs.bytes }

    /// Throws what no request could be made of: nothing may end a line early.
    func check() throws(TransportError) {
        guard self.path.hasPrefix("/"), self.path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x23 }) else {
            throw Self.invalid(
                "The path of a WebSocket starts with \"/\" and has no spaces, no \"#\" and nothing but ASCII: "
                    + "write the rest as percent-escapes."
            )
        }
        guard self.host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.invalid("The host of a WebSocket is written in ASCII.")
        }
        for field in self.fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(HTTPHead.isTokenByte) else {
                throw Self.invalid("A header of the WebSocket's request has a name that HTTP does not allow.")
            }
            guard !Self.ownFields.contains(field.name.lowercased()) else {
                throw Self.invalid("The header \(field.name) of the WebSocket's request is the client's own.")
            }
            guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw Self.invalid("The header \(field.name) of the WebSocket's request has a control character.")
            }
        }
    }

    private static func invalid(_ message: String) -> TransportError {
        TransportError(kind: .invalidAddress, message: message)
    }

    var bytes: [UInt8] {
        var text = "GET \(self.path) HTTP/1.1\r\n"
        if !self.fields.contains(where: { $0.name.lowercased() == "host" }) { text += "Host: \(self.host)\r\n" }
        text += "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Key: \(self.key.text)\r\nSec-WebSocket-Version: 13\r\n"
        if !self.protocols.isEmpty {
            text += "Sec-WebSocket-Protocol: \(self.protocols.joined(separator: ", "))\r\n"
        }
        for field in self.fields { text += "\(field.name): \(field.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    // MARK: - The answer

    /// Whether these first bytes of an answer may become one; if not, what they are instead.
    static func objection(toStart bytes: [UInt8]) -> String? {
        let expected = Array("HTTP/1.".utf8)
        guard !bytes.starts(with: expected), !expected.starts(with: bytes) else { return nil }
        if bytes.first == 0x15 || bytes.first == 0x16 { return "it answers with TLS: write wss instead of ws" }
        let start = String(decoding: bytes.prefix(64), as: UTF8.self)
        if start.hasPrefix("ERROR") { return "it answers with STOMP: write stomp instead of ws" }
        return "it does not answer with HTTP: is it a WebSocket port?"
    }

    /// Checks a server's answer.
    ///
    /// - Returns: the subprotocol that it has chosen.
    /// - Throws: `.handshake`, with the end of a sentence.
    func accept(_ head: HTTPHead) throws(TransportError) -> String? {
        try self.checkStatus(head)
        guard head.hasElement("websocket", in: "upgrade"), head.hasElement("upgrade", in: "connection") else {
            throw Self.refusal("its answer does not say Upgrade: websocket and Connection: Upgrade")
        }
        let acceptances = head.values("sec-websocket-accept")
        guard acceptances == [self.key.acceptance] else {
            throw Self.refusal(
                acceptances.isEmpty
                    ? "its answer has no Sec-WebSocket-Accept" : "its Sec-WebSocket-Accept does not answer our key"
            )
        }
        guard head.list("sec-websocket-extensions").isEmpty else {
            throw Self.refusal("it uses an extension that was not offered")
        }
        let chosen = head.list("sec-websocket-protocol")
        guard chosen.count <= 1, chosen.allSatisfy(self.protocols.contains) else {
            let names = chosen.joined(separator: ", ").asPartOfLine()
            throw Self.refusal("it chose the subprotocol \"\(names)\", which was not offered")
        }
        return chosen.first
    }

    private func checkStatus(_ head: HTTPHead) throws(TransportError) {
        let parts = head.startLine.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[1].utf8.count == 3, let status = Int(parts[1])
        else { throw Self.refusal("its answer is not HTTP") }
        guard status != 101 else { return }
        let reason = parts.count > 2 ? " " + String(parts[2]).asPartOfLine(limit: 60) : ""
        var text = "it answers with the HTTP status \(status)\(reason)"
        switch status {
        case 300..<400:
            if let location = head.values("location").first {
                text += ", which points to \(String(location.prefix { $0 != "?" }).asPartOfLine())"
            }
        case 401, 403, 407: text += ": it wants other headers, such as Authorization, or another user"
        case 404: text += ": is the path right? RabbitMQ's is /ws"
        case 200: text += " and no upgrade: is it a WebSocket's path?"
        default: break
        }
        throw Self.refusal(text)
    }

    private static func refusal(_ reason: String) -> TransportError {
        TransportError(kind: .handshake, message: reason)
    }
}
