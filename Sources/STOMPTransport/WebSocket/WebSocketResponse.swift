// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a server makes of a request to open a WebSocket (RFC 6455, section 4.2).
enum WebSocketResponse: Equatable {
    case accepted([UInt8])
    /// With the answer that says so, and the reason for people here.
    case refused([UInt8], reason: String)

    private static let protocols = ["v12.stomp", "v11.stomp", "v10.stomp"]

    /// - Parameters:
    ///   - head: the request; nil: it was none.
    ///   - path: the path that is served, without its query; nil: any.
    init(answering head: HTTPHead?, path: String?) {
        guard let head else {
            self = Self.refusal("400 Bad Request", "the request is not HTTP")
            return
        }
        let parts = head.startLine.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].hasPrefix("HTTP/1.") else {
            self = Self.refusal("400 Bad Request", "the request is not HTTP")
            return
        }
        guard parts[0] == "GET", parts[2] != "HTTP/1.0", head.values("host").count == 1 else {
            self = Self.refusal("400 Bad Request", "the request is not a GET of HTTP/1.1 with one Host")
            return
        }
        guard path == nil || parts[1].prefix(while: { $0 != "?" }) == path.map({ $0[...] }) else {
            self = Self.refusal("404 Not Found", "the path is another")
            return
        }
        guard head.hasElement("websocket", in: "upgrade"), head.hasElement("upgrade", in: "connection") else {
            self = Self.refusal("426 Upgrade Required", "the request does not ask for a WebSocket")
            return
        }
        guard head.values("sec-websocket-version") == ["13"] else {
            self = Self.refusal("426 Upgrade Required", "the WebSocket's version is another than 13")
            return
        }
        let keys = head.values("sec-websocket-key")
        guard keys.count == 1, let key = keys.first.flatMap({ WebSocketKey($0) }) else {
            self = Self.refusal("400 Bad Request", "the WebSocket's key is not 16 bytes")
            return
        }
        // As RabbitMQ: the highest of those offered, none where none is known.
        let offered = head.list("sec-websocket-protocol")
        let chosen = Self.protocols.first { offered.contains($0) }
        var text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Accept: \(key.acceptance)\r\n"
        if let chosen { text += "Sec-WebSocket-Protocol: \(chosen)\r\n" }
        self = .accepted(Array((text + "\r\n").utf8))
    }

    private static func refusal(_ status: String, _ reason: String) -> WebSocketResponse {
        let text =
            "HTTP/1.1 \(status)\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: close\r\n"
            + "Content-Length: 0\r\n\r\n"
        return .refused(Array(text.utf8), reason: reason)
    }

    /// To a request that is longer than it may be.
    static let tooLong = Self.refusal("431 Request Header Fields Too Large", "the request is too long")
}
