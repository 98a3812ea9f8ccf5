// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Accepts TCP connections at one local address.
package final class TCPListener: Listener {
    package let port: Int
    private let descriptor: PolledDescriptor
    private let localDescription: String

    private init(_ descriptor: PolledDescriptor, _ address: SocketAddress) {
        self.descriptor = descriptor
        self.port = address.port
        self.localDescription = address.description
    }

    /// Listens at `host`, an address in digits or "localhost"; port 0 lets the system choose one.
    package static func bind(host: String = "127.0.0.1", port: Int = 0) throws(TransportError) -> TCPListener {
        // A look-up would block, and this does not wait.
        let name = try HostAndPort(
            host: host == "localhost" ? "127.0.0.1" : host,
            port: port,
            allowedPorts: 0...65_535,
        )
        guard let address = try name.literalAddress() else {
            let message = "A listener needs an IP address or localhost, not \(host)."
            throw TransportError(kind: .invalidAddress, message: message)
        }
        do throws(SystemError) {
            let number = try System.makeSocket(for: address)
            do throws(SystemError) {
                try System.listen(number, at: address)
            } catch {
                System.close(number)
                throw error
            }
            let bound = System.localAddress(number) ?? address
            return TCPListener(try PolledDescriptor(adopting: number), bound)
        } catch {
            throw error.transportError("Could not listen at \(address.description)")
        }
    }

    /// Waits for the next connection.
    package func accept() async throws(TransportError) -> any ByteTransport {
        let readable = self.descriptor.readiness.readable
        while !Task.isCancelled {
            let mark = readable.mark
            if let socket = try self.acceptNow() {
                return socket
            }
            readable.exhausted(since: mark)
            await self.descriptor.waitUntilReadable()
        }
        throw TransportError(kind: .closed, message: "Accepting at \(self.localDescription) was cancelled.")
    }

    package func close() {
        self.descriptor.close()
    }

    /// Nil when nobody waits to be accepted.
    private func acceptNow() throws(TransportError) -> Socket? {
        let outcome: Socket??
        do throws(SystemError) {
            outcome = try self.descriptor.use { number throws(SystemError) -> Socket? in
                guard let (accepted, peer) = try System.accept(number) else { return nil }
                let peerDescription = peer?.description ?? "a peer of \(self.localDescription)"
                return Socket(try PolledDescriptor(adopting: accepted), peerDescription: peerDescription)
            }
        } catch {
            throw error.transportError("Could not accept at \(self.localDescription)")
        }
        guard let outcome else {
            throw TransportError(kind: .closed, message: "The listener at \(self.localDescription) has been closed.")
        }
        return outcome
    }
}
