// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// What an error or a warning is about: a line of a file, a key, a variable of the environment.
struct SettingsPlace {
    var file: String?
    var line: Int?
    var key: String?

    /// The place, then what about it; never a value, which may be a password.
    func sentence(_ message: String) -> String {
        let place = self.file.map { file in self.line.map { "\(file):\($0): " } ?? "\(file): " } ?? ""
        return place + (self.key.map { "\($0) " } ?? "") + message + "."
    }

    func error(_ message: String) -> STOMPError {
        STOMPError(.invalidSettings, self.sentence(message))
    }

    func warning(_ message: String) -> STOMPSettings.Warning {
        STOMPSettings.Warning(file: self.file, line: self.line, key: self.key ?? "", message: message)
    }
}
