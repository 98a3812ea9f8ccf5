// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a socket is given before it connects.
///
/// Errors call an option what it is called in a server's address: `keepAliveIdle`, `localAddress`.
package struct TCPOptions: Sendable, Hashable {
    /// Probes by the system on a silent connection; what is nil stays as the system has it.
    package struct KeepAlive: Sendable, Hashable {
        package var idle: Duration?
        package var interval: Duration?
        package var count: Int?

        package init(idle: Duration? = nil, interval: Duration? = nil, count: Int? = nil) {
            self.idle = idle
            self.interval = interval
            self.count = count
        }
    }

    /// Nil: off.
    package var keepAlive: KeepAlive?
    /// An address of this machine in digits; nil: any.
    package var localHost: String?
    /// 0: the system chooses.
    package var localPort = 0

    /// No keep-alive, any local address.
    package init() {}
}

extension TCPOptions {
    /// Whole seconds, rounded up, as far as a socket can be asked for them.
    static func seconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        return Int32(clamping: attoseconds > 0 ? min(seconds, Int64.max - 1) + 1 : seconds)
    }

    /// The local address of each family that sockets are bound to, both nil where that is the system's choice.
    func localAddresses() throws(TransportError) -> (ipv4: SocketAddress?, ipv6: SocketAddress?) {
        guard (0...65_535).contains(self.localPort) else {
            throw Self.invalid("localPort needs a port, 1 to 65535, or 0 for any; not \(self.localPort).")
        }
        guard let host = self.localHost else {
            guard self.localPort != 0 else { return (nil, nil) }
            return (try self.literal("0.0.0.0"), try self.literal("::"))
        }
        guard let address = try self.literal(host) else {
            throw Self.invalid("localAddress needs an IPv4 or IPv6 address of this machine, not \(host).")
        }
        return address.isIPv6 ? (nil, address) : (address, nil)
    }

    private func literal(_ host: String) throws(TransportError) -> SocketAddress? {
        do throws(TransportError) {
            return try HostAndPort(host: host, port: self.localPort, allowedPorts: 0...65_535).literalAddress()
        } catch {
            throw TransportError(kind: error.kind, message: "localAddress is not possible: \(error.message)")
        }
    }

    private static func invalid(_ message: String) -> TransportError {
        TransportError(kind: .invalidAddress, message: message)
    }

    /// Sets what a new socket is to have, and binds it.
    func apply(to descriptor: Int32, local: SocketAddress?) throws(SystemError) {
        if let keepAlive = self.keepAlive {
            try Self.set(.keepAlive, "keepAlive", 1, on: descriptor)
            if let idle = keepAlive.idle {
                try Self.set(.keepAliveIdle, "keepAliveIdle", Self.seconds(idle), " s", on: descriptor)
            }
            if let interval = keepAlive.interval {
                try Self.set(.keepAliveInterval, "keepAliveInterval", Self.seconds(interval), " s", on: descriptor)
            }
            if let count = keepAlive.count {
                try Self.set(.keepAliveCount, "keepAliveCount", Int32(clamping: count), on: descriptor)
            }
        }
        guard let local else { return }
        do throws(SystemError) {
            // A connection that ended a moment ago may have had this port.
            if local.port != 0 { try System.set(.reuseAddress, to: 1, on: descriptor) }
            try System.bind(descriptor, to: local)
        } catch {
            let name = self.localHost == nil ? "localPort \(local.port)" : "localAddress \(local.boundDescription)"
            throw error.with(option: name)
        }
    }

    private static func set(
        _ option: System.SocketOption,
        _ name: String,
        _ value: Int32,
        _ unit: String = "",
        on descriptor: Int32,
    ) throws(SystemError) {
        do throws(SystemError) {
            try System.set(option, to: value, on: descriptor)
        } catch {
            throw error.with(option: "\(name) \(value)\(unit)")
        }
    }
}

extension SocketAddress {
    /// The port only where one was asked for.
    fileprivate var boundDescription: String { self.port == 0 ? self.host : self.description }
}
