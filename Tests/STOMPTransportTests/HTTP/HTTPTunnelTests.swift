// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite("Through an HTTP proxy", .timeLimit(.minutes(5)))
struct HTTPTunnelTests {
    @Test("The request names the host, and the user if there is one")
    func request() {
        #expect(
            String(decoding: HTTPTunnel(host: "broker.example", port: 61_613).request, as: UTF8.self)
                == "CONNECT broker.example:61613 HTTP/1.1\r\nHost: broker.example:61613\r\n\r\n"
        )
        // RFC 7617, section 2.
        let credentials = (user: "Aladdin", password: "open sesame")
        #expect(
            String(decoding: HTTPTunnel(host: "fe80::1%eth0", port: 1, credentials: credentials).request, as: UTF8.self)
                == "CONNECT [fe80::1]:1 HTTP/1.1\r\nHost: [fe80::1]:1\r\n"
                + "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
        )
    }

    @Test(
        "Behind the proxy's answer the stream is the host's",
        arguments: [
            "HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nVia: x\r\n\r\n", "HTTP/1.1 299 \n\n",
        ]
    )
    func open(answer: String) async throws {
        let (one, proxy) = InMemoryPipe.makePair()
        async let opened: Void = HTTPTunnel(host: "h", port: 1).open(over: one)
        let asked = "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n"
        #expect(try await proxy.readExactly(asked.utf8.count) == Array(asked.utf8))
        // In pieces, as they may come.
        for byte in answer.utf8 { try await proxy.writeAll([byte]) }
        try await opened
        try await one.writeAll([1, 2, 3])
        #expect(try await proxy.readExactly(3) == [1, 2, 3])
        try await proxy.writeAll([4, 5])
        #expect(try await one.readExactly(2) == [4, 5])
    }

    @Test(
        "Any other answer closes the stream, and is named",
        arguments: [
            (
                "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                "407 Proxy Authentication Required: it wants a user"
            ),
            ("HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden: it does not let this host or port through"),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway: it cannot reach the host"),
            ("HTTP/1.1 301 Moved\r\n\r\n", "the HTTP status 301 Moved."),
            ("HTTP/1.1 200 OK\r\n\r\nhello", "sends more than its answer"),
            ("HTTP/2 200\r\n\r\n", "is it a proxy?"), ("ERROR\n\n\0", "is it a proxy?"),
            ("HTTP/1.1 2000 OK\r\n\r\n", "its answer is not HTTP"), ("HTTP/1.1\r\n\r\n", "its answer is not HTTP"),
            ("HTTP/1.1 200 OK\r\nX\r\n\r\n", "its answer is not HTTP"),
        ]
    )
    func refused(answer: String, reason: String) async throws {
        let (one, proxy) = InMemoryPipe.makePair()
        try await proxy.writeAll(Array(answer.utf8))
        let error = await #expect(throws: TransportError.self) {
            try await HTTPTunnel(host: "h", port: 1, credentials: ("u", "hunter2")).open(over: one)
        }
        #expect(error?.kind == .handshake)
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("hunter2") == false)
        #expect(await errorKind { () throws(TransportError) in _ = try one.readOnce() } == .closed)
    }

    @Test("An answer without an end, and the proxy's own end, are errors")
    func endless() async throws {
        let (one, proxy) = InMemoryPipe.makePair()
        try await proxy.writeAll(Array(("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 3_000)).utf8))
        let kind = await errorKind { () async throws(TransportError) in
            try await HTTPTunnel(host: "h", port: 1).open(over: one)
        }
        #expect(kind == .handshake)
        let (two, other) = InMemoryPipe.makePair()
        async let opened = errorKind { () async throws(TransportError) in
            try await HTTPTunnel(host: "h", port: 1).open(over: two)
        }
        #expect(try await other.readSome() != nil)
        other.close()
        #expect([.handshake, .closed].contains(await opened))
    }

    @Test("What could end a line early is refused before anything is sent")
    func injection() async throws {
        for (host, user) in [("h\r\nX: y", "u"), ("h h", "u"), ("hü", "u"), ("h", "u:v")] {
            let (one, proxy) = InMemoryPipe.makePair()
            let kind = await errorKind { () async throws(TransportError) in
                try await HTTPTunnel(host: host, port: 1, credentials: (user, "p")).open(over: one)
            }
            #expect(kind == .invalidAddress)
            #expect(try await proxy.readToEnd() == [])
        }
    }

    @Test("Cancelling ends it")
    func cancelled() async throws {
        let (one, proxy) = InMemoryPipe.makePair()
        let attempt = Task { () -> TransportError.Kind? in
            await errorKind { () async throws(TransportError) in
                try await HTTPTunnel(host: "h", port: 1).open(over: one)
            }
        }
        #expect(try await proxy.readSome() != nil)
        attempt.cancel()
        #expect(await attempt.value == .closed)
        #expect(try await proxy.readToEnd() == [])
    }
}
