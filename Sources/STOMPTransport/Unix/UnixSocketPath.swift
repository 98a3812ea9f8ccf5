// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The path of a Unix-domain socket, checked before the system sees it.
struct UnixSocketPath: Sendable, CustomStringConvertible {
    let path: String

    init(_ path: String) throws(TransportError) {
        self.path = path
        guard !path.isEmpty, !path.utf8.contains(0) else {
            let message = "A Unix socket needs a path, but it is empty or contains NUL."
            throw TransportError(kind: .invalidAddress, message: message)
        }
        guard path.utf8.count <= System.unixPathLimit else {
            let message =
                "The path of a Unix socket may have \(System.unixPathLimit) bytes, but \(path) has \(path.utf8.count)."
            throw TransportError(kind: .invalidAddress, message: message)
        }
    }

    var description: String { "unix:\(self.path)" }
}
