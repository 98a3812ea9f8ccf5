// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A way to a host through an HTTP proxy (RFC 9110, section 9.3.6).
package struct HTTPTunnel: Sendable {
    /// Where it leads.
    private let target: String
    /// User and password for the proxy (RFC 7617).
    private let credentials: (user: String, password: String)?
    private static let answerLimit = 16 * 1024
    private static let opening = "asking the proxy at"

    /// - Parameters:
    ///   - host: a name or an address of the host that is to be reached, without brackets.
    ///   - port: its port.
    ///   - credentials: what the proxy wants to know; its colon divides them, so the user has none.
    package init(host: String, port: Int, credentials: (user: String, password: String)? = nil) {
        // A zone means something on this machine only.
        let name = host.prefix { $0 != "%" }
        self.target = "\(name.contains(":") ? "[\(name)]" : String(name)):\(port)"
        self.credentials = credentials
    }

    var request: [UInt8] {
        var text = "CONNECT \(self.target) HTTP/1.1\r\nHost: \(self.target)\r\n"
        if let (user, password) = self.credentials {
            text += "Proxy-Authorization: Basic \(Base64.encode(Array("\(user):\(password)".utf8)))\r\n"
        }
        return Array((text + "\r\n").utf8)
    }

    /// Asks the proxy at the other end of a stream; when this returns, the stream leads to the host.
    ///
    /// Sets no deadline: the caller cancels. Unless it succeeds, the stream is closed.
    ///
    /// - Parameter proxy: the stream.
    /// - Throws: `.handshake` with what the proxy answers instead; `.closed`; `.invalidAddress`.
    package func open(over proxy: any ByteTransport) async throws(TransportError) {
        do throws(TransportError) {
            // Nothing may end a line early.
            guard self.target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw TransportError(kind: .invalidAddress, message: "A proxy is told the name of a host in ASCII.")
            }
            guard self.credentials?.user.contains(":") != true else {
                throw TransportError(kind: .invalidAddress, message: "The user of a proxy has no colon in it.")
            }
            try await proxy.writeWhole(self.request, during: Self.opening)
            var reader = HTTPHeadReader(limit: Self.answerLimit)
            let bytes = try await proxy.readHead(&reader, during: Self.opening) { bytes in
                let expected = Array("HTTP/1.".utf8)
                let isPossible = bytes.starts(with: expected) || expected.starts(with: bytes)
                return isPossible ? nil : "it does not answer with HTTP: is it a proxy?"
            }
            try Self.check(HTTPHead(bytes))
            // Nobody whom we want to reach speaks first.
            guard reader.rest.isEmpty else {
                throw TransportError(kind: .handshake, message: "it sends more than its answer")
            }
        } catch {
            proxy.close()
            guard error.kind == .handshake else { throw error }
            throw TransportError(
                kind: .handshake,
                message: "The proxy at \(proxy.peerDescription) leads nowhere: \(error.message)."
            )
        }
    }

    private static func check(_ head: HTTPHead?) throws(TransportError) {
        let parts = head?.startLine.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false) ?? []
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), parts[1].utf8.count == 3, let status = Int(parts[1])
        else { throw TransportError(kind: .handshake, message: "its answer is not HTTP") }
        guard !(200..<300).contains(status) else { return }
        let reason = parts.count > 2 ? " " + String(parts[2]).asPartOfLine(limit: 60) : ""
        let hint =
            switch status {
            case 407: ": it wants a user and a password, or others"
            case 403: ": it does not let this host or port through"
            case 502, 504: ": it cannot reach the host"
            default: ""
            }
        throw TransportError(kind: .handshake, message: "it answers with the HTTP status \(status)\(reason)\(hint)")
    }
}
