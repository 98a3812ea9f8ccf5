// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPServer {
    /// Reads an address such as `stomp://guest:guest@localhost:61613/vhost`.
    ///
    /// | Scheme | Transport | Port unless given | Path |
    /// | --- | --- | --- | --- |
    /// | `stomp`, `tcp` | TCP | 61613 | the virtual host |
    /// | `stomp+ssl`, `ssl` | TLS | 61614 | the virtual host |
    /// | `ws` | WebSocket | 80 | the request's path |
    /// | `wss` | WebSocket over TLS | 443 | the request's path |
    /// | `unix` | Unix-domain socket: `unix:/run/broker.sock` | none | the socket |
    ///
    /// User, password and virtual host may contain percent-escapes; an IPv6 address stands in brackets, with its zone
    /// after `%25` or `%`. Options follow `?`, as <doc:Servers> lists them; a query of a WebSocket's request is one of
    /// them (`ws.path`).
    ///
    /// - Throws: ``STOMPError/Code/invalidURI``. The message says what is wrong and in which column; it never repeats
    ///   a password.
    public init(_ uri: String) throws(STOMPError) {
        let text = uri[...]
        try text.checkCharacters()
        guard text.scheme?.lowercased() != "failover" else {
            throw text.invalid("this is a list of servers; make a STOMPServerList of it")
        }
        let (address, query) = text.divided { $0 == "?" }
        try self.init(address: address)
        let options = try AddressOption.options(query)
        for option in options { try ServerOption.apply(option, to: &self) }
        try TLSOption.check(options, of: self)
    }

    /// Reads an address without options.
    init(address text: Substring) throws(STOMPError) {
        guard let scheme = text.scheme else { throw text.invalid("it has no scheme; write stomp://HOST:PORT") }
        let rest = text[scheme.endIndex...].dropFirst()
        if scheme.lowercased() == "unix" {
            self = try Self.unixSocket(rest)
            return
        }
        guard let defaultPort = Self.defaultPorts[scheme.lowercased()] else {
            throw text.invalid("the scheme is none of stomp, tcp, stomp+ssl, ssl, ws, wss and unix")
        }
        guard rest.hasPrefix("//") else { throw rest.invalid("\"//\" is missing after the scheme") }
        let (authority, path) = rest.dropFirst(2).divided { $0 == "/" || $0 == "#" }
        try Self.checkPath(path)
        let (login, place) = try Self.loginAndPlace(authority)
        let (host, port) = try Self.hostAndPort(place, defaultPort: defaultPort)
        switch scheme.lowercased() {
        case "ws", "wss":
            guard path.map({ Self.isRequestTarget(String($0)) }) ?? true else {
                throw (path ?? rest).invalid("the path of a WebSocket is ASCII; write the rest as percent-escapes")
            }
        default: break
        }
        switch scheme.lowercased() {
        case "ws":
            self.init(.webSocket(host, port: port, path: String(path ?? "/")), login: login)
        case "wss":
            self.init(.secureWebSocket(host, port: port, path: String(path ?? "/")), login: login)
        case "ssl", "stomp+ssl":
            self.init(.tls(host, port: port), login: login)
            try self.readVirtualHost(path)
        default:
            self.init(.tcp(host, port: port), login: login)
            try self.readVirtualHost(path)
        }
    }

    private static let defaultPorts = [
        "stomp": 61_613, "tcp": 61_613, "stomp+ssl": 61_614, "ssl": 61_614, "ws": 80, "wss": 443,
    ]

    private static func unixSocket(_ text: Substring) throws(STOMPError) -> STOMPServer {
        var path = text
        var login: STOMPLogin?
        if text.hasPrefix("//") {
            let (authority, rest) = text.dropFirst(2).divided { $0 == "/" }
            let (user, place) = try self.loginAndPlace(authority)
            guard place.isEmpty, let rest else { throw text.invalid("write unix:/PATH or unix:///PATH") }
            login = user
            path = rest
        }
        guard path.hasPrefix("/"), path.count > 1 else {
            throw path.invalid("the path of a Unix socket starts with \"/\"")
        }
        try self.checkPath(path)
        return STOMPServer(.unixSocket(try path.percentDecoded("the path")), login: login)
    }

    /// Whether HTTP can ask for it.
    static func isRequestTarget(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
    }

    /// A `/` or `#` within a password ends the authority too early; its `@` then shows up here.
    private static func checkPath(_ path: Substring?) throws(STOMPError) {
        guard let path else { return }
        guard !path.contains("@") else {
            throw path.invalid("\"/\", \"#\" and \"@\" within a password or path are written as %2F, %23 and %40")
        }
        if let place = path.firstIndex(of: "#") { throw path[place...].invalid("\"#\" has no meaning here") }
    }

    private mutating func readVirtualHost(_ path: Substring?) throws(STOMPError) {
        guard let name = path?.dropFirst(), !name.isEmpty else { return }
        if let place = name.firstIndex(of: "/") {
            throw name[place...].invalid("a \"/\" within the virtual host is written as %2F")
        }
        self.virtualHost = try name.percentDecoded("the virtual host")
    }

    private static func loginAndPlace(_ text: Substring) throws(STOMPError) -> (STOMPLogin?, Substring) {
        guard let at = text.lastIndex(of: "@") else { return (nil, text) }
        let (user, passcode) = text[..<at].divided { $0 == ":" }
        let login = STOMPLogin(
            try user.percentDecoded("the user"),
            passcode: try (passcode?.dropFirst() ?? "").percentDecoded("the password")
        )
        return (login, text[at...].dropFirst())
    }

    private static func hostAndPort(_ text: Substring, defaultPort: Int) throws(STOMPError) -> (String, Int) {
        let host: String
        let afterHost: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { throw text.invalid("a \"[\" has no \"]\"") }
            host = try IPv6Literal.host(text[..<close].dropFirst())
            let rest = text[close...].dropFirst()
            afterHost = rest.isEmpty ? nil : rest
        } else {
            let (name, rest) = text.divided { $0 == ":" }
            try self.checkName(name)
            host = String(name)
            afterHost = rest
        }
        guard let afterHost else { return (host, defaultPort) }
        guard afterHost.first == ":" else { throw afterHost.invalid("a port is written as \":61613\"") }
        guard let port = afterHost.dropFirst().wholeNumber, (1...65_535).contains(port) else {
            throw afterHost.dropFirst().invalid("what follows the host is not a port; a port is 1 to 65535")
        }
        return (host, port)
    }

    /// Reads `HOST:PORT`.
    static func proxy(_ text: Substring) throws(STOMPError) -> STOMPHTTPProxy {
        let (host, port) = try self.hostAndPort(text, defaultPort: 0)
        guard port > 0 else { throw text.invalid("a proxy is written as HOST:PORT") }
        return STOMPHTTPProxy(host: host, port: port)
    }

    /// Where a name cannot be one.
    static func badPlace(inName name: Substring) -> Substring.Index? {
        name.firstIndex { !($0.isLetter || $0.isNumber || "-._".contains($0)) }
    }

    private static func checkName(_ name: Substring) throws(STOMPError) {
        guard !name.isEmpty else { throw name.invalid("it has no host") }
        if let place = self.badPlace(inName: name) {
            throw name[place...].invalid("a host consists of letters, digits, \".\", \"-\" and \"_\"")
        }
    }

    /// A host that stands alone: a name, or an address, an IPv6 one with or without brackets.
    static func host(_ text: String) -> String? {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        guard isBracketed || text.contains(":") else {
            return text.isEmpty || self.badPlace(inName: text[...]) != nil ? nil : text
        }
        return try? IPv6Literal.host(isBracketed ? text.dropFirst().dropLast() : text[...])
    }
}
