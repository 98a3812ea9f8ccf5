// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("Settings that cannot be read", .timeLimit(.minutes(5)))
struct SettingsErrorTests {
    @Test(
        "the error names file, line and key, never a value",
        arguments: [
            // Typing errors.
            ("plugin.stomp.host = h\nplugin.stomp.prot = 1", "client.cfg:2: plugin.stomp.prot is not a known key."),
            ("plugin.stomp.hosts = hunter2", "client.cfg:1: plugin.stomp.hosts is not a known key."),
            ("Plugin.stomp.host = h", "client.cfg:1: Plugin.stomp.host is not a known key."),
            ("plugin.stomp.pool.host0 = h", "client.cfg:1: plugin.stomp.pool.host0 is not a known key."),
            ("plugin.stomp.pool.host01 = h", "client.cfg:1: plugin.stomp.pool.host01 is not a known key."),
            ("plugin.stomp.pool.host1001 = h", "client.cfg:1: plugin.stomp.pool.host1001 is not a known key."),
            ("plugin.stomp.pool.host = h", "client.cfg:1: plugin.stomp.pool.host is not a known key."),
            ("plugin.stomp.pool.backup = true", "client.cfg:1: plugin.stomp.pool.backup is not a known key."),
            ("libdir = /x", "client.cfg:1: libdir is not a known key."),
            ("\n\nplugin.stomp.password hunter2", "client.cfg:3: The line has no \"=\"; write KEY = VALUE."),
            ("hunter2 hunter2 = x", "client.cfg:1: What precedes the \"=\" cannot be a key."),
            ("= hunter2", "client.cfg:1: What precedes the \"=\" cannot be a key."),
            ("plugin.stomp.host =", "client.cfg:1: plugin.stomp.host has no value."),
            ("connector = activemq", "client.cfg:1: connector must be stomp."),
            // Values.
            (
                "plugin.stomp.host = stomp://hunter2",
                "client.cfg:1: plugin.stomp.host needs the name or the IP address of a host, without scheme and port."
            ),
            ("plugin.stomp.host = h:1", "client.cfg:1: plugin.stomp.host needs the name"),
            ("plugin.stomp.host = a b", "client.cfg:1: plugin.stomp.host needs the name"),
            (
                "plugin.stomp.host = h\nplugin.stomp.port = 0",
                "client.cfg:2: plugin.stomp.port needs a port, 1 to 65535."
            ),
            ("plugin.stomp.host = h\nplugin.stomp.port = 65536", "client.cfg:2: plugin.stomp.port needs a port"),
            ("plugin.stomp.host = h\nplugin.stomp.port = 6163 # x", "client.cfg:2: plugin.stomp.port needs a port"),
            (
                "plugin.stomp.pool.size = 0",
                "client.cfg:1: plugin.stomp.pool.size needs a number of servers, 1 to 1000."
            ),
            ("plugin.stomp.pool.size = two", "client.cfg:1: plugin.stomp.pool.size needs a number of servers"),
            ("plugin.stomp.pool.size = 1001", "client.cfg:1: plugin.stomp.pool.size needs a number of servers"),
            // What does not fit together.
            (
                "plugin.stomp.pool.size = 2\nplugin.stomp.pool.host1 = h",
                "client.cfg:1: plugin.stomp.pool.size says 2, but there is no plugin.stomp.pool.host2."
            ),
            (
                "plugin.stomp.pool.size = 1\nplugin.stomp.pool.host1 = h\nplugin.stomp.pool.user2 = x",
                "client.cfg:3: plugin.stomp.pool.user2 is beyond plugin.stomp.pool.size."
            ),
            (
                "plugin.stomp.host = h\nplugin.stomp.pool.host1 = h\nplugin.stomp.pool.host2 = h",
                "client.cfg:2: plugin.stomp.pool.host1 needs plugin.stomp.pool.size."
            ),
            (
                "plugin.stomp.pool.size = 1\nplugin.stomp.pool.host1 = h\nplugin.stomp.user = x\nplugin.stomp.host = y",
                "client.cfg:3: plugin.stomp.user is for a single server, but there is plugin.stomp.pool.size; leave one"
            ),
            (
                "plugin.stomp.pool.size = 1\nplugin.stomp.pool.host1 = h\nplugin.stomp.pool.port1 = x",
                "client.cfg:3: plugin.stomp.pool.port1 needs a port"
            ),
            ("", "client.cfg: There is no server: set STOMP_URL or STOMP_SERVER, or plugin.stomp.host in a file."),
            ("plugin.stomp.port = 1", "client.cfg: There is no server"),
        ]
    )
    func unreadable(text: String, message: String) {
        let error = #expect(throws: STOMPError.self) { try STOMPSettings(text: text, file: "client.cfg") }
        #expect(error?.code == .invalidSettings)
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        #expect(error.map { "\($0)".contains("hunter2") } == false)
    }

    @Test(
        "options of the pool with a bad value",
        arguments: [
            ("initial_reconnect_delay", "-1", "needs a number of seconds"),
            ("initial_reconnect_delay", "1e3", "needs a number of seconds"),
            ("initial_reconnect_delay", ".5", "needs a number of seconds"),
            ("max_reconnect_delay", "nan", "needs a number of seconds"),
            ("max_reconnect_delay", "99999999999", "needs a number of seconds"),
            ("use_exponential_back_off", "maybe", "needs true or false"),
            ("back_off_multiplier", "0.9", "needs a number from 1 to 1000"),
            ("back_off_multiplier", "0x2", "needs a number from 1 to 1000"),
            ("max_reconnect_attempts", "-1", "needs a whole number, 0 for no limit"),
            ("max_reconnect_attempts", "1.5", "needs a whole number"), ("randomize", "TRUE", "needs true or false"),
            ("timeout", "0", "needs a number of seconds above 0, or -1"),
            ("timeout", "-2", "needs a number of seconds"),
        ]
    )
    func badOptions(option: String, value: String, reason: String) {
        let text = "plugin.stomp.host = h\nplugin.stomp.pool.\(option) = \(value)"
        // Also if the environment makes it superfluous.
        for environment in [[:], ["STOMP_URL": "stomp://x"]] {
            let error = #expect(throws: STOMPError.self) {
                try STOMPSettings(text: text, file: "client.cfg", environment: environment)
            }
            #expect(error?.message.hasPrefix("client.cfg:2: plugin.stomp.pool.\(option) \(reason)") == true)
        }
    }

    @Test(
        "variables with a bad value",
        arguments: [
            (["STOMP_URL": "stomp://u:hunter2@h:0"], "STOMP_URL: The address cannot be read: what follows the host"),
            (
                ["STOMP_URL": "failover:(stomp://a)?x=1"],
                "STOMP_URL: The address cannot be read: the option x is not known"
            ),
            (["STOMP_SERVER": "h:1"], "STOMP_SERVER needs the name or the IP address"),
            (["STOMP_SERVER": "h", "STOMP_PORT": "x"], "STOMP_PORT needs a port, 1 to 65535."),
            (["STOMP_PORT": "1"], "There is no server"), ([:], "There is no server"),
        ] as [([String: String], String)]
    )
    func badVariables(environment: [String: String], message: String) {
        let error = #expect(throws: STOMPError.self) { try STOMPSettings(environment: environment) }
        #expect(error?.code == .invalidSettings)
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        #expect(error.map { "\($0)".contains("hunter2") } == false)
    }
}
