// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMPCore
import STOMPTransport

/// Servers and policy from where people keep them: a file in the format of the STOMP connector for Ruby
/// (`plugin.stomp.…`), and the environment, which wins over the file.
///
/// <doc:Servers> lists the keys and the variables.
public struct STOMPSettings: Sendable {
    /// Something that should be looked at, though the settings can be used.
    public struct Warning: Sendable, Hashable, CustomStringConvertible {
        /// The file, unless it is about the environment alone.
        public var file: String?
        /// The line in the file, from 1.
        public var line: Int?
        /// The key in the file, or the variable.
        public var key: String
        /// What about it.
        public var message: String

        /// One line for a log, such as `client.cfg:7: plugin.stomp.user repeats line 3; …`.
        public var description: String {
            SettingsPlace(file: self.file, line: self.line, key: self.key).sentence(self.message)
        }
    }

    /// A larger file is an error.
    private static let fileLimit = 1024 * 1024

    /// The servers, with the policy that the settings ask for: that of
    /// ``STOMPReconnectPolicy/rubyStomp`` with the file's changes, or that of the address in `STOMP_URL`.
    public var servers: STOMPServerList
    /// What should be looked at, in the order of the file.
    public var warnings: [Warning]

    /// Reads a file, and lets the environment override it.
    ///
    /// Waits for the disk.
    ///
    /// - Parameters:
    ///   - file: the file's path.
    ///   - environment: the variables; those of the process unless given.
    /// - Throws: ``STOMPError/Code/invalidSettings``. The message names file, line and key, and never a value.
    public init(
        file: String,
        environment: [String: String] = Self.processEnvironment
    ) throws(STOMPError) {
        let contents: SmallFile
        do throws(TransportError) {
            contents = try SmallFile(path: file, byteLimit: Self.fileLimit)
        } catch {
            throw STOMPError(.invalidSettings, error.message, cause: error)
        }
        let text = try SettingsText(contents.bytes, file: file, isWorldReadable: contents.isWorldReadable)
        try self.init(text, environment)
    }

    /// Reads text as if it were a file's, and lets the environment override it.
    ///
    /// - Parameters:
    ///   - text: what would stand in the file.
    ///   - file: what errors call it.
    ///   - environment: the variables; none unless given.
    /// - Throws: ``STOMPError/Code/invalidSettings``, as ``init(file:environment:)``.
    public init(
        text: String,
        file: String = "settings",
        environment: [String: String] = [:]
    ) throws(STOMPError) {
        try self.init(SettingsText(Array(text.utf8), file: file, isWorldReadable: false), environment)
    }

    /// Reads the environment alone: `STOMP_URL`, or `STOMP_SERVER` and the others.
    ///
    /// - Throws: ``STOMPError/Code/invalidSettings``, also if neither is set.
    public init(environment: [String: String] = Self.processEnvironment) throws(STOMPError) {
        try self.init(nil, environment)
    }

    private init(_ text: SettingsText?, _ environment: [String: String]) throws(STOMPError) {
        var assembly = SettingsAssembly(text: text, environment: SettingsEnvironment(environment))
        self.servers = try assembly.servers()
        self.warnings = assembly.warnings
    }

    /// The variables that matter here, as this process has them.
    public static var processEnvironment: [String: String] {
        var environment: [String: String] = [:]
        for name in SettingsEnvironment.names {
            environment[name] = ProcessEnvironment.value(of: name)
        }
        return environment
    }
}
