// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMP

/// An authority, a broker's certificate and a client's, made for this run with the `openssl` command.
package struct Certificates: ~Copyable {
    private let folder: URL

    /// Makes them.
    ///
    /// - Throws: that the `openssl` command is missing, or has failed.
    package init() throws {
        self.folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "stomp-example-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        // What a company's authority does; "-nodes" leaves the keys unencrypted.
        try self.openSSL(
            "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=Example-Authority -keyout ca.key -out ca.crt"
        )
        try self.issue("broker", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        try self.issue("client", "extendedKeyUsage=clientAuth\n")
    }

    deinit {
        try? FileManager.default.removeItem(at: self.folder)
    }

    /// Where a file is, such as `ca.crt`, `broker.crt` or `client.key`.
    package func path(_ name: String) -> String {
        self.folder.appendingPathComponent(name).path
    }

    private func issue(_ name: String, _ extensions: String) throws {
        try Data(extensions.utf8).write(to: self.folder.appendingPathComponent("\(name).ext"))
        try self.openSSL("req -newkey rsa:2048 -nodes -subj /CN=\(name) -keyout \(name).key -out \(name).csr")
        try self.openSSL(
            "x509 -req -in \(name).csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile \(name).ext "
                + "-out \(name).crt"
        )
    }

    private func openSSL(_ arguments: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = self.folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw STOMPError(
                .notSupported,
                "This example makes certificates with the openssl command, and that failed "
                    + "(Debian, Ubuntu: apt-get install openssl)."
            )
        }
    }
}
