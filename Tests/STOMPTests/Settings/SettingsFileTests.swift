// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPCore
import Testing

@testable import STOMP

@Suite("Settings from a file", .timeLimit(.minutes(5)))
struct SettingsFileTests {
    private func withFile<Value>(_ contents: Data, mode: Int, _ body: (String) throws -> Value) throws -> Value {
        let path = FileManager.default.temporaryDirectory.appending(path: "stomp-\(UUID().uuidString).cfg").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let isMade = FileManager.default.createFile(atPath: path, contents: contents)
        try #require(isMade)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return try body(path)
    }

    @Test(
        "a file with a password is for its owner alone; otherwise there is a warning",
        arguments: [0o600, 0o640, 0o644]
    )
    func permissions(mode: Int) throws {
        try self.withFile(Data(SettingsTests.single.utf8), mode: mode) { path in
            let settings = try STOMPSettings(file: path, environment: [:])
            #expect(settings.servers.servers.first?.login == STOMPLogin("me", passcode: "secret"))
            let warning = "\(path):5: plugin.stomp.password stands in a file that everybody on this machine can read"
            #expect(settings.warnings.map { $0.description.hasPrefix(warning) } == (mode == 0o644 ? [true] : []))
        }
    }

    @Test("a file without a password may be read by everybody")
    func noPassword() throws {
        try self.withFile(Data("plugin.stomp.host = h".utf8), mode: 0o644) { path in
            let settings = try STOMPSettings(file: path, environment: [:])
            #expect(settings.warnings.isEmpty)
        }
    }

    @Test("a file that is missing, too large, a folder, or not UTF-8")
    func unreadable() throws {
        let missing = #expect(throws: STOMPError.self) {
            try STOMPSettings(file: "/nowhere/client.cfg", environment: [:])
        }
        #expect(missing?.code == .invalidSettings)
        #expect(missing?.message.hasPrefix("Could not read /nowhere/client.cfg: ") == true)
        let folder = #expect(throws: STOMPError.self) { try STOMPSettings(file: "/", environment: [:]) }
        #expect(folder?.message == "Could not read /: it is not a regular file.")
        let none = #expect(throws: STOMPError.self) { try STOMPSettings(file: "", environment: [:]) }
        #expect(none?.code == .invalidSettings)
        let line = "plugin.stomp.host = h\n"
        try self.withFile(Data((line + String(repeating: "#", count: 1_048_576 - line.count)).utf8), mode: 0o600) {
            path in
            let settings = try STOMPSettings(file: path, environment: [:])
            #expect(settings.servers.description == "h:6163")
        }
        try self.withFile(Data(repeating: UInt8(ascii: "#"), count: 1_048_577), mode: 0o600) { path in
            let large = #expect(throws: STOMPError.self) { try STOMPSettings(file: path, environment: [:]) }
            #expect(large?.message == "Could not read \(path): it is larger than 1048576 bytes.")
        }
        try self.withFile(Data(line.utf8) + Data([0xff]), mode: 0o600) { path in
            let invalid = #expect(throws: STOMPError.self) { try STOMPSettings(file: path, environment: [:]) }
            #expect(invalid?.message == "\(path):2: The line is not UTF-8.")
        }
    }

    @Test("a named pipe is refused without waiting for a writer")
    func pipe() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "stomp-\(UUID().uuidString).pipe").path
        try #require(mkfifo(path, 0o600) == 0)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = #expect(throws: STOMPError.self) { try STOMPSettings(file: path, environment: [:]) }
        #expect(error?.message == "Could not read \(path): it is not a regular file.")
    }

    @Test("the process's environment holds only what matters here")
    func processEnvironment() {
        let names = ["STOMP_URL", "STOMP_SERVER", "STOMP_PORT", "STOMP_USER", "STOMP_PASSWORD"]
        let expected = ProcessInfo.processInfo.environment.filter { names.contains($0.key) }
        #expect(STOMPSettings.processEnvironment == expected)
    }
}
