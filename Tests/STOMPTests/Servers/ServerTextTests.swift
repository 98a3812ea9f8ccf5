// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting
import Testing

@testable import STOMP

@Suite("A server from text", .timeLimit(.minutes(5)))
struct ServerTextTests {
    @Test(
        "each scheme leads to its transport and port",
        arguments: [
            ("stomp://h", .tcp("h", port: 61_613)), ("tcp://h:1", .tcp("h", port: 1)),
            ("stomp+ssl://h", .tls("h", port: 61_614)), ("ssl://h:65535", .tls("h", port: 65_535)),
            ("SSL://h/", .tls("h", port: 61_614)),
            ("ws://h", .webSocket("h", port: 80, path: "/")),
            ("ws://h:15674/ws", .webSocket("h", port: 15_674, path: "/ws")),
            ("wss://h/a/b", .secureWebSocket("h", port: 443, path: "/a/b")),
            ("unix:/run/b.sock", .unixSocket("/run/b.sock")), ("unix:///run/b.sock", .unixSocket("/run/b.sock")),
            ("unix:/run/a%20b", .unixSocket("/run/a b")),
            ("stomp://[::1]", .tcp("::1")), ("stomp://[2001:db8::7]:1", .tcp("2001:db8::7", port: 1)),
            ("stomp://[1:2:3:4:5:6:7:8]", .tcp("1:2:3:4:5:6:7:8")),
            ("stomp://[::ffff:10.0.0.1]", .tcp("::ffff:10.0.0.1")),
            ("stomp://[fe80::1%25en1]:2", .tcp("fe80::1%en1", port: 2)),
            ("stomp://[fe80::1%en1]:2", .tcp("fe80::1%en1", port: 2)),
            ("stomp://a_b-c.example:1", .tcp("a_b-c.example", port: 1)),
        ] as [(String, STOMPEndpoint)]
    )
    func schemes(text: String, endpoint: STOMPEndpoint) throws {
        let server = try STOMPServer(text)
        #expect(server.endpoint == endpoint)
        #expect(server.virtualHost == "/")
        #expect(server.login == nil)
    }

    @Test("user info stands in each scheme", arguments: ["stomp", "tcp", "stomp+ssl", "ssl", "ws", "wss"])
    func login(scheme: String) throws {
        let server = try STOMPServer("\(scheme)://a%3Ab:c%40%2C%29@h:1")
        #expect(server.login == STOMPLogin("a:b", passcode: "c@,)"))
        #expect(try STOMPServer("unix://me:pw@/run/b").login == STOMPLogin("me", passcode: "pw"))
    }

    @Test(
        "the path is the virtual host, and `/` the default one",
        arguments: [
            ("stomp://h", "/"), ("stomp://h/", "/"), ("stomp://h/prod", "prod"), ("ssl://h:1/%2Fprod", "/prod"),
            ("stomp://h/a%20b%C3%BC", "a bü"), ("stomp://h?virtualHost=%2Fx", "/x"), ("ws://h/ws?virtualHost=v", "v"),
        ]
    )
    func virtualHost(text: String, name: String) throws {
        #expect(try STOMPServer(text).virtualHost == name)
    }

    @Test("each option of a server")
    func options() throws {
        let server = try STOMPServer(
            "stomp://h?keepAliveIdle=60000&keepAliveInterval=10000&keepAliveCount=5,localAddress=10.0.0.1&localPort=99"
                + "&header.client-id=a%26b%2C%40&header.x=&virtualHost=v"
        )
        #expect(server.socketOptions.keepAlive == .init(idle: .seconds(60), interval: .seconds(10), count: 5))
        #expect(server.socketOptions.localAddress == .init(host: "10.0.0.1", port: 99))
        #expect(server.headers == ["client-id": "a&b,@", "x": ""])
        #expect(server.virtualHost == "v")
        #expect(try STOMPServer("stomp://h?keepAlive=true").socketOptions.keepAlive == .init())
        #expect(try STOMPServer("stomp://h?keepAlive=false").socketOptions.keepAlive == nil)
        #expect(try STOMPServer("stomp://h?localPort=99").socketOptions.localAddress == .init(port: 99))
        for address in ["localAddress=fe80::1%25en1", "localAddress=[fe80::1%en1]"] {
            let bound = try STOMPServer("stomp://h?\(address)")
            #expect(bound.socketOptions.localAddress == .init(host: "fe80::1%en1"))
        }
        #expect(try STOMPServer("stomp://h").socketOptions == STOMPSocketOptions())
    }

