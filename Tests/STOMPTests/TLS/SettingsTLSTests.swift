// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("TLS in a settings file")
struct SettingsTLSTests {
    @Test("a single server")
    func single() throws {
        let settings = try STOMPSettings(
            text: """
                plugin.stomp.host = h
                plugin.stomp.port = 61614
                plugin.stomp.ssl = true
                plugin.stomp.ssl.ca = ca.crt
                plugin.stomp.ssl.cert = client.crt
                plugin.stomp.ssl.key = client.key
                """
        )
        let server = try #require(settings.servers.servers.first)
        #expect(server.endpoint == .tls("h", port: 61_614))
        #expect(server.tls.trust == [.certificates(.file("ca.crt"))])
        #expect(server.tls.certificateChain == .file("client.crt"))
        #expect(server.tls.privateKey == .file("client.key"))
        #expect(server.tls.verification == .full)
        #expect(settings.warnings.isEmpty)
    }

    @Test("a pool, each server for itself")
    func pool() throws {
        let settings = try STOMPSettings(
            text: """
                plugin.stomp.pool.size = 3
                plugin.stomp.pool.host1 = a
                plugin.stomp.pool.host2 = b
                plugin.stomp.pool.ssl2 = 1
                plugin.stomp.pool.ssl2.fallback = 1
                plugin.stomp.pool.host3 = c
                plugin.stomp.pool.ssl3 = yes
                plugin.stomp.pool.ssl3.ca = ca.crt
                plugin.stomp.pool.ssl3.fallback = true
                """
        )
        let servers = settings.servers.servers
        #expect(servers.map(\.endpoint) == [.tcp("a", port: 6_163), .tls("b", port: 6_163), .tls("c", port: 6_163)])
        #expect(servers.map(\.tls.verification) == [.full, .noneAcceptingAnyServer, .full])
        #expect(settings.warnings.map(\.line) == [5, 9])
    }

    @Test("a server of the environment does not take the place of a pool with TLS without a word about that")
    func downgrade() throws {
        let text = "plugin.stomp.pool.size = 1\nplugin.stomp.pool.host1 = a\nplugin.stomp.pool.ssl1 = true"
        let error = #expect(throws: STOMPError.self) {
            _ = try STOMPSettings(text: text, environment: ["STOMP_SERVER": "other", "STOMP_PASSWORD": "hunter2"])
        }
        #expect(error?.code == .invalidSettings)
        #expect(error?.message.contains("which has servers with TLS") == true)
        let url = ["STOMP_SERVER": "other", "STOMP_URL": "stomp+ssl://other:1"]
        #expect(
            try STOMPSettings(text: text, environment: url).servers.servers.map(\.endpoint) == [.tls("other", port: 1)]
        )
    }

    @Test("what makes no sense is an error or a warning, with its line")
    func mistakes() throws {
        let unused = try STOMPSettings(text: "plugin.stomp.host = h\nplugin.stomp.ssl.ca = a")
        #expect(unused.warnings.map(\.line) == [2])
        #expect(unused.servers.servers[0].endpoint == .tcp("h", port: 6_163))
        for (line, words) in [
            ("plugin.stomp.ssl = maybe", "needs true or false"), ("plugin.stomp.ssl.nothing = x", "is not a known key"),
            ("plugin.stomp.ssl1 = true", "is not a known key"),
            ("plugin.stomp.pool.ssl01 = true", "is not a known key"),
            ("plugin.stomp.pool.ssl1 = true", "needs plugin.stomp.pool.size"),
            ("plugin.stomp.ssl = true\nplugin.stomp.ssl.key = k", "needs the certificate"),
        ] {
            let error = #expect(throws: STOMPError.self) {
                _ = try STOMPSettings(text: "plugin.stomp.host = h\n\(line)")
            }
            #expect(error?.code == .invalidSettings)
            #expect(error?.message.contains(words) == true, "\(String(describing: error))")
        }
    }
}
