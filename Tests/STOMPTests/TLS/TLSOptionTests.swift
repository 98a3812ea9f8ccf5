// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP

@Suite("TLS options of an address")
struct TLSOptionTests {
    @Test("each option")
    func options() throws {
        let tls = try STOMPServer(
            "stomp+ssl://h?tls.caFile=%2Fetc%2Fca.crt&tls.certFile=c.crt,tls.keyFile=a%20b.key&tls.keyPasswordFile=p"
                + "&tls.serverName=broker.example&tls.minimumVersion=1.3&tls.verify=certificate"
        ).tls
        var expected = STOMPTLSConfiguration()
        expected.trust = [.certificates(.file("/etc/ca.crt"))]
        expected.certificateChain = .file("c.crt")
        expected.privateKey = .file("a b.key")
        expected.privateKeyPassword = .file("p")
        expected.serverName = "broker.example"
        expected.minimumVersion = .tls13
        expected.verification = .certificateOnly
        #expect(tls == expected)
        let plain = try STOMPServer("ssl://h").tls
        #expect(plain == STOMPTLSConfiguration())
        #expect(plain.verification == .full)
        #expect(plain.minimumVersion == .tls12)
        #expect(plain.trust == [.system])
    }

    @Test("authorities add up, and take the place of the system's")
    func authorities() throws {
        let both = try STOMPServer("wss://h?tls.caFile=a&tls.caFolder=b").tls
        #expect(both.trust == [.certificates(.file("a")), .folder("b")])
        #expect(try STOMPServer("ssl://h?tls.caFolder=b").tls.trust == [.folder("b")])
        #expect(try STOMPServer("ssl://h?tls.verify=none").tls.verification == .noneAcceptingAnyServer)
        #expect(try STOMPServer("ssl://h?tls.verify=full").tls.verification == .full)
    }

    @Test("the names of Net::STOMP::Client are second names")
    func otherNames() throws {
        let tls = try STOMPServer("stomp+ssl://h?SSL_ca_path=d&SSL_ca_file=a&SSL_cert_file=c&SSL_key_file=k").tls
        #expect(tls.trust == [.folder("d"), .certificates(.file("a"))])
        #expect(tls.certificateChain == .file("c"))
        #expect(tls.privateKey == .file("k"))
    }

    @Test("in a list each server has its own, and nested ones win")
    func lists() throws {
        let list = try STOMPServerList(
            "failover:(ssl://a?tls.caFile=own,ssl://b?tls.certFile=c&tls.verify=none)"
                + "?nested.tls.caFile=all&nested.tls.certFile=mine&nested.tls.keyFile=key&randomize=false"
        )
        #expect(list.servers.map(\.tls.trust) == [[.certificates(.file("all"))], [.certificates(.file("all"))]])
        #expect(list.servers.map(\.tls.certificateChain) == [.file("mine"), .file("mine")])
        #expect(list.servers.map(\.tls.privateKey) == [.file("key"), .file("key")])
        #expect(list.servers.map(\.tls.verification) == [.full, .noneAcceptingAnyServer])
    }

    @Test(
        "options that cannot be read are named",
        arguments: [
            ("stomp://h?▸tls.caFile=a", "is for TLS, and the address is not"),
            ("ws://h?▸tls.verify=none", "is for TLS"),
            ("ssl://h?▸tls.verify=never", "tls.verify needs full, certificate or none"),
            ("ssl://h?▸tls.minimumVersion=1", "tls.minimumVersion needs 1.0, 1.1, 1.2 or 1.3"),
            ("ssl://h?▸tls.caFile=", "tls.caFile has no value"),
            ("ssl://h?▸tls.keyFile=k", "needs tls.certFile beside it"),
            ("ssl://h?tls.caFile=a&▸tls.keyPasswordFile=p", "needs tls.certFile beside it"),
            ("ssl://h?tls.caFile=▸%zz", "the option tls.caFile has a \"%\""),
            ("ssl://h?▸tls.serverName=a%20b", "needs the name"),
            ("ssl://h?▸SSL_passwd_cb=x", "is a closure"), ("ssl://h?▸tls.cafile=x", "is not known for a server"),
            ("ssl://h?tls.caFile=a&▸tls.caFile=b", "is given twice"),
        ] as [(MarkedText, String)]
    )
    func unreadable(text: MarkedText, reason: String) {
        text.expectError(reason) { try STOMPServer($0) }
        text.expectError(reason) { try STOMPServerList($0) }
    }

    @Test("in a list, too, an error names the option as it is written")
    func unreadableLists() throws {
        for text in [
            "failover:(ssl://a)?▸nested.tls.keyFile=k", "failover:(ssl://a,stomp://b)?▸nested.tls.caFile=k",
            "failover:(ssl://a)?▸tls.caFile=k",
        ] as [MarkedText] {
            text.expectError("tls.") { try STOMPServerList($0) }
        }
    }

    @Test("secrets are in no description")
    func secrecy() throws {
        var server = STOMPServer(.tls("h"))
        server.tls.privateKey = .bytes(Array("hunter2".utf8))
        server.tls.privateKeyPassword = .text("hunter3")
        var dumped = "\(server) \(String(reflecting: server))"
        dump(server, to: &dumped)
        #expect(!dumped.contains("hunter"))
        #expect(!dumped.contains("104"))
        #expect(dumped.contains("(7 bytes)"))
    }

    @Test("a pin is read from base64 and hexadecimal digits, and written as base64")
    func pins() throws {
        let hexadecimal = String(repeating: "0fA5", count: 16)
        let pin = try STOMPTLSConfiguration.PublicKeyPin(hexadecimal)
        #expect(pin.sha256.count == 32)
        #expect(pin.sha256.prefix(2) == [0x0F, 0xA5])
        #expect(pin.description.hasPrefix("sha256//D6UPpQ+lD6UPpQ+lD6UPpQ+lD6UPpQ+lD6UPpQ+lD6U="))
        #expect(try .init(pin.description) == pin)
        #expect(try .init(String(pin.description.dropFirst(8))) == pin)
        for text in ["", "sha256//", "sha256//AAAA", "sha256//" + String(repeating: "!", count: 44), "ab"] {
            let error = #expect(throws: STOMPError.self) { _ = try STOMPTLSConfiguration.PublicKeyPin(text) }
            #expect(error?.code == .invalidArgument)
        }
    }
}
