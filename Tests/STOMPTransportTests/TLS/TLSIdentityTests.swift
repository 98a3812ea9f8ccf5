// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import TestSupport
import Testing

@testable import STOMPTransport

@Suite("Who we are in TLS", .timeLimit(.minutes(5)))
struct TLSIdentityTests {
    private static func demanding(_ change: (inout TLSOptions) throws -> Void = { _ in }) throws -> TLSOptions {
        try .server {
            $0.clientCertificates = .required
            try change(&$0)
        }
    }

    /// What the client's first read says, where its own part of the handshake was fine.
    private func firstRead(_ client: TLSOptions, _ server: TLSOptions) throws -> (TransportError?, isOpen: Bool) {
        var pair = try TLSPair(client: client, server: server)
        // The server's error; its alert is left to be read.
        do throws(TransportError) { try pair.exchange() } catch {}
        let isOpen = pair.client.isOpen
        let alert = pair.server.takeOutput()
        pair.client.inputSpace().copyBytes(from: alert)
        pair.client.received(alert.count)
        var found: TransportError?
        withUnsafeTemporaryAllocation(byteCount: 100, alignment: 1) { buffer in
            found = transportError { () throws(TransportError) in
                if isOpen { _ = try pair.client.read(into: buffer) } else { _ = try pair.client.handshake() }
            }
        }
        return (found, isOpen)
    }

    @Test("A server that wants a certificate gets one and sees whose it is")
    func mutual() throws {
        for version in [TLSOptions.Version.v12, .v13] {
            var pair = try TLSPair(
                client: .client { $0.identity = try .init("client") }.only(version),
                server: Self.demanding()
            )
            try pair.exchange(pieces: 1)
            let facts = pair.server.facts
            #expect(facts.peerCertificate?.subject == "CN=guest,O=swift-stomp")
        }
    }

    @Test("A missing certificate is told by the alert: in TLS 1.3 with the first read, in 1.2 in the handshake")
    func missing() throws {
        let (late, wasOpen) = try self.firstRead(.client().only(.v13), Self.demanding())
        #expect(wasOpen)
        #expect(late?.kind == .tlsFailed)
        #expect(late?.message.contains("certificate_required") == true, "\(String(describing: late))")
        #expect(late?.message.contains("tls.certFile") == true)
        let (early, isOpen) = try self.firstRead(.client().only(.v12), Self.demanding())
        #expect(!isOpen)
        #expect(early?.message.contains("handshake_failure") == true, "\(String(describing: early))")
        #expect(early?.message.contains("tls.certFile") == true)
    }

    @Test("A certificate of another authority is told by the alert, with whose it is")
    func stranger() throws {
        for version in [TLSOptions.Version.v12, .v13] {
            let client = try TLSOptions.client { $0.identity = try .init("badclient") }.only(version)
            let (error, isOpen) = try self.firstRead(client, Self.demanding())
            #expect(isOpen == (version == .v13))
            #expect(error?.message.contains("unknown_ca") == true, "\(String(describing: error))")
            #expect(error?.message.contains("CN=mallory,O=swift-stomp") == true)
        }
    }

    @Test("A server that only asks lets those without a certificate in")
    func optional() throws {
        #expect(try handshakeError(server: .server { $0.clientCertificates = .optional }) == nil)
    }

    @Test("An encrypted key is opened by its password, in both forms", arguments: ["pkcs8", "traditional"])
    func encrypted(form: String) async throws {
        let options = try TLSOptions.client { $0.identity = try .init("client", key: "client.\(form).key") }
        _ = try TLSContext.make(.client, options, password: Certificates.password)
        let wrong = transportError { () throws(TransportError) in
            _ = try TLSContext.make(.client, options, password: "wrong")
        }
        #expect(wrong?.kind == .tlsFailed)
        #expect(wrong?.message.contains("client.\(form).key could not be decrypted") == true)
        let missing = transportError { () throws(TransportError) in
            _ = try TLSContext.make(.client, options, password: nil)
        }
        #expect(missing?.message.contains("is encrypted") == true)
        #expect(missing?.message.contains("tls.keyPasswordFile") == true)
        // An empty one is a wrong one, and nobody is asked at the terminal.
        #expect(throws: TransportError.self) { _ = try TLSContext.make(.client, options, password: "") }
    }

