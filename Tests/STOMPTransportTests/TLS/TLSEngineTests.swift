// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import TestSupport
import Testing

@testable import STOMPTransport

@Suite("TLS sessions in memory", .timeLimit(.minutes(5)))
struct TLSEngineTests {
    @Test("A session opens and carries bytes both ways, split at every byte", arguments: TLSOptions.Version.modern)
    func splits(version: TLSOptions.Version) throws {
        var pair = try TLSPair(client: .client().only(version), server: .server().only(version))
        try pair.exchange(pieces: 1)
        let areOpen = [pair.client.isOpen, pair.server.isOpen]
        #expect(areOpen == [true, true])
        try pair.client.write(Array("hello".utf8))
        try pair.server.write(Array("world".utf8))
        try pair.exchange(pieces: 1)
        #expect(pair.serverBytes == Array("hello".utf8))
        #expect(pair.clientBytes == Array("world".utf8))
    }

    @Test("A session opens with pieces of each size", arguments: TLSOptions.Version.modern)
    func pieceSizes(version: TLSOptions.Version) throws {
        let client = try TLSContext.make(.client, .client().only(version), password: nil)
        let server = try TLSContext.make(.server, .server().only(version), password: nil)
        for size in [2, 3, 4, 5, 6, 7, 11, 64, 100, 517, 1_000, 1_001] {
            var pair = try TLSPair(client, server)
            try pair.exchange(pieces: size)
            try pair.client.write([1, 2, 3])
            try pair.exchange(pieces: size)
            #expect(pair.serverBytes == [1, 2, 3], "\(size)")
        }
    }

    @Test("What was agreed on can be read", arguments: TLSOptions.Version.modern)
    func facts(version: TLSOptions.Version) throws {
        var pair = try TLSPair(client: .client().only(version), server: .server().only(version))
        try pair.exchange()
        let facts = pair.client.facts
        #expect(facts.version == (version == .v13 ? "TLSv1.3" : "TLSv1.2"))
        #expect(facts.cipher.contains("AES") || facts.cipher.contains("CHACHA"))
        let certificate = try #require(facts.peerCertificate)
        #expect(certificate.subject == "CN=localhost,O=swift-stomp")
        #expect(certificate.issuer == "CN=test authority,O=swift-stomp")
        #expect(certificate.alternativeNames.contains("DNS:localhost"))
        #expect(certificate.alternativeNames.contains("127.0.0.1"))
        #expect(certificate.der.first == 0x30)
        #expect(certificate.publicKeyHash.count == 32)
        #expect(certificate.notAfter - certificate.notBefore == 800 * 86_400)
        let serverFacts = pair.server.facts
        #expect(serverFacts.peerCertificate == nil)
    }

    @Test("Megabytes go through whole, in full records", arguments: TLSOptions.Version.modern)
    func large(version: TLSOptions.Version) throws {
        var pair = try TLSPair(client: .client().only(version), server: .server().only(version))
        try pair.exchange()
        let bytes = (0..<700_001).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try pair.client.write(bytes)
        // 22 bytes a record for TLS 1.3, 29 for 1.2, at 16 KiB each.
        let overhead = pair.client.outputCount - bytes.count
        #expect(overhead < (bytes.count / 16_384 + 12) * 32)
        try pair.exchange(pieces: 5_000)
        #expect(pair.serverBytes == bytes)
    }

    @Test("Keys are changed under way, by either side")
    func keyUpdate() throws {
        var pair = try TLSPair(client: .client().only(.v13), server: .server().only(.v13))
        try pair.exchange()
        for round in 0..<5 {
            let hasAsked = pair.server.updateKeys()
            #expect(hasAsked)
            try pair.server.write([UInt8(round)])
            try pair.exchange(pieces: 1)
            let hasAskedToo = pair.client.updateKeys()
            #expect(hasAskedToo)
            try pair.client.write([UInt8(round)])
            try pair.exchange()
        }
        #expect(pair.clientBytes == [0, 1, 2, 3, 4])
        #expect(pair.serverBytes == [0, 1, 2, 3, 4])
    }

    @Test("The end of a session is told")
    func closeNotify() throws {
        var pair = try TLSPair()
        try pair.exchange()
        try pair.server.write([7])
        pair.server.end()
        try pair.exchange()
        #expect(pair.clientBytes == [7])
        var outcome: TLSEngine.Outcome?
        try withUnsafeTemporaryAllocation(byteCount: 10, alignment: 1) { outcome = try pair.client.read(into: $0) }
        #expect(outcome == .ended)
        let hasMore = pair.client.hasInput
        #expect(!hasMore)
    }

