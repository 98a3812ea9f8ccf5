// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Servers behind an HTTP proxy", .timeLimit(.minutes(5)))
struct ProxyTests {
    /// Reads up to the blank line.
    private func head(_ transport: any ByteTransport) async throws -> String {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            var byte: UInt8 = 0
            switch try withUnsafeMutableBytes(of: &byte, { try transport.read(into: $0) }) {
            case .bytes: bytes.append(byte)
            case .wouldBlock: await transport.waitUntilReadable()
            case .endOfStream: throw CancellationError()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("The proxy is asked for the server by its name, and then is not noticed any more")
    func through() async throws {
        let listener = try TCPListener.bind(port: 0)
        defer { listener.close() }
        var server = STOMPServer(.tcp("broker.example", port: 61_613), login: STOMPLogin("a", passcode: "b"))
        server.proxy = STOMPHTTPProxy(
            host: "127.0.0.1",
            port: listener.port,
            login: STOMPLogin("Aladdin", passcode: "open sesame")
        )
        let place = server
        async let session = withSTOMPClient(place, configuration: .with(\.connectTimeout, .seconds(300))) { client in
            client.session
        }
        let transport = try await listener.accept()
        let asked = try await self.head(transport)
        #expect(asked.hasPrefix("CONNECT broker.example:61613 HTTP/1.1\r\n"))
        #expect(asked.contains("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"))
        let answer = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        #expect(try answer.withUnsafeBytes { try transport.write($0) } == answer.count)
        let peer = ScriptedPeer.Connection(transport)
        #expect(try await peer.receiveFrame().contains("\nlogin:a\n"))
        try await peer.send("CONNECTED\nversion:1.2\nserver:behind\n\n\0")
        let goodbye = try await peer.receiveFrame()
        #expect(goodbye.hasPrefix("DISCONNECT\n"))
        try await peer.send("RECEIPT\nreceipt-id:\(goodbye.header("receipt") ?? "")\n\n\0")
        #expect(try await session?.serverDescription == "behind")
    }

    @Test("A proxy that refuses is a failed attempt, which says so")
    func refused() async throws {
        let listener = try TCPListener.bind(port: 0)
        defer { listener.close() }
        let place = try STOMPServer("stomp://broker.example?proxy=127.0.0.1:\(listener.port)")
        var configuration = STOMPConfiguration.with(\.reconnect, .never)
        configuration.connectTimeout = .seconds(300)
        let final = configuration
        async let error = failure { try await withSTOMPClient(place, configuration: final) { _ in } }
        let transport = try await listener.accept()
        _ = try await self.head(transport)
        let answer = Array("HTTP/1.1 403 Forbidden\r\n\r\n".utf8)
        #expect(try answer.withUnsafeBytes { try transport.write($0) } == answer.count)
        let found = await error
        #expect(found?.code == .connectFailed)
        #expect(found?.message.contains("403 Forbidden") == true)
    }

    @Test("The option reads host and port, and hides nothing")
    func option() throws {
        #expect(try STOMPServer("wss://h?proxy=[::1]:8080").proxy == STOMPHTTPProxy(host: "::1", port: 8_080))
        let list = try STOMPServerList("failover:(stomp://a,ssl://b)?nested.proxy=p:3128")
        #expect(list.servers.map(\.proxy?.description) == ["p:3128", "p:3128"])
        var server = STOMPServer(.tcp("h"))
        server.proxy = STOMPHTTPProxy(host: "p", port: 1, login: STOMPLogin("u", passcode: "hunter2"))
        var text = ""
        dump(server, to: &text)
        #expect(!text.contains("hunter2"))
        #expect(!"\(server)".contains("hunter2"))
    }
}
