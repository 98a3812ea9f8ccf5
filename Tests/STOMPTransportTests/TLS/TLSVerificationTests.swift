// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import TestSupport
import Testing

@testable import STOMPTransport

@Suite("Whom TLS trusts", .timeLimit(.minutes(5)))
struct TLSVerificationTests {
    @Test(
        "A server with the certificate of a trusted authority is accepted, by each of its names",
        arguments: [
            "localhost", "LOCALHOST", "localhost.", "127.0.0.1", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::1%lo",
        ]
    )
    func names(host: String) throws {
        #expect(try handshakeError(host: host) == nil)
    }

    @Test(
        "Another name or address is refused, with those that the certificate has",
        arguments: [
            "elsewhere.example", "127.0.0.2", "::2", "localhost.example", "ocalhost", "",
        ]
    )
    func wrongName(host: String) throws {
        guard !host.isEmpty else {
            // Nothing to check by is no reason to check nothing.
            #expect(throws: TransportError.self) { _ = try TLSPair(host: host) }
            return
        }
        let error = try #require(try handshakeError(host: host))
        #expect(error.kind == .tlsFailed)
        #expect(error.message.contains("not for \(host)"), "\(error)")
        #expect(error.message.contains("DNS:localhost"))
        #expect(error.message.contains("CN=localhost,O=swift-stomp"))
        #expect(error.message.contains("tls.serverName"))
    }

    @Test("A wildcard is for one label")
    func wildcards() throws {
        let server = try TLSOptions.server("wildcard")
        #expect(try handshakeError(server: server, host: "broker.example.test") == nil)
        #expect(try handshakeError(server: server, host: "a.b.example.test") != nil)
        #expect(try handshakeError(server: server, host: "example.test") != nil)
    }

