// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A value, and where it stands.
struct SettingsValue {
    let text: String
    let place: SettingsPlace

    var host: String {
        get throws(STOMPError) {
            guard let host = STOMPServer.host(self.text) else {
                throw self.place.error("needs the name or the IP address of a host, without scheme and port")
            }
            return host
        }
    }

    var port: Int {
        get throws(STOMPError) {
            guard let port = self.text[...].wholeNumber, (1...65_535).contains(port) else {
                throw self.place.error("needs a port, 1 to 65535")
            }
            return port
        }
    }

    var flag: Bool {
        get throws(STOMPError) {
            switch self.text {
            case "true", "yes", "1": return true
            case "false", "no", "0": return false
            default: throw self.place.error("needs true or false (or yes and no, or 1 and 0)")
            }
        }
    }

    var seconds: Duration {
        get throws(STOMPError) {
            guard let number = DecimalNumber(self.text[...]) else {
                throw self.place.error("needs a number of seconds, such as 30 or 0.01")
            }
            return number.seconds
        }
    }

    /// Seconds; -1 is no limit.
    var timeout: Duration? {
        get throws(STOMPError) {
            if self.text == "-1" { return nil }
            guard let number = DecimalNumber(self.text[...]), number.seconds > .zero else {
                throw self.place.error("needs a number of seconds above 0, or -1 for no limit")
            }
            return number.seconds
        }
    }

    var multiplier: Double {
        get throws(STOMPError) {
            guard let number = DecimalNumber(self.text[...])?.value, (1...1_000).contains(number) else {
                throw self.place.error("needs a number from 1 to 1000, such as 2 or 1.5")
            }
            return number
        }
    }

    /// 0 is no limit, as in the `stomp` gem.
    var attempts: STOMPReconnectPolicy.Attempts {
        get throws(STOMPError) {
            guard let number = self.text[...].wholeNumber else {
                throw self.place.error("needs a whole number, 0 for no limit")
            }
            return number == 0 ? .unlimited : .limited(number)
        }
    }

    var poolSize: Int {
        get throws(STOMPError) {
            guard let size = self.text[...].wholeNumber, (1...SettingsKey.maximumPoolSize).contains(size) else {
                throw self.place.error("needs a number of servers, 1 to \(SettingsKey.maximumPoolSize)")
            }
            return size
        }
    }
}
