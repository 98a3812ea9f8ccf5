// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Makes connections to a Unix-domain socket.
package struct UnixConnector: Sendable {
    private let path: String

    /// - Parameter path: where the socket is; relative to the working directory unless it starts with `/`.
    package init(path: String) {
        self.path = path
    }

    /// Connects at once, or throws an error that names the path; cancelled, `.closed`.
    package func connect() async throws(TransportError) -> any ByteTransport {
        let name = try UnixSocketPath(self.path)
        guard !Task.isCancelled else {
            throw TransportError(kind: .closed, message: "Connecting to \(name) was cancelled.")
        }
        do throws(SystemError) {
            return Socket(try PolledDescriptor(adopting: try Self.connect(to: name)), peerDescription: name.description)
        } catch {
            var failure = error.transportError("Could not connect to \(name)")
            switch error.number {
            case System.noSuchFile:
                failure.kind = .refused
            case System.tryAgain:
                // The kernel has no way to wait for room there.
                failure.kind = .refused
                failure.message = "Could not connect to \(name): as many as it lets wait there wait to be accepted."
            default:
                break
            }
            throw failure
        }
    }

    /// The connected socket.
    static func connect(to name: UnixSocketPath) throws(SystemError) -> Int32 {
        let number = try System.makeSocket(family: System.unixFamily)
        do throws(SystemError) {
            try System.connectUnix(number, to: name.path)
            return number
        } catch {
            System.close(number)
            throw error
        }
    }
}
