// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("Settings from a file's text and the environment", .timeLimit(.minutes(5)))
struct SettingsTests {
    /// The first example of the connector's reference, word for word.
    static let single = """
        connector = stomp
        plugin.stomp.host = stomp.my.net
        plugin.stomp.port = 6163
        plugin.stomp.user = me
        plugin.stomp.password = secret
        """

    /// The second, with its repetitions.
    static let pool = """
        connector = stomp
        plugin.stomp.pool.size = 2
        plugin.stomp.pool.host1 = stomp1
        plugin.stomp.pool.port1 = 6163
        plugin.stomp.pool.user1 = me
        plugin.stomp.pool.password1 = secret

        plugin.stomp.pool.host2 = stomp2
        plugin.stomp.pool.port1 = 6163
        plugin.stomp.pool.user1 = me
        plugin.stomp.pool.password1 = secret
        """

    /// Its options, with the defaults.
    static let options = """
        plugin.stomp.pool.initial_reconnect_delay = 0.01
        plugin.stomp.pool.max_reconnect_delay = 30.0
        plugin.stomp.pool.use_exponential_back_off = true
        plugin.stomp.pool.back_off_multiplier = 2
        plugin.stomp.pool.max_reconnect_attempts = 0
        plugin.stomp.pool.randomize = false
        plugin.stomp.pool.timeout = -1
        """

    private func settings(_ text: String, _ environment: [String: String] = [:]) throws -> STOMPSettings {
        try STOMPSettings(text: text, file: "client.cfg", environment: environment)
    }

    /// `user:password@host:port` of each.
    private func describe(_ settings: STOMPSettings) -> String {
        settings.servers.servers.map { server in
            (server.login.map { "\($0.login):\($0.passcode)@" } ?? "") + server.endpoint.description
        }.joined(separator: " ")
    }

    @Test("the reference's first example")
    func singleServer() throws {
        let settings = try self.settings(Self.single)
        #expect(self.describe(settings) == "me:secret@stomp.my.net:6163")
        #expect(settings.warnings.isEmpty)
    }

