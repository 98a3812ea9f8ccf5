// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

// The code of Servers.md, word for word, so that it compiles; `SnippetTests` compares them.

private func addresses() throws -> (STOMPServer, [STOMPServerList]) {
    let one = try STOMPServer("stomp://guest:guest@localhost:61613")
    let list: STOMPServerList = [STOMPServer(.tcp("a.example")), STOMPServer(.tcp("b.example"))]
    let failover = try STOMPServerList("failover:(stomp://a.example,stomp://b.example)?randomize=false")
    return (one, [list, failover])
}

private func webSocket() -> STOMPServer {
    var server = STOMPServer(.webSocket("localhost", port: 15674, path: "/ws?token=abc"))
    server.login = STOMPLogin("guest", passcode: "guest")
    server.webSocketOptions.headers = ["Authorization": "Bearer abc"]
    server.webSocketOptions.frames = .text
    return server
}

private func patience() -> STOMPReconnectPolicy {
    var policy = STOMPReconnectPolicy(.exponential(initial: .milliseconds(100), maximum: .seconds(20)))
    policy.maximumAttemptsAtStart = .limited(5)
    policy.timeout = .seconds(600)
    policy.refusalLater = .final
    return policy
}

private func fromFile() throws -> STOMPServerList {
    let settings = try STOMPSettings(file: "client.cfg")
    for warning in settings.warnings { print(warning) }
    let servers = settings.servers
    return servers
}
