// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// An IPv4 or IPv6 address with its port, as the bytes of the system's `sockaddr`.
struct SocketAddress: Sendable, Equatable {
    let bytes: [UInt8]
    let host: String
    let port: Int

    /// Nil for bytes that are no address with a host and a port.
    init?(bytes: [UInt8]) {
        guard let (host, port) = System.numericNames(of: bytes), let port = Int(port) else { return nil }
        self.bytes = bytes
        self.host = host
        self.port = port
    }

    var description: String { Self.describe(host: self.host, port: self.port) }

    /// Host and port as people write them: an IPv6 address in brackets.
    static func describe(host: String, port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
