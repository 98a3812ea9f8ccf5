// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a user named: a host that may be an address, and a port, both checked.
struct HostAndPort: Sendable, CustomStringConvertible {
    /// Without the brackets of an IPv6 address.
    let host: String
    let port: Int

    init(host: String, port: Int, allowedPorts: ClosedRange<Int>) throws(TransportError) {
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        self.host = isBracketed ? String(host.dropFirst().dropLast()) : host
        self.port = port
        guard !self.host.isEmpty, !self.host.utf8.contains(0) else {
            throw TransportError(kind: .invalidAddress, message: "A host is needed, but it is empty or contains NUL.")
        }
        guard allowedPorts.contains(port) else {
            let message = "\(port) is not a port; for \(self.host) one of \(allowedPorts) is needed."
            throw TransportError(kind: .invalidAddress, message: message)
        }
        guard !isBracketed || self.containsColon else {
            throw TransportError(kind: .invalidAddress, message: "\(host) is not an IPv6 address.")
        }
    }

    /// The address if the host is one in digits, nil for a name; never waits.
    func literalAddress() throws(TransportError) -> SocketAddress? {
        try self.checkZone()
        switch System.lookUp(host: self.host, port: self.port, isLiteral: true) {
        case .success(let addresses):
            return addresses.first
        case .failure:
            // No name contains a colon: this is an IPv6 address with a mistake.
            guard !self.containsColon else {
                let isScoped = self.host.contains("%")
                let hint = isScoped ? "; an interface is named only after a link-local one, as in fe80::1%eth0" : ""
                let message = "\(self.host) is not an IPv6 address\(hint)."
                throw TransportError(kind: .invalidAddress, message: message)
            }
            return nil
        }
    }

    /// Interfaces come and go, so this is asked at each attempt, and its error is not for ever.
    private func checkZone() throws(TransportError) {
        guard self.containsColon, let mark = self.host.firstIndex(of: "%") else { return }
        let zone = self.host[mark...].dropFirst()
        guard !System.isInterface(zone) else { return }
        let known = System.interfaces().names.sorted().joined(separator: ", ")
        let message =
            "\(self.host) is out of reach: this machine has no network interface \"\(zone)\"; it has \(known)."
        throw TransportError(kind: .unreachable, message: message)
    }

    private var containsColon: Bool { self.host.contains(":") }

    var description: String { SocketAddress.describe(host: self.host, port: self.port) }
}