    @Test("A record that was altered is an error, and stays one", arguments: TLSOptions.Version.modern)
    func altered(version: TLSOptions.Version) throws {
        var pair = try TLSPair(client: .client().only(version), server: .server().only(version))
        try pair.exchange()
        try pair.server.write(Array(repeating: 1, count: 100))
        var record = pair.server.takeOutput()
        record[40] ^= 1
        pair.client.inputSpace().copyBytes(from: record)
        pair.client.received(record.count)
        for _ in 0..<2 {
            var found: TransportError?
            withUnsafeTemporaryAllocation(byteCount: 200, alignment: 1) { buffer in
                found = transportError { () throws(TransportError) in _ = try pair.client.read(into: buffer) }
            }
            #expect(found?.kind == .tlsFailed)
            #expect(found?.message.contains("altered") == true, "\(String(describing: found))")
        }
        // The other side learns of it.
        let answerCount = pair.client.outputCount
        #expect(answerCount > 0)
    }

    @Test("A version that the other side does not have is named", arguments: [true, false])
    func versions(clientIsOlder: Bool) throws {
        let (old, new) = (TLSOptions.Version.v12, TLSOptions.Version.v13)
        let error = try handshakeError(
            client: .client().only(clientIsOlder ? old : new),
            server: .server().only(clientIsOlder ? new : old)
        )
        let message = try #require(error?.message)
        #expect(error?.kind == .tlsFailed)
        // Whoever notices first: the client by the answer, or the server, which says so by an alert.
        #expect(message.contains("version in common"), "\(message)")
    }

    @Test("Ciphers can be chosen, and one that is unknown is an error")
    func ciphers() throws {
        let cipherList = "ECDHE-ECDSA-CHACHA20-POLY1305"
        var pair = try TLSPair(client: .client { $0.cipherList = cipherList }.only(.v12), server: .server())
        try pair.exchange()
        let facts = pair.client.facts
        #expect(facts.cipher == cipherList)
        let suite = "TLS_CHACHA20_POLY1305_SHA256"
        var other = try TLSPair(client: .client { $0.cipherSuites = suite }, server: .server())
        try other.exchange()
        let otherFacts = other.client.facts
        #expect(otherFacts.cipher == suite)

        let known = try TLSOptions.client()
        for change in [{ $0.cipherList = "NOTHING" }, { $0.cipherSuites = "NOTHING" }] as [(inout TLSOptions) -> Void] {
            var options = known
            change(&options)
            let error = transportError { () throws(TransportError) in
                _ = try TLSContext.make(.client, options, password: nil)
            }
            #expect(error?.kind == .tlsFailed)
            #expect(error?.message.contains("NOTHING") == true)
        }
        let unequal = try handshakeError(
            client: .client { $0.cipherSuites = suite }.only(.v13),
            server: .server { $0.cipherSuites = "TLS_AES_128_GCM_SHA256" }.only(.v13)
        )
        #expect(unequal?.kind == .tlsFailed)
    }

    @Test("A minimum above the maximum is an error")
    func impossibleVersions() throws {
        var options = try TLSOptions.client()
        options.minimumVersion = .v13
        options.maximumVersion = .v12
        let error = transportError { () throws(TransportError) in
            _ = try TLSContext.make(.client, options, password: nil)
        }
        #expect(error?.message.contains("1.3, is above the maximum, 1.2") == true)
    }

    @Test(
        "Answers that are no TLS are recognised by their first byte or two",
        arguments: ["ERROR\nmessage:x\n\n", "H", "\u{16}\u{1}"]
    )
    func noTLS(answer: String) throws {
        var client = try TLSEngine(.make(.client, .client(), password: nil), host: "localhost", peer: "127.0.0.1:61613")
        _ = try client.handshake()
        client.inputSpace().copyBytes(from: Array(answer.utf8))
        client.received(answer.utf8.count)
        let error = transportError { () throws(TransportError) in _ = try client.handshake() }
        #expect(error?.kind == .tlsFailed)
        #expect(error?.message.contains("is no TLS") == true)
        #expect(error?.message.contains("127.0.0.1:61613") == true)
        #expect(answer == "\u{16}\u{1}" || error?.message.contains(answer.prefix(5)) == true)
    }
}
