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

    var isIPv6: Bool { self.host.contains(":") }

    /// Whether it says nothing without an interface, and names none.
    var lacksInterface: Bool { self.host.hasPrefix("fe80:") && !self.host.contains("%") }

    /// Host and port as people write them: an IPv6 address in brackets.
    static func describe(host: String, port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The order in which to try them: IPv6 first, then by turns; within a family as the system's resolver has sorted
    /// them (RFC 8305, section 4).
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let sixes = addresses.filter(\.isIPv6)
        let fours = addresses.filter { !$0.isIPv6 }
        return (0..<max(sixes.count, fours.count)).flatMap { index in
            sixes.dropFirst(index).prefix(1) + fours.dropFirst(index).prefix(1)
        }
    }
}
