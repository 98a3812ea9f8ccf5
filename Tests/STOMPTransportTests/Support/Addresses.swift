// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

/// An address in digits.
func address(_ host: String, _ port: Int = 61_613) throws -> SocketAddress {
    try #require(try HostAndPort(host: host, port: port, allowedPorts: 0...65_535).literalAddress())
}

extension TCPConnector {
    /// One whose host has these addresses.
    init(
        to addresses: [SocketAddress],
        options: TCPOptions = TCPOptions(),
        pause: (@Sendable (Duration) async -> Void)? = nil
    ) {
        self.init(host: "broker.example", port: 61_613, options: options, pause: pause) { _ in addresses }
    }

    /// The error of a connect that has to fail.
    func error() async -> TransportError? {
        do throws(TransportError) {
            _ = try await self.connect()
            return nil
        } catch {
            return error
        }
    }
}