    @Test("the reference's second example: the later value is used, with a warning each; host 2 has what is left")
    func examplePool() throws {
        let settings = try self.settings(Self.pool)
        #expect(self.describe(settings) == "me:secret@stomp1:6163 stomp2:6163")
        #expect(
            settings.warnings.map(\.description) == [
                "client.cfg:9: plugin.stomp.pool.port1 repeats line 4; the later value is used.",
                "client.cfg:10: plugin.stomp.pool.user1 repeats line 5; the later value is used.",
                "client.cfg:11: plugin.stomp.pool.password1 repeats line 6; the later value is used.",
            ]
        )
        let withEnvironment = try self.settings(Self.pool, ["STOMP_USER": "you", "STOMP_PASSWORD": "other"])
        #expect(self.describe(withEnvironment) == "you:other@stomp1:6163 you:other@stomp2:6163")
        #expect(withEnvironment.warnings == settings.warnings)
    }

    @Test("the later value, not the earlier one")
    func laterWins() throws {
        let settings = try self.settings("plugin.stomp.host = a\nplugin.stomp.port = 1\nplugin.stomp.host = b")
        #expect(self.describe(settings) == "b:1")
        #expect(settings.warnings.map(\.line) == [3])
    }

    @Test("the reference's options, and the same when none are given")
    func defaultOptions() throws {
        for text in [Self.pool, Self.pool + "\n" + Self.options] {
            let list = try self.settings(text).servers
            let policy = try #require(list.reconnectPolicy)
            #expect(policy.delay.milliseconds(5, share: 0.5) == [10, 20, 40, 80, 160])
            #expect(policy.delay.delay(99, share: 0.5) == 30_000)
            #expect(policy.maximumAttempts == .unlimited)
            #expect(policy.maximumAttemptsAtStart == .unlimited)
            #expect(policy.pace == .eachServer)
            #expect(policy.timeout == nil)
            #expect(!list.isRandomized)
        }
    }

    @Test(
        "each option",
        arguments: [
            ("initial_reconnect_delay = 0.1", [100, 200, 400]), ("max_reconnect_delay = 0.015", [10, 15, 15]),
            ("use_exponential_back_off = false", [10, 10, 10]), ("back_off_multiplier = 1.5", [10, 15, 22.5]),
            ("use_exponential_back_off = no\nplugin.stomp.pool.initial_reconnect_delay = 2", [2_000, 2_000, 2_000]),
        ] as [(String, [Double])]
    )
    func delays(option: String, milliseconds: [Double]) throws {
        let list = try self.settings(Self.single + "\nplugin.stomp.pool." + option).servers
        #expect(list.reconnectPolicy?.delay.milliseconds(3, share: 0) == milliseconds)
    }

    @Test("attempts, time limit and order")
    func otherOptions() throws {
        let list = try self.settings(
            Self.pool
                + """

                plugin.stomp.pool.max_reconnect_attempts = 7
                plugin.stomp.pool.randomize = true
                plugin.stomp.pool.timeout = 12.5
                """
        ).servers
        #expect(list.reconnectPolicy?.maximumAttempts == .limited(7))
        #expect(list.reconnectPolicy?.maximumAttemptsAtStart == .limited(7))
        #expect(list.reconnectPolicy?.timeout == .milliseconds(12_500))
        #expect(list.isRandomized)
    }

    @Test(
        "the port is 6163 unless given",
        arguments: [
            ("plugin.stomp.host = h", "h:6163"), ("plugin.stomp.host = ::1", "[::1]:6163"),
            ("plugin.stomp.host = [fe80::1%en1]", "[fe80::1%en1]:6163"),
            ("plugin.stomp.pool.size=1\nplugin.stomp.pool.host1=h", "h:6163"),
        ]
    )
    func defaultPort(text: String, server: String) throws {
        #expect(try self.describe(self.settings(text)) == server)
    }

    @Test("comments, blank lines, spaces, tabs, line ends of Windows; a value may contain = and #")
    func layout() throws {
        let text =
            "# a comment\r\n\r\n   # another = one\r\n\tplugin.stomp.host=h \r\nplugin.stomp.user =  me\r\n"
            + "plugin.stomp.password\t= a=b # c\t\n\n"
        #expect(try self.describe(self.settings(text)) == "me:a=b # c@h:6163")
    }

    @Test(
        "the environment wins over the file, each variable by itself",
        arguments: [
            ([:], "me:secret@stomp.my.net:6163"), (["STOMP_SERVER": "x"], "me:secret@x:6163"),
            (["STOMP_PORT": "1"], "me:secret@stomp.my.net:1"), (["STOMP_USER": "you"], "you:secret@stomp.my.net:6163"),
            (["STOMP_PASSWORD": "p w"], "me:p w@stomp.my.net:6163"),
            (
                ["STOMP_SERVER": "::1", "STOMP_PORT": "2", "STOMP_USER": "you", "STOMP_PASSWORD": "pw"],
                "you:pw@[::1]:2"
            ),
            (["STOMP_SERVER": "", "STOMP_PORT": "", "STOMP_URL": ""], "me:secret@stomp.my.net:6163"),
            (["HOME": "/x", "STOMP_ELSE": "y"], "me:secret@stomp.my.net:6163"),
        ] as [([String: String], String)]
    )
    func environmentWins(environment: [String: String], server: String) throws {
        let settings = try self.settings(Self.single, environment)
        #expect(self.describe(settings) == server)
        #expect(settings.warnings.isEmpty)
    }

    @Test("without a file the environment is enough")
    func environmentAlone() throws {
        let settings = try STOMPSettings(environment: ["STOMP_SERVER": "x", "STOMP_USER": "me"])
        #expect(self.describe(settings) == "me:@x:6163")
        #expect(settings.servers.reconnectPolicy?.pace == .eachServer)
    }

    @Test(
        "STOMP_URL is the whole; users and passwords that it leaves out come from the environment",
        arguments: [
            (["STOMP_URL": "stomp://x"], "x:61613", []),
            (["STOMP_URL": "failover:(stomp://a:b@x:1,stomp://y:2)"], "a:b@x:1 y:2", []),
            (
                ["STOMP_URL": "failover:(stomp://a:b@x:1,stomp://y:2)", "STOMP_USER": "me", "STOMP_PASSWORD": "pw"],
                "a:b@x:1 me:pw@y:2", []
            ),
            (
                ["STOMP_URL": "stomp://x", "STOMP_SERVER": "y", "STOMP_PORT": "1"], "x:61613",
                ["STOMP_SERVER", "STOMP_PORT"]
            ),
            (["STOMP_URL": "stomp://a:b@x", "STOMP_USER": "me"], "a:b@x:61613", ["STOMP_USER"]),
            (["STOMP_URL": "stomp://x", "STOMP_PASSWORD": "pw"], "x:61613", ["STOMP_PASSWORD"]),
        ] as [([String: String], String, [String])]
    )
    func url(environment: [String: String], servers: String, warnedAbout: [String]) throws {
        for settings in [try self.settings(Self.single, environment), try STOMPSettings(environment: environment)] {
            #expect(self.describe(settings) == servers)
            #expect(settings.warnings.map(\.key) == warnedAbout)
        }
    }

    @Test("options of STOMP_URL make the policy; without them it is the client's")
    func policyOfURL() throws {
        let plain = try self.settings(Self.single, ["STOMP_URL": "stomp://x"])
        #expect(plain.servers.reconnectPolicy == nil)
        let failover = try self.settings(Self.single, ["STOMP_URL": "failover:(stomp://x)?maxReconnectAttempts=3"])
        #expect(failover.servers.reconnectPolicy?.maximumAttempts == .limited(3))
    }

    @Test(
        "with a pool, STOMP_SERVER takes its place and STOMP_PORT alone means nothing; both are said",
        arguments: [
            (
                ["STOMP_SERVER": "x", "STOMP_PORT": "1"], "x:1",
                "STOMP_SERVER takes the place of the file's whole pool."
            ),
            (
                ["STOMP_PORT": "1"], "me:secret@stomp1:6163 stomp2:6163",
                "STOMP_PORT is not used: the file has a pool, with a port for each server."
            ),
            // Host 2 has no user, so there is nothing to use the password with.
            (
                ["STOMP_PASSWORD": "pw"], "me:pw@stomp1:6163 stomp2:6163",
                "STOMP_PASSWORD is not used: there is no user."
            ),
        ] as [([String: String], String, String)]
    )
    func poolAndEnvironment(environment: [String: String], servers: String, warning: String) throws {
        let settings = try self.settings(Self.pool, environment)
        #expect(self.describe(settings) == servers)
        #expect(settings.warnings.map(\.description).last == warning)
        #expect(settings.warnings.count == 4)
    }

    @Test("a password without a user is not used, and that is said")
    func passwordWithoutUser() throws {
        let settings = try self.settings("plugin.stomp.host = h\nplugin.stomp.password = hunter2")
        #expect(self.describe(settings) == "h:6163")
        #expect(
            settings.warnings.map(\.description)
                == ["client.cfg:2: plugin.stomp.password is not used: there is no user."]
        )
    }

    @Test("secrets appear in no description")
    func secrets() throws {
        let settings = try self.settings(Self.pool.replacing("secret", with: "hunter2"), ["STOMP_PASSWORD": "hunter2"])
        for text in ["\(settings)", String(reflecting: settings), "\(settings.warnings)"] {
            #expect(!text.contains("hunter2"))
        }
    }
}