    @Test("The password is asked for if the key is encrypted, and only then")
    func asking() async throws {
        struct Locked: Error {}
        var options = try TLSOptions.client { $0.identity = try .init("client", key: "client.pkcs8.key") }
        options.identity?.password = { Certificates.password }
        _ = try await TLSContext.make(.client, options)
        options.identity?.password = { throw Locked() }
        do throws(TransportError) {
            _ = try await TLSContext.make(.client, options)
            Issue.record("It was not asked.")
        } catch {
            #expect(error.message.contains("Locked()"))
        }
        options.identity = try .init("client")
        options.identity?.password = { throw Locked() }
        _ = try await TLSContext.make(.client, options)
    }

    @Test("Certificate and key may be in one file, or in memory")
    func oneFile() throws {
        let certificates = try Certificates.shared()
        let file = TLSOptions.Source.file(certificates.path("both.pem"))
        let bytes = TLSOptions.Source.bytes(try certificates.bytes("both.pem"))
        for source in [file, bytes] {
            let client = try TLSOptions.client { $0.identity = .init(certificates: source, key: source) }
            var pair = try TLSPair(client: client, server: Self.demanding())
            try pair.exchange()
            let facts = pair.server.facts
            #expect(facts.peerCertificate?.subject.contains("CN=guest") == true)
        }
    }

    @Test(
        "What cannot be our certificate or key is named",
        arguments: [
            ("client", "server.key", "does not belong to the first certificate"),
            ("client", "client.crt", "has no private key in PEM"),
            ("client", "missing.key", "missing.key: No such file"),
            ("missing", "client.key", "missing.crt: No such file"),
        ]
    )
    func unusable(name: String, key: String, words: String) throws {
        let options = try TLSOptions.client { $0.identity = try .init(name, key: key) }
        let error = transportError { () throws(TransportError) in
            _ = try TLSContext.make(.client, options, password: nil)
        }
        #expect(error?.kind == .tlsFailed)
        #expect(error?.message.contains(words) == true, "\(String(describing: error))")
    }
}

@Suite("The TLS library")
struct OpenSSLTests {
    @Test("It is there, and says its version")
    func version() throws {
        #expect(try OpenSSL.loaded().version.hasPrefix("OpenSSL 3."))
    }

    @Test("A missing library is an error that names the packages to install")
    func missing() {
        let error = transportError { () throws(TransportError) in
            _ = try OpenSSL.load(["libssl-that-is-missing.so.3", "libssl-that-is-missing-too.so"])
        }
        #expect(error?.kind == .tlsUnavailable)
        #expect(error?.message.contains("apt-get install libssl3") == true)
        #expect(error?.message.contains("libssl-that-is-missing.so.3") == true)
        #expect(error?.message.contains("libssl-that-is-missing-too.so") == true)
    }

    @Test("A library that is no OpenSSL is an error that names what it lacks")
    func foreign() {
        let error = transportError { () throws(TransportError) in _ = try OpenSSL.load(["libm.so.6"]) }
        #expect(error?.kind == .tlsUnavailable)
        #expect(error?.message.contains("libm.so.6 is no complete OpenSSL 3: it has no OpenSSL_version_num") == true)
    }

    @Test(
        "Dates are told as people write them",
        arguments: [
            (0, "1970-01-01 00:00:00 UTC"), (951_827_696, "2000-02-29 12:34:56 UTC"), (-1, "1969-12-31 23:59:59 UTC"),
            (4_102_444_800, "2100-01-01 00:00:00 UTC"), (1_795_257_832, "2026-11-21 10:43:52 UTC"),
        ] as [(Int64, String)]
    )
    func dates(seconds: Int64, text: String) {
        #expect(TLSCertificate.date(seconds) == text)
    }
}