    @Test(
        "what cannot be read: why, and in which column",
        arguments: [
            ("▸", "no scheme"), ("▸localhost", "no scheme"), ("▸localhost:61613", "the scheme is none of"),
            ("▸http://h", "the scheme is none of"), ("▸failover:(stomp://a)", "a STOMPServerList"),
            ("stomp:▸h", "\"//\" is missing"), ("stomp:▸/h", "\"//\" is missing"),
            ("stomp://▸", "no host"), ("stomp://u:hunter2@▸:1", "no host"), ("stomp://▸/v", "no host"),
            ("stomp://h:▸", "a port is 1 to 65535"), ("stomp://h:▸0", "a port is 1 to 65535"),
            ("stomp://h:▸65536", "a port is 1 to 65535"), ("stomp://h:▸-1", "a port is 1 to 65535"),
            ("stomp://h:▸99999999999999999999", "a port is 1 to 65535"), ("stomp://u:▸hunter2", "a port is"),
            ("stomp://[::1]▸61613", "a port is written as"), ("stomp://▸[::1", "a \"[\" has no \"]\""),
            ("stomp://[▸]", "not an IPv6 address"), ("stomp://[▸1.2.3.4]", "not an IPv6 address"),
            ("stomp://[▸1:2:3:4:5:6:7]", "not an IPv6 address"), ("stomp://[▸1::2::3]", "not an IPv6 address"),
            ("stomp://[▸1:2:3:4:5:6:7:8:9]", "not an IPv6 address"), ("stomp://[▸::12345]", "not an IPv6 address"),
            ("stomp://[▸::1.2.3.256]", "not an IPv6 address"), ("stomp://[▸::1.2.3]", "not an IPv6 address"),
            ("stomp://[▸1.2.3.4::]", "not an IPv6 address"), ("stomp://[▸:1:2:3:4:5:6:7:8]", "not an IPv6 address"),
            ("stomp://[fe80::1▸%]", "zone"), ("stomp://[fe80::1▸%25]", "zone"), ("stomp://[fe80::1▸%25e!1]", "zone"),
            ("stomp://a▸ b", "a space"), ("▸ stomp://h", "a space"), ("stomp://h▸\n", "a space"),
            ("stomp://h▸\u{7}", "control character"), ("stomp://h▸\u{a0}", "a space"),
            ("stomp://a▸(b", "a host consists of"), ("stomp://a▸%20b", "a host consists of"),
            ("stomp://u▸%:hunter2@h", "\"%\" without two"), ("stomp://u:hunter2▸%4@h", "\"%\" without two"),
            ("stomp://u:▸%ffhunter2@h", "not UTF-8"), ("stomp://▸%00:hunter2@h", "NUL"),
            ("stomp://u:▸%0ahunter2@h", "an end of line"),
            ("stomp://h/▸a%0D", "an end of line"),
            ("stomp://u:1▸/hunter2@h", "within a password"), ("stomp://u:1▸#hunter2@h", "within a password"),
            ("stomp://h▸#x", "\"#\" has no meaning"), ("stomp://h/a▸/b", "written as %2F"),
            ("stomp://h/a▸%zz", "\"%\" without two"),
            ("stomp://u:1?▸hunter2@h", "NAME=VALUE"), ("stomp://u:1?▸a=hunter2@h", "within a password or value"),
            ("unix:▸run", "starts with \"/\""), ("unix:▸", "starts with \"/\""), ("unix:▸/", "starts with \"/\""),
            ("unix:▸//host/run", "unix:/PATH"),
        ] as [(MarkedText, String)]
    )
    func unreadable(text: MarkedText, reason: String) {
        text.expectError(reason) { try STOMPServer($0) }
        // A list of one says the same.
        if !text.text.hasPrefix("failover") { text.expectError(reason) { try STOMPServerList($0) } }
    }

