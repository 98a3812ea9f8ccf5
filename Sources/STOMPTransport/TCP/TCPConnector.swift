// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Makes TCP connections to one host and port.
package struct TCPConnector: Sendable {
    typealias LookUp = @Sendable (HostAndPort) async throws(TransportError) -> [SocketAddress]

    private let host: String
    private let port: Int
    private let options: TCPOptions
    private let pause: (@Sendable (Duration) async -> Void)?
    private let lookUp: LookUp

    /// - Parameters:
    ///   - host: a name or an address; an IPv6 address may be in brackets and may have a scope ("fe80::1%eth0").
    ///   - port: 1 to 65535.
    ///   - options: what each socket is given.
    ///   - pause: returns after so long, or at once when the task is cancelled; the time source of the race. Nil: an
    ///     address is tried when the one before has failed.
    package init(
        host: String,
        port: Int,
        options: TCPOptions = TCPOptions(),
        pause: (@Sendable (Duration) async -> Void)? = nil,
    ) {
        self.init(host: host, port: port, options: options, pause: pause) { name throws(TransportError) in
            try await Resolver.shared.resolve(name)
        }
    }

    init(
        host: String,
        port: Int,
        options: TCPOptions = TCPOptions(),
        pause: (@Sendable (Duration) async -> Void)?,
        lookUp: @escaping LookUp,
    ) {
        self.host = host
        self.port = port
        self.options = options
        self.pause = pause
        self.lookUp = lookUp
    }

    /// Looks the host up, each time anew, and races its addresses; the first that answers wins (RFC 8305).
    ///
    /// Sets no deadline: the caller cancels. Cancellation throws `.closed` promptly and leaves nothing open.
    package func connect() async throws(TransportError) -> any ByteTransport {
        let name = try HostAndPort(host: self.host, port: self.port, allowedPorts: 1...65_535)
        let local = try self.options.localAddresses()
        let found = try await self.lookUp(name)
        let isBound = local.ipv4 != nil || local.ipv6 != nil
        let usable = found.filter { !isBound || ($0.isIPv6 ? local.ipv6 : local.ipv4) != nil }
        let options = self.options
        let race = AddressRace(
            addresses: SocketAddress.interleaved(usable),
            pause: self.pause,
            attempt: { address in
                let from = address.isIPv6 ? local.ipv6 : local.ipv4
                return await ConnectAttempt(address: address, local: from, options: options).run()
            },
            discard: { $0.close() },
        )
        switch await race.run() {
        case .won(let socket):
            return socket
        case .lost(let failures):
            let report = ConnectFailure(name: name, failures: Array(zip(race.addresses, failures)), found: found)
            throw report.error(localHost: self.options.localHost)
        case nil:
            throw TransportError(kind: .closed, message: "Connecting to \(name) was cancelled.")
        }
    }
}
