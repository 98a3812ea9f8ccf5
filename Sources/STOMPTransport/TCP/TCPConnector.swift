// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Makes TCP connections to one host and port.
package struct TCPConnector: Sendable {
    private let host: String
    private let port: Int

    /// `host` is a name or an address; an IPv6 address may be in brackets and may have a scope ("fe80::1%eth0").
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Looks the host up and tries its addresses in order; the first that answers wins.
    ///
    /// Sets no deadline: the caller cancels. Cancellation throws `.closed` promptly and leaves nothing open.
    package func connect() async throws(TransportError) -> any ByteTransport {
        let name = try HostAndPort(host: self.host, port: self.port, allowedPorts: 1...65_535)
        var failures: [TransportError] = []
        for address in try await Resolver.shared.resolve(name) {
            guard !Task.isCancelled else { break }
            do throws(TransportError) {
                return try await Self.connect(to: address, of: name)
            } catch {
                failures.append(error)
            }
        }
        guard !Task.isCancelled else {
            throw Self.cancelled(name)
        }
        throw Self.summary(of: failures, name)
    }

    private static func connect(
        to address: SocketAddress,
        of name: HostAndPort,
    ) async throws(TransportError) -> any ByteTransport {
        do throws(SystemError) {
            let descriptor = try Self.beginConnect(to: address)
            let isConnected: Bool
            do throws(SystemError) {
                isConnected = try await Self.finishConnect(descriptor)
            } catch {
                descriptor.close()
                throw error
            }
            if isConnected {
                return Socket(descriptor, peerDescription: address.description)
            }
            descriptor.close()
        } catch {
            let isLiteral = name.description == address.description
            let target = isLiteral ? address.description : "\(name) at \(address.description)"
            throw error.transportError("Could not connect to \(target)")
        }
        throw Self.cancelled(name)
    }

    private static func beginConnect(to address: SocketAddress) throws(SystemError) -> PolledDescriptor {
        let number = try System.makeSocket(for: address)
        do throws(SystemError) {
            try System.beginConnect(number, to: address)
        } catch {
            System.close(number)
            throw error
        }
        // Registered only now: a socket that does not connect yet reports a hang-up.
        return try PolledDescriptor(adopting: number)
    }

    /// False when cancelled.
    private static func finishConnect(_ descriptor: PolledDescriptor) async throws(SystemError) -> Bool {
        let writable = descriptor.readiness.writable
        while true {
            let mark = writable.mark
            let isConnected = try descriptor.use { number throws(SystemError) in
                guard try System.isConnected(number) else { return false }
                // A connect to a free local port of the ephemeral range can meet itself.
                if System.localAddress(number) == System.peerAddress(number) {
                    throw SystemError(call: "connect", number: System.connectionRefused)
                }
                return true
            }
            if isConnected == true {
                return true
            }
            writable.exhausted(since: mark)
            await descriptor.waitUntilWritable()
            if Task.isCancelled {
                return false
            }
        }
    }

    private static func cancelled(_ name: HostAndPort) -> TransportError {
        TransportError(kind: .closed, message: "Connecting to \(name) was cancelled.")
    }

    /// One error for all addresses; a refusal says more than a missing route.
    private static func summary(of failures: [TransportError], _ name: HostAndPort) -> TransportError {
        guard var chosen = failures.first(where: { $0.kind == .refused }) ?? failures.last else {
            return TransportError(kind: .resolution, message: "Could not connect to \(name): it has no address.")
        }
        if failures.count > 1 {
            let details = failures.map(\.message).joined(separator: " ")
            chosen.message = "Could not connect to \(name), at any of its \(failures.count) addresses. \(details)"
        }
        return chosen
    }
}