    @Test(
        "Each fault of a certificate is named, with the certificate and what to do",
        arguments: [
            ("expired", ["CN=localhost", "expired at 2021-01-01 00:00:00 UTC"]),
            ("future", ["CN=localhost", "not valid before 2090-01-01 00:00:00 UTC", "clock"]),
            ("selfsigned", ["CN=localhost", "signed by itself", "tls.caFile"]),
            ("badclient", ["CN=mallory", "issued by CN=other authority", "tls.caFile"]),
            ("chained", ["CN=localhost", "issued by CN=middle authority", "tls.caFile"]),
        ]
    )
    func faults(name: String, words: [String]) throws {
        let error = try #require(try handshakeError(server: .server(name)))
        #expect(error.kind == .tlsFailed)
        for word in words { #expect(error.message.contains(word), "\(error)") }
    }

    @Test(
        "The server learns why it was refused",
        arguments: [
            ("expired", "certificate_expired"), ("badclient", "unknown_ca"), ("wronghost", "bad_certificate"),
        ]
    )
    func alerts(name: String, alert: String) throws {
        for version in [TLSOptions.Version.v12, .v13] {
            var pair = try TLSPair(client: .client().only(version), server: .server(name))
            let refusal = transportError { () throws(TransportError) in try pair.exchange() }
            #expect(refusal != nil)
            let bytes = pair.client.takeOutput()
            pair.server.inputSpace().copyBytes(from: bytes)
            pair.server.received(bytes.count)
            let error = transportError { () throws(TransportError) in _ = try pair.server.handshake() }
            #expect(error?.message.contains(alert) == true, "\(version) \(String(describing: error))")
        }
    }

    @Test("A chain is followed over the authorities that the server sends")
    func chain() throws {
        let certificates = try Certificates.shared()
        let server = try TLSOptions.server("chained") {
            $0.identity?.certificates = .file(certificates.path("chained.chain.crt"))
        }
        #expect(try handshakeError(server: server) == nil)
    }

    @Test("Authorities come from a file, from bytes, from a hashed folder, and from several")
    func sources() throws {
        let certificates = try Certificates.shared()
        let good: [[TLSOptions.Trust]] = try [
            [.certificates(.file(certificates.path("ca.crt")))],
            [.certificates(.bytes(certificates.bytes("ca.crt")))],
            [.folder(certificates.path("hashed"))],
            [.named("otherca"), .named("ca")],
            [.certificates(.bytes(certificates.bytes("otherca.crt") + certificates.bytes("ca.crt")))],
            [.system, .named("ca")],
        ]
        for trust in good { #expect(try handshakeError(client: .client { $0.trust = trust }) == nil, "\(trust)") }
        for trust in [[.system], [], [try .named("otherca")]] as [[TLSOptions.Trust]] {
            #expect(try handshakeError(client: .client { $0.trust = trust })?.message.contains("not trusted") == true)
        }
    }

    @Test("A file or folder that will not do is named, with the reason")
    func badSources() throws {
        let certificates = try Certificates.shared()
        let cases: [(TLSOptions.Trust, String)] = [
            (.certificates(.file(certificates.path("missing.crt"))), "missing.crt: No such file"),
            (.certificates(.file(certificates.path("ca.key"))), "ca.key has no certificate in PEM"),
            (.certificates(.bytes([])), "has no certificate in PEM"),
            (
                .certificates(.bytes(Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8))),
                "cannot be read"
            ),
            (.folder(certificates.path("unhashed")), "openssl rehash"),
            (.folder(certificates.path("missing")), "cannot be read"),
        ]
        for (trust, words) in cases {
            let options = try TLSOptions.client { $0.trust = [trust] }
            let error = transportError { () throws(TransportError) in
                _ = try TLSContext.make(.client, options, password: nil)
            }
            #expect(error?.kind == .tlsFailed)
            #expect(error?.message.contains(words) == true, "\(String(describing: error))")
        }
    }

    @Test("Without the name, everything else is still checked")
    func certificateOnly() throws {
        let client = try TLSOptions.client { $0.verification = .certificateOnly }
        for host in ["elsewhere", "10.0.0.1", ""] { #expect(try handshakeError(client: client, host: host) == nil) }
        #expect(try handshakeError(client: client, server: .server("expired")) != nil)
        #expect(try handshakeError(client: client, server: .server("selfsigned")) != nil)
    }

    @Test("Without verification, anybody is accepted", arguments: ["expired", "selfsigned", "wronghost", "badclient"])
    func none(name: String) throws {
        let client = try TLSOptions.client {
            $0.verification = .none
            $0.trust = []
        }
        #expect(try handshakeError(client: client, server: .server(name)) == nil)
    }

    @Test("A pin must be in the verified chain; without verification it must be the server's own")
    func pins() throws {
        let certificates = try Certificates.shared()
        func pin(_ name: String) throws -> [UInt8] {
            let digits = String(decoding: try certificates.bytes("\(name).pin"), as: UTF8.self).compactMap(
                \.hexDigitValue
            )
            return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        }
        let (own, authority, wrong) = (try pin("server"), try pin("ca"), [UInt8](repeating: 1, count: 32))
        for pins in [[own], [authority], [wrong, own]] as [Set<[UInt8]>] {
            #expect(try handshakeError(client: .client { $0.pins = pins }) == nil)
        }
        let refused = try handshakeError(client: .client { $0.pins = [wrong] })
        #expect(refused?.message.contains("pinned") == true)
        // An authority that a stranger sends along proves nothing.
        let chained = try TLSOptions.server {
            $0.identity?.certificates = .bytes(try certificates.bytes("server.crt") + certificates.bytes("ca.crt"))
        }
        func unverified(_ pins: Set<[UInt8]>) throws -> TransportError? {
            try handshakeError(
                client: .client {
                    $0.pins = pins
                    $0.verification = .none
                },
                server: chained,
                host: "anything"
            )
        }
        #expect(try unverified([own]) == nil)
        #expect(try unverified([authority]) != nil)
    }

    @Test("A name that starts with a dot would stand for any name that ends so, and is refused")
    func dottedName() {
        let error = #expect(throws: TransportError.self) { _ = try TLSPair(host: ".localhost") }
        #expect(error?.kind == .tlsFailed)
        #expect(error?.message.contains("\".localhost\" cannot be the name of a server") == true)
    }
}
