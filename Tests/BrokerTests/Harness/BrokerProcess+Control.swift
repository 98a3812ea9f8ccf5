// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

extension BrokerProcess {
    struct ControlFailure: Error, CustomStringConvertible {
        let arguments: [String]
        let status: Int32
        let output: String

        var description: String {
            "rabbitmqctl \(self.arguments.joined(separator: " ")) ended with \(self.status): \(self.output)"
        }
    }

    /// What `rabbitmqctl` answers about a node of RabbitMQ; it blocks, for a second or so.
    ///
    /// - Parameters:
    ///   - node: the node's name, without the host.
    ///   - arguments: the command and its arguments.
    /// - Returns: its output.
    /// - Throws: ``ControlFailure``, or ``MissingBroker`` if there is no such program.
    func control(_ node: String, _ arguments: [String]) throws -> String {
        guard let server = self.kind.program else { throw MissingBroker(kind: self.kind) }
        let process = Process()
        // The one beside the server: Debian's own on the PATH changes to the user "rabbitmq".
        process.executableURL = URL(fileURLWithPath: server).deletingLastPathComponent().appending(path: "rabbitmqctl")
        process.arguments = ["--quiet", "--node", "\(node)@localhost"] + arguments
        process.environment = [
            "PATH": BrokerKind.searchPath,
            "LANG": "C.UTF-8",
            // The cookie is there.
            "HOME": self.folder,
            "RABBITMQ_CONF_ENV_FILE": self.folder + "/conf/env.conf",
            "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": String(self.ports["epmd"] ?? 0),
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ControlFailure(arguments: arguments, status: process.terminationStatus, output: text)
        }
        return text
    }
}
