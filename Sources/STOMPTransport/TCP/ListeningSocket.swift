// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A socket that connections come to, of whichever family.
final class ListeningSocket: Sendable {
    private let descriptor: PolledDescriptor
    private let localDescription: String

    init(_ descriptor: PolledDescriptor, localDescription: String) {
        self.descriptor = descriptor
        self.localDescription = localDescription
    }

    /// Waits for the next connection.
    func accept() async throws(TransportError) -> any ByteTransport {
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

    func close() {
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
