// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting
import STOMPTransport
import Testing

@testable import STOMP

@Suite("A server's socket options, from its address to the socket", .timeLimit(.minutes(5)))
struct SocketOptionTests {
    @Test(
        "options of a server become options of the transport",
        arguments: [
            ("", "nil nil 0"), ("keepAlive=true", "nil,nil,nil nil 0"), ("keepAlive=false", "nil nil 0"),
            ("keepAliveIdle=1500&keepAliveInterval=2000&keepAliveCount=3", "1.5 seconds,2.0 seconds,3 nil 0"),
            ("localAddress=127.0.0.2", "nil 127.0.0.2 0"), ("localPort=4711", "nil nil 4711"),
            ("localAddress=fe80::1%25en1&localPort=1", "nil fe80::1%en1 1"),
        ]
    )
    func options(query: String, expected: String) throws {
        let server = try STOMPServer("stomp://h" + (query.isEmpty ? "" : "?\(query)"))
        let options = TCPOptions(server.socketOptions)
        func text(_ value: (some Any)?) -> String { value.map { "\($0)" } ?? "nil" }
        let keepAlive = options.keepAlive.map { "\(text($0.idle)),\(text($0.interval)),\(text($0.count))" }
        #expect("\(text(keepAlive)) \(text(options.localHost)) \(options.localPort)" == expected)
    }

    private static func connectError(_ uri: String) async -> STOMPError? {
        do {
            // A machine that is busy with other tests is no answer.
            let configuration = STOMPConfiguration.with(\.connectTimeout, .seconds(300))
            try await STOMPConnection.withConnection(to: try STOMPServer(uri), configuration: configuration) { _ in }
            return nil
        } catch {
            return error as? STOMPError
        }
    }

    #if os(Linux)
    @Test("the broker sees the local address of a session")
    func localAddress() async throws {
        let listener = try TCPListener.bind()
        async let error = Self.connectError("stomp://127.0.0.1:\(listener.port)?localAddress=127.0.0.2")
        let peer = try await listener.accept()
        #expect(peer.peerDescription.hasPrefix("127.0.0.2:"))
        peer.close()
        #expect(await error != nil)
    }

    @Test("what the system refuses is an error that names the option, and may pass")
    func refused() async throws {
        let error = await Self.connectError("stomp://127.0.0.1:61613?keepAliveIdle=40000000")
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("keepAliveIdle 40000 s is not possible") == true)
        #expect(error?.isRetriable == true)
        let foreign = await Self.connectError("stomp://127.0.0.1:61613?localAddress=203.0.113.9")
        #expect(foreign?.code == .connectFailed)
        #expect(foreign?.message.contains("localAddress 203.0.113.9 is not possible") == true)
    }
    #endif

    @Test("what can never be an address is an argument's error, and final")
    func nonsense() async throws {
        var server = STOMPServer(.tcp("localhost"))
        server.socketOptions.localAddress = .init(host: "localhost")
        for server in [server, STOMPServer(.tcp("localhost", port: 0)), STOMPServer(.tcp("::zz"))] {
            let error = await #expect(throws: STOMPError.self) {
                try await STOMPConnection.withConnection(to: server) { _ in }
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.isRetriable == false)
        }
    }

    @Test("an interface that is not there may come")
    func unknownInterface() async {
        let error = await Self.connectError("stomp://[fe80::1%25none]")
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("no network interface \"none\"") == true)
    }

    @Test("a list is settled by this machine's own names")
    func settled() throws {
        let isName = { (name: String) in name.contains { $0.isLetter } && !name.contains(":") && name != "localhost" }
        // A machine may have none but "localhost".
        guard let name = LocalNames.current().first(where: isName) else { return }
        var list = try STOMPServerList("failover:(stomp://elsewhere.example,stomp://\(name))?randomize=false")
        #expect(list.settled().description == list.description)
        list.prefersLocalhost = true
        #expect(list.settled().servers.map(\.endpoint.host) == [name, "elsewhere.example"])
        #expect(STOMPClient(list).servers.servers.map(\.endpoint.host) == [name, "elsewhere.example"])
        list.triesLoopback = true
        #expect(list.settled().servers.first?.endpoint.host == "127.0.0.1")
    }
}
