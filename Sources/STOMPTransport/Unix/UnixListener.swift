// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Synchronization

/// Accepts connections at a path of this machine.
///
/// The file is made here, and removed by `close()` if it is still the one that was made.
package final class UnixListener: Listener {
    package let path: String
    private let socket: ListeningSocket
    private let file: System.FileIdentity?
    private let isClosed = Atomic(false)

    private init(_ name: UnixSocketPath, _ descriptor: PolledDescriptor, _ file: System.FileIdentity?) {
        self.path = name.path
        self.socket = ListeningSocket(descriptor, localDescription: name.description)
        self.file = file
    }

    deinit {
        self.close()
    }

    /// Listens at a path.
    ///
    /// A socket that a process has left behind without a listener is replaced; anything else that exists there stays, and
    /// is an error.
    package static func bind(path: String) throws(TransportError) -> UnixListener {
        let name = try UnixSocketPath(path)
        let number: Int32
        do throws(SystemError) {
            number = try System.makeSocket(family: System.unixFamily)
        } catch {
            throw error.transportError("Could not listen at \(name)")
        }
        var file: System.FileIdentity?
        do throws(TransportError) {
            try Self.bind(number, to: name)
            file = System.identity(ofFile: path)
            do throws(SystemError) {
                try System.listen(number)
            } catch {
                throw error.transportError("Could not listen at \(name)")
            }
        } catch {
            if file != nil { System.removeFile(path) }
            System.close(number)
            throw error
        }
        do throws(SystemError) {
            return UnixListener(name, try PolledDescriptor(adopting: number), file)
        } catch {
            System.removeFile(path)
            throw error.transportError("Could not listen at \(name)")
        }
    }

    private static func bind(_ number: Int32, to name: UnixSocketPath) throws(TransportError) {
        if try Self.takes(name, number) { return }
        if let found = System.identity(ofFile: name.path) {
            guard found.isSocket else { throw Self.taken(name, "there is a file that is no socket") }
            guard !Self.isAlive(name) else { throw Self.taken(name, "somebody listens there already") }
            // Not what somebody else has put there since we looked.
            if System.identity(ofFile: name.path) == found { System.removeFile(name.path) }
        }
        guard try Self.takes(name, number) else { throw Self.taken(name, "somebody else was quicker") }
    }

    /// Whether the path was free.
    private static func takes(_ name: UnixSocketPath, _ number: Int32) throws(TransportError) -> Bool {
        do throws(SystemError) {
            try System.bindUnix(number, to: name.path)
            return true
        } catch {
            guard error.number == System.addressInUse else { throw error.transportError("Could not listen at \(name)") }
            return false
        }
    }

    private static func taken(_ name: UnixSocketPath, _ reason: String) -> TransportError {
        TransportError(
            kind: .system,
            errno: System.addressInUse,
            message: "Could not listen at \(name): \(reason)."
        )
    }

    /// Whether a process listens there; also when that cannot be found out.
    private static func isAlive(_ name: UnixSocketPath) -> Bool {
        do throws(SystemError) {
            System.close(try UnixConnector.connect(to: name))
            return true
        } catch {
            return error.number != System.connectionRefused && error.number != System.noSuchFile
        }
    }

    /// Waits for the next connection.
    package func accept() async throws(TransportError) -> any ByteTransport {
        try await self.socket.accept()
    }

    package func close() {
        guard !self.isClosed.exchange(true, ordering: .relaxed) else { return }
        // While we still listen, so that nobody takes the path for abandoned in between.
        if let file = self.file, System.identity(ofFile: self.path) == file { System.removeFile(self.path) }
        self.socket.close()
    }
}
