// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A file that is read at once, such as one of settings.
package struct SmallFile: Sendable {
    package let bytes: [UInt8]
    /// Whether every user of the machine may read it.
    package let isWorldReadable: Bool

    /// Reads a file; waits for the disk, so not for calls in a hurry.
    ///
    /// - Parameters:
    ///   - path: where it is; relative to the working directory unless it starts with `/`.
    ///   - byteLimit: a larger file is an error.
    /// - Throws: why it cannot be read, as a sentence that names it.
    package init(path: String, byteLimit: Int) throws(TransportError) {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw TransportError(kind: .system, message: "A path is needed, but it is empty or contains NUL.")
        }
        let contents: (bytes: [UInt8], mode: UInt32)?
        do throws(SystemError) {
            contents = try System.readFile(path, byteLimit: byteLimit + 1)
        } catch {
            throw error.transportError("Could not read \(path)")
        }
        guard let contents else {
            throw TransportError(kind: .system, message: "Could not read \(path): it is not a regular file.")
        }
        guard contents.bytes.count <= byteLimit else {
            throw TransportError(
                kind: .system,
                message: "Could not read \(path): it is larger than \(byteLimit) bytes."
            )
        }
        self.bytes = contents.bytes
        self.isWorldReadable = contents.mode & 0o004 != 0
    }
}

/// The environment of this process.
package enum ProcessEnvironment {
    /// The value of a variable, if it is set.
    package static func value(of name: String) -> String? {
        System.environmentValue(name)
    }
}
