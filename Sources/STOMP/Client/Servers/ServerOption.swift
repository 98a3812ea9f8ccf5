// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The options that belong to one server of an address.
enum ServerOption {
    static let names =
        [
            "virtualHost", "keepAlive", "keepAliveIdle", "keepAliveInterval", "keepAliveCount", "localAddress",
            "localPort", "proxy", "ws.path", "ws.frames", "header.NAME",
        ] + TLSOption.allCases.map(\.rawValue)

    /// Those of a socket of TCP.
    private static let socketNames: Set<String> = [
        "keepAlive", "keepAliveIdle", "keepAliveInterval", "keepAliveCount", "localAddress", "localPort", "proxy",
    ]

    /// What the client itself says in CONNECT.
    private static let ownHeaders: Set<STOMPHeaders.Name> = [
        .login, .passcode, .host, .acceptVersion, .heartBeat,
    ]

    static func isKnown(_ name: Substring) -> Bool {
        self.names.contains(String(name)) || name.hasPrefix("header.") || TLSOption.isKnown(name)
    }

    /// One that is nested stands after the list, for all its servers, and wins over a server's own.
    static func apply(
        _ option: AddressOption,
        to server: inout STOMPServer,
        isNested: Bool = false
    ) throws(STOMPError) {
        if option.name.hasPrefix("header.") {
            try self.applyHeader(option, to: &server)
            return
        }
        if TLSOption.isKnown(option.name) {
            try TLSOption.apply(option, to: &server)
            return
        }
        if self.socketNames.contains(String(option.name)), server.endpoint.host == nil {
            throw option.invalid("is not for unix addresses")
        }
        switch option.name {
        case "virtualHost":
            guard isNested || server.virtualHost == "/" else { throw option.invalid("names a second virtual host") }
            server.virtualHost = try option.value.percentDecoded("the option virtualHost")
        case "localAddress":
            guard let host = STOMPServer.host(String(option.value)) else {
                throw option.invalid("needs an address of this machine")
            }
            server.socketOptions.localAddress = .init(host: host, port: server.socketOptions.localAddress?.port ?? 0)
        case "localPort":
            let port = try option.number(1..., "a port, 1 to 65535")
            guard port <= 65_535 else { throw option.invalid("needs a port, 1 to 65535") }
            server.socketOptions.localAddress = .init(host: server.socketOptions.localAddress?.host, port: port)
        case "keepAlive":
            server.socketOptions.keepAlive = try option.flag ? server.socketOptions.keepAlive ?? .init() : nil
        case "keepAliveIdle":
            server.socketOptions.keepAlive = server.socketOptions.keepAlive ?? .init()
            server.socketOptions.keepAlive?.idle = try option.milliseconds(from: 1)
        case "keepAliveInterval":
            server.socketOptions.keepAlive = server.socketOptions.keepAlive ?? .init()
            server.socketOptions.keepAlive?.interval = try option.milliseconds(from: 1)
        case "keepAliveCount":
            server.socketOptions.keepAlive = server.socketOptions.keepAlive ?? .init()
            server.socketOptions.keepAlive?.count = try option.number(1..., "a whole number, 1 at least")
        case "proxy":
            server.proxy = try STOMPServer.proxy(option.value)
        case "ws.path", "ws.frames":
            try self.applyWebSocket(option, to: &server, isNested: isNested)
        default:
            throw option.invalid("is not known for a server; there are \(self.names.joined(separator: ", "))")
        }
    }

    private static func applyWebSocket(
        _ option: AddressOption,
        to server: inout STOMPServer,
        isNested: Bool
    ) throws(STOMPError) {
        guard let path = server.endpoint.webSocketPath else { throw option.invalid("is for ws and wss addresses only") }
        guard option.name == "ws.path" else {
            switch option.value {
            case "binary": server.webSocketOptions.frames = .binary
            case "text": server.webSocketOptions.frames = .text
            default: throw option.invalid("needs binary or text")
            }
            return
        }
        guard isNested || path == "/" else { throw option.invalid("names a second path") }
        let target = try option.value.percentDecoded("the option ws.path")
        guard STOMPServer.isRequestTarget(target) else {
            throw option.invalid(
                "needs a path that starts with \"/\", of ASCII without spaces; write %3F for the \"?\" of a query, and "
                    + "%25 for a \"%\" of the path's own"
            )
        }
        server.endpoint = server.endpoint.webSocket(path: target) ?? server.endpoint
    }

    private static func applyHeader(_ option: AddressOption, to server: inout STOMPServer) throws(STOMPError) {
        let name = STOMPHeaders.Name(String(option.name.dropFirst("header.".count)))
        guard !name.rawValue.isEmpty else { throw option.invalid("needs the name of a header after its dot") }
        guard !self.ownHeaders.contains(name) else {
            throw option.invalid("names a header that the client sets itself, from the user, the path and its settings")
        }
        server.headers[name] = try option.value.percentDecoded("the option \(option.name)")
    }
}
