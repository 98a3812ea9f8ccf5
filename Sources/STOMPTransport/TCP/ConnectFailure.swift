// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Why no address of a host could be connected to.
struct ConnectFailure {
    let name: HostAndPort
    let failures: [(address: SocketAddress, error: SystemError)]
    /// All of the host's addresses, also those that were not tried.
    let found: [SocketAddress]

    /// One error for the host, which names each address.
    func error(localHost: String?) -> TransportError {
        // A refusal says more than a missing route.
        guard let chosen = (self.failures.first { $0.error.number == System.connectionRefused } ?? self.failures.last)
        else { return self.noAddress(localHost) }
        let isLiteral = self.failures.count == 1 && self.name.description == chosen.address.description
        var error = chosen.error.transportError("")
        switch self.failures.count {
        case _ where isLiteral:
            error.message = "Could not connect to \(self.name): \(Self.reason(chosen))"
        case 1:
            error.message = "Could not connect to \(self.name) at \(chosen.address.description): \(Self.reason(chosen))"
        default:
            let reasons = self.failures.map { "\($0.address.description): \(Self.reason($0))" }
            error.message = "Could not connect to \(self.name) at any of its \(reasons.count) addresses: "
            error.message += reasons.joined(separator: "; ")
        }
        if let localHost, self.failures.count < self.found.count {
            let skipped = self.found.filter { found in !self.failures.contains { $0.address == found } }
            let list = skipped.map(\.description).joined(separator: ", ")
            error.message += "; not tried: \(list), since localAddress \(localHost) is of the other family"
        }
        error.message += "."
        return error
    }

    private func noAddress(_ localHost: String?) -> TransportError {
        guard let localHost, let first = self.found.first else {
            let message = "Could not connect to \(self.name): it has no address."
            return TransportError(kind: .resolution, message: message)
        }
        let family = first.isIPv6 ? "IPv6" : "IPv4"
        let list = self.found.map(\.host).joined(separator: ", ")
        let message =
            "Could not connect to \(self.name): it has only \(family) addresses (\(list)), and localAddress \(localHost) "
            + "is none."
        return TransportError(kind: .option, message: message)
    }

    private static func reason(_ failure: (address: SocketAddress, error: SystemError)) -> String {
        guard failure.address.lacksInterface, failure.error.option == nil else { return failure.error.reason }
        return "\(failure.error.reason); a link-local address needs its interface, as in \(failure.address.host)%eth0"
    }
}
