// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

extension STOMPServer {
    /// Opens a WebSocket over a stream that leads to the server.
    func openWebSocket(
        over stream: any ByteTransport,
        _ host: String,
        _ port: Int,
        _ path: String,
        _ versions: Set<STOMPVersion>
    ) async throws(TransportError) -> any ByteTransport {
        var options = WebSocketOptions(self.webSocketOptions)
        options.host = Self.hostField(host, port, defaultPort: self.endpoint.isSecure ? 443 : 80)
        options.path = path
        options.protocols = versions.sorted(by: >).map { "v\($0.description.filter { $0 != "." }).stomp" }
        return try await WebSocketTransport.connect(over: stream, options: options, name: self.endpoint.description)
    }

    /// The Host of the request (RFC 9110, section 7.2).
    private static func hostField(_ host: String, _ port: Int, defaultPort: Int) -> String {
        // A zone means something on this machine only.
        let name = host.prefix { $0 != "%" }
        let text = name.contains(":") ? "[\(name)]" : String(name)
        return port == defaultPort ? text : "\(text):\(port)"
    }
}

extension WebSocketOptions {
    init(_ options: STOMPWebSocketOptions) {
        self.init()
        self.kind = options.frames == .text ? .text : .binary
        self.checksText = options.textChecking == .strict
        self.fields = options.headers.fields.map { ($0.name.rawValue, $0.value) }
        self.outgoingMessageSize = options.outgoingMessageSize
        self.messageLimit = options.messageLimit
        self.headLimit = options.answerLimit
    }
}
