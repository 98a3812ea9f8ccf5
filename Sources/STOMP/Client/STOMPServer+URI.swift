// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension STOMPServer {
    /// Reads an address such as `stomp://guest:guest@localhost:61613`.
    ///
    /// The schemes are `stomp` and `tcp`; the port is 61613 unless given; user and password may contain percent-escapes;
    /// an IPv6 address stands in brackets.
    ///
    /// - Throws: ``STOMPError/Code/invalidURI``. The message never repeats the password.
    public init(_ uri: String) throws(STOMPError) {
        guard let separator = uri.firstRange(of: "://") else {
            throw Self.invalid("it has no scheme; write stomp://HOST:PORT")
        }
        let scheme = uri[..<separator.lowerBound].lowercased()
        guard scheme == "stomp" || scheme == "tcp" else {
            // Not repeated: where a part is missing, a password may stand in its place.
            throw Self.invalid("the scheme is none of stomp and tcp")
        }
        var rest = uri[separator.upperBound...]
        if let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" || $0 == "#" }) {
            guard rest[end...] == "/" else { throw Self.invalid("nothing may follow the port") }
            rest = rest[..<end]
        }
        var login: STOMPLogin?
        if let at = rest.lastIndex(of: "@") {
            login = try Self.login(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        let (host, port) = try Self.hostAndPort(rest)
        self.init(.tcp(host, port: port), login: login)
    }

    private static func login(_ text: Substring) throws(STOMPError) -> STOMPLogin {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let login = self.decoded(parts[0]), let passcode = self.decoded(parts.count > 1 ? parts[1] : "") else {
            throw self.invalid("user or password contains a bad percent-escape")
        }
        return STOMPLogin(login, passcode: passcode)
    }

    private static func hostAndPort(_ text: Substring) throws(STOMPError) -> (String, Int) {
        var host = text
        var portText: Substring?
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { throw self.invalid("a \"[\" has no \"]\"") }
            host = text[text.index(after: text.startIndex)..<close]
            let after = text[text.index(after: close)...]
            guard after.isEmpty || after.first == ":" else { throw self.invalid("a port is written as \":61613\"") }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw self.invalid("it has no host") }
        guard let portText else { return (String(host), 61_613) }
        guard portText.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let port = Int(portText), (1...65_535).contains(port)
        else { throw self.invalid("what follows the host is not a port; a port is 1 to 65535") }
        return (String(host), port)
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(self.hexDigit), let low = rest.popFirst().flatMap(self.hexDigit)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }

    private static func invalid(_ reason: String) -> STOMPError {
        STOMPError(.invalidURI, "The server's address cannot be read: \(reason).")
    }
}