    @Test(
        "options that cannot be read are named, their values are not",
        arguments: [
            ("stomp://h?▸", "NAME=VALUE"), ("stomp://h?▸keepAlive", "NAME=VALUE"), ("stomp://h?▸=x", "NAME=VALUE"),
            ("stomp://h?keepAlive=true&▸", "NAME=VALUE"), ("stomp://h?a▸ b=x", "a space"),
            ("stomp://h?▸keepAlive=hunter2", "keepAlive needs true or false"),
            ("stomp://h?▸keepAlive=True", "keepAlive needs true or false"),
            ("stomp://h?keepAlive=true&▸keepAlive=true", "keepAlive is given twice"),
            ("stomp://h?▸keepAliveIdle=0", "keepAliveIdle needs a whole number of milliseconds, 1 at least"),
            ("stomp://h?▸keepAliveInterval=1.5", "keepAliveInterval needs a whole number"),
            ("stomp://h?▸keepAliveCount=-1", "keepAliveCount needs a whole number, 1 at least"),
            ("stomp://h?▸keepAliveIdle=3000000000001", "keepAliveIdle is more than"),
            ("stomp://h?▸localPort=65536", "localPort needs a port"),
            ("stomp://h?▸localPort=0", "localPort needs a port"),
            ("stomp://h?▸localAddress=", "localAddress needs an address"),
            ("stomp://h?▸localAddress=1::2::3", "localAddress needs an address"),
            ("stomp://h/v?▸virtualHost=w", "virtualHost names a second virtual host"),
            ("stomp://h?virtualHost=▸%zz", "the option virtualHost has a \"%\""),
            ("stomp://h?▸header.=x", "needs the name of a header"),
            ("stomp://h?▸header.passcode=hunter2", "header.passcode names a header that the client sets itself"),
            ("stomp://h?▸header.host=x", "the client sets itself"),
            ("stomp://h?▸keepalive=true", "keepalive is not known for a server; there are virtualHost, keepAlive,"),
            ("stomp://h?▸randomize=true", "randomize is not known for a server"),
            ("stomp://h?proxy=▸p", "a proxy is written as HOST:PORT"),
            ("stomp://h?proxy=p:▸0", "is not a port"), ("stomp://h?proxy=▸:1", "it has no host"),
            ("unix:/run/b?▸proxy=p:1", "proxy is not for unix addresses"),
            ("unix:/run/b?▸keepAlive=true", "keepAlive is not for unix addresses"),
            ("unix:/run/b?▸localPort=1", "localPort is not for unix addresses"),
            ("ws://h?▸ws.frames=hunter2", "ws.frames needs binary or text"),
            ("stomp://h?▸ws.frames=text", "ws.frames is for ws and wss addresses only"),
            ("unix:/run/b?▸ws.path=/a", "ws.path is for ws and wss addresses only"),
            ("ws://h/a?▸ws.path=/b", "ws.path names a second path"),
            ("wss://h?▸ws.path=b", "ws.path needs a path that starts with \"/\""),
            ("ws://h?▸ws.path=/a%20b", "ws.path needs a path"), ("ws://h?▸ws.path=/a%23b", "ws.path needs a path"),
            ("ws://h?ws.path=▸%zz", "the option ws.path has a \"%\""),
            ("ws://h?▸ws.nothing=1", "ws.nothing is not known for a server"),
            ("ws://h▸/ü", "the path of a WebSocket is ASCII"),
        ] as [(MarkedText, String)]
    )
    func badOptions(text: MarkedText, reason: String) {
        text.expectError(reason) { try STOMPServer($0) }
    }

    @Test("a WebSocket's path, query and frames are options, and a query is in no description")
    func webSocketOptions() throws {
        let server = try STOMPServer("ws://h:1?ws.path=/ws%3Ftoken%3Dhunter2%26b%3D%2520&ws.frames=text")
        #expect(server.endpoint == .webSocket("h", port: 1, path: "/ws?token=hunter2&b=%20"))
        #expect(server.webSocketOptions.frames == .text)
        #expect("\(server.endpoint)" == "ws://h:1/ws")
        var text = ""
        dump(server, to: &text)
        #expect(!text.contains("hunter2"))
        #expect(try STOMPServer("wss://h/ws?ws.frames=binary").webSocketOptions.frames == .binary)
        #expect(try STOMPServer("ws://h/a%2Fb").endpoint == .webSocket("h", path: "/a%2Fb"))
        let list = try STOMPServerList("failover:(ws://a/x,ws://b)?nested.ws.path=/y&nested.ws.frames=text")
        #expect(list.servers.map(\.endpoint.webSocketPath) == ["/y", "/y"])
        #expect(list.servers.allSatisfy { $0.webSocketOptions.frames == .text })
    }

    @Test("a WebSocket's headers keep their values for themselves")
    func webSocketHeaders() {
        var server = STOMPServer(.webSocket("h"))
        server.webSocketOptions.headers = ["Authorization": "hunter2"]
        var dumped = ""
        dump(server, to: &dumped)
        for text in ["\(server)", "\(server.webSocketOptions)", String(reflecting: server), dumped] {
            #expect(!text.contains("hunter2"), "\(text)")
        }
        #expect("\(server.webSocketOptions)" == "binary frames, headers Authorization")
    }

    @Test("what can never be a request is final, and nothing is connected to")
    func impossibleRequests() async throws {
        for endpoint in [STOMPEndpoint.unixSocket(String(repeating: "x", count: 200)), .unixSocket("")] {
            let error = await #expect(throws: STOMPError.self) {
                _ = try await STOMPServer(endpoint).connect(versions: [.v12], time: TimeSource(ManualClock()))
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test(
        "endpoints describe themselves as they are written",
        arguments: [
            ("stomp://h:1", "h:1"), ("ssl://[::1]:1", "ssl://[::1]:1"), ("ws://h:1/ws", "ws://h:1/ws"),
            ("wss://h", "wss://h:443/"), ("unix:/run/b", "unix:/run/b"),
        ]
    )
    func descriptions(text: String, description: String) throws {
        #expect(try "\(STOMPServer(text).endpoint)" == description)
    }
}
