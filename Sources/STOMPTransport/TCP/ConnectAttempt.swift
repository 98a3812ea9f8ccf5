// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// One attempt to connect to one address.
struct ConnectAttempt: Sendable {
    let address: SocketAddress
    /// Where to connect from; nil: the system chooses.
    let local: SocketAddress?
    let options: TCPOptions

    /// Nil when cancelled; unless it succeeds, nothing is left open.
    func run() async -> Result<Socket, SystemError>? {
        guard !Task.isCancelled else { return nil }
        do throws(SystemError) {
            let descriptor = try self.begin()
            let isConnected: Bool
            do throws(SystemError) {
                isConnected = try await Self.finish(descriptor)
            } catch {
                descriptor.close()
                throw error
            }
            if isConnected {
                return .success(Socket(descriptor, peerDescription: self.address.description))
            }
            descriptor.close()
            return nil
        } catch {
            return .failure(error)
        }
    }

    private func begin() throws(SystemError) -> PolledDescriptor {
        let number = try System.makeSocket(for: self.address)
        do throws(SystemError) {
            try self.options.apply(to: number, local: self.local)
            try System.beginConnect(number, to: self.address)
        } catch {
            System.close(number)
            throw error
        }
        // Registered only now: a socket that does not connect yet reports a hang-up.
        return try PolledDescriptor(adopting: number)
    }

    /// False when cancelled.
    private static func finish(_ descriptor: PolledDescriptor) async throws(SystemError) -> Bool {
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
}
