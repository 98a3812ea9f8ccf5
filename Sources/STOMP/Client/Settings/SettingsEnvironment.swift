// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The variables that override a file; an empty one counts as not set.
struct SettingsEnvironment {
    static let names = ["STOMP_URL", "STOMP_SERVER", "STOMP_PORT", "STOMP_USER", "STOMP_PASSWORD"]

    private let values: [String: String]

    init(_ values: [String: String]) {
        self.values = values.filter { Self.names.contains($0.key) && !$0.value.isEmpty }
    }

    private func value(_ name: String) -> SettingsValue? {
        self.values[name].map { SettingsValue(text: $0, place: SettingsPlace(key: name)) }
    }

    var url: SettingsValue? { self.value("STOMP_URL") }
    var server: SettingsValue? { self.value("STOMP_SERVER") }
    var port: SettingsValue? { self.value("STOMP_PORT") }
    var user: SettingsValue? { self.value("STOMP_USER") }
    var password: SettingsValue? { self.value("STOMP_PASSWORD") }
}
