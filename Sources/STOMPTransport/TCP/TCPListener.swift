// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Accepts TCP connections at one local address.
package final class TCPListener: Listener {
    package let port: Int
    private let socket: ListeningSocket

    private init(_ descriptor: PolledDescriptor, _ address: SocketAddress) {
        self.port = address.port
        self.socket = ListeningSocket(descriptor, localDescription: address.description)
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
        try await self.socket.accept()
    }

    package func close() {
        self.socket.close()
    }
}
