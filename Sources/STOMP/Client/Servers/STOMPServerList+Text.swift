// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPServerList {
    /// Whose meaning the options of a `failover:` address have where clients differ.
    @nonexhaustive
    public enum Dialect: Sendable, Hashable {
        /// ActiveMQ since 5.6: `maxReconnectAttempts=0` is "do not reconnect"; `randomize` is true unless given.
        case activeMQ
        /// ActiveMQ before 5.6 and NMS: `maxReconnectAttempts=0` is "no limit"; `randomize` is true unless given.
        case activeMQBefore56
        /// The `stomp` gem: `maxReconnectAttempts=0` is "no limit"; `randomize` is false unless given.
        case ruby
    }

    /// Reads an address such as `stomp://a` or `failover:(stomp://a,stomp://b)?randomize=false`.
    ///
    /// One server as ``STOMPServer/init(_:)``; several as ActiveMQ's failover addresses: also `failover://(…)`, also
    /// without the parentheses, with options separated by `&` or `,`. <doc:Servers> lists the options.
    ///
    /// - Parameters:
    ///   - text: the address.
    ///   - dialect: whose meaning the options have.
    /// - Throws: ``STOMPError/Code/invalidURI``, also for an option that is unknown. The message says what is wrong and
    ///   in which column; it never repeats a password.
    public init(_ text: String, dialect: Dialect = .activeMQ) throws(STOMPError) {
        guard let scheme = text[...].scheme, scheme.lowercased() == "failover" else {
            self.init([try STOMPServer(text)])
            return
        }
        try text[...].checkCharacters()
        var rest = text[scheme.endIndex...].dropFirst()
        if rest.hasPrefix("//") { rest = rest.dropFirst(2) }
        let isParenthesized = rest.hasPrefix("(")
        let (inner, query) = isParenthesized ? try Self.parenthesized(rest) : (rest, nil)
        try Self.checkParentheses(inner)

        var options = FailoverOptions(dialect: dialect)
        var servers: [STOMPServer] = []
        var optionsOfServers: [[AddressOption]] = []
        let parts = try Self.parts(inner)
        for (index, part) in parts.enumerated() {
            let (address, ownQuery) = part.divided { $0 == "?" }
            var server = try STOMPServer(address: address)
            let ownOptions = try AddressOption.options(ownQuery)
            optionsOfServers.append(ownOptions)
            for option in ownOptions {
                // Without parentheses nothing but its name says whose the last options are.
                if !isParenthesized, index == parts.count - 1, !ServerOption.isKnown(option.name) {
                    try options.read(option)
                } else {
                    try Self.checkPlace(of: option)
                    try ServerOption.apply(option, to: &server)
                }
            }
            servers.append(server)
        }
        for option in try AddressOption.options(query) { try options.read(option) }
        for index in servers.indices {
            for option in options.nested { try ServerOption.apply(option, to: &servers[index], isNested: true) }
            try TLSOption.check(optionsOfServers[index] + options.nested, of: servers[index])
        }
        self.init(servers)
        try options.apply(to: &self)
    }

    /// What stands within the parentheses, and the options after them.
    private static func parenthesized(_ text: Substring) throws(STOMPError) -> (Substring, Substring?) {
        guard let close = text.firstIndex(of: ")") else { throw text.invalid("a \"(\" has no \")\"") }
        let inner = text[..<close].dropFirst()
        try self.checkParentheses(inner)
        let rest = text[close...].dropFirst()
        guard rest.isEmpty || rest.first == "?" else {
            throw rest.invalid(
                "only \"?\" and options may follow the \")\"; a \")\" within a password is written as %29"
            )
        }
        return (inner, rest.isEmpty ? nil : rest)
    }

    private static func checkParentheses(_ inner: Substring) throws(STOMPError) {
        guard let place = inner.firstIndex(where: { $0 == "(" || $0 == ")" }) else { return }
        throw inner[place...].invalid(
            "a parenthesis has no counterpart; within a password they are written as %28 and %29"
        )
    }

    /// The servers, each with its options.
    ///
    /// A comma separates servers, but also options: what has no scheme belongs to the options before it.
    private static func parts(_ text: Substring) throws(STOMPError) -> [Substring] {
        var parts: [Substring] = []
        for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
            if piece.scheme != nil, parts.last.map({ !Self.isPriorityList($0) }) ?? true {
                parts.append(piece)
            } else if let last = parts.last, last.contains("?") {
                parts[parts.count - 1] = text[last.startIndex..<piece.endIndex]
            } else {
                throw piece.invalid(
                    "a server starts with its scheme, as in stomp://HOST:PORT; a \",\" within a password is written as %2C"
                )
            }
        }
        return parts
    }

    /// Whether the last option of this part is one whose value goes on after a comma.
    private static func isPriorityList(_ part: Substring) -> Bool {
        guard let query = part.divided(at: { $0 == "?" }).1 else { return false }
        return query.split { $0 == "?" || $0 == "&" || $0 == "," }.last { $0.scheme == nil }?.hasPrefix("priorityURIs=")
            == true
    }

    private static func checkPlace(of option: AddressOption) throws(STOMPError) {
        guard !ServerOption.isKnown(option.name), FailoverOptions.isKnown(option.name) else { return }
        throw option.invalid("belongs to the list; write it after the parentheses")
    }
}
