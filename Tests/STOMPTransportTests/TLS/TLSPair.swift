// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import TestSupport
import Testing

@testable import STOMPTransport

/// Both sides of a session, with nothing between them.
struct TLSPair: ~Copyable {
    var client: TLSEngine
    var server: TLSEngine
    /// What each has read.
    var clientBytes: [UInt8] = []
    var serverBytes: [UInt8] = []

    init(_ client: TLSContext, _ server: TLSContext, host: String = "localhost") throws(TransportError) {
        let client = try TLSEngine(client, host: host, peer: "the server")
        let server = try TLSEngine(server, peer: "the client")
        self.client = client
        self.server = server
    }

    init(
        client: TLSOptions? = nil,
        server: TLSOptions? = nil,
        host: String = "localhost"
    ) throws {
        try self.init(
            TLSContext.make(.client, client ?? .client(), password: nil),
            TLSContext.make(.server, server ?? .server(), password: nil),
            host: host
        )
    }

    /// Carries everything to and fro, in pieces, until both fall silent.
    mutating func exchange(pieces size: Int = .max) throws(TransportError) {
        if !self.client.isOpen { _ = try self.client.handshake() }
        while true {
            let toServer = self.client.takeOutput()
            try Self.deliver(toServer, pieces: size, to: &self.server, &self.serverBytes)
            let toClient = self.server.takeOutput()
            try Self.deliver(toClient, pieces: size, to: &self.client, &self.clientBytes)
            if toServer.isEmpty, toClient.isEmpty { return }
        }
    }

    private static func deliver(
        _ bytes: [UInt8],
        pieces size: Int,
        to engine: inout TLSEngine,
        _ plain: inout [UInt8]
    ) throws(TransportError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let space = engine.inputSpace()
            let piece = rest.prefix(min(size, space.count))
            space.copyBytes(from: piece)
            engine.received(piece.count)
            rest = rest.dropFirst(piece.count)
            if !engine.isOpen { _ = try engine.handshake() }
            if engine.isOpen { try Self.read(&engine, &plain) }
        }
    }

    private static func read(_ engine: inout TLSEngine, _ plain: inout [UInt8]) throws(TransportError) {
        while true {
            let result = withUnsafeTemporaryAllocation(byteCount: 20_000, alignment: 1) { buffer in
                Result { () throws(TransportError) -> Bool in
                    guard case .bytes(let count) = try engine.read(into: buffer) else { return false }
                    plain += buffer[..<count]
                    return true
                }
            }
            guard try result.get() else { return }
        }
    }
}

extension TLSOptions.Version {
    /// What a client speaks unless it is told otherwise.
    static let modern = [TLSOptions.Version.v12, .v13]
}

extension TLSEngine {
    mutating func write(_ bytes: [UInt8]) throws(TransportError) {
        var position = 0
        while position < bytes.count {
            let end = min(position + Self.pieceSize, bytes.count)
            let result = bytes.withUnsafeBytes { all in
                Result { () throws(TransportError) in
                    try self.write(UnsafeRawBufferPointer(rebasing: all[position..<end]))
                }
            }
            try result.get()
            position = end
        }
    }
}

extension TLSOptions.Trust {
    /// One of the test certificates.
    static func named(_ name: String) throws -> TLSOptions.Trust {
        .certificates(.file(try Certificates.shared().path("\(name).crt")))
    }
}

extension TLSOptions.Identity {
    /// One of the test certificates, with its key.
    init(_ name: String, key: String? = nil) throws {
        let certificates = try Certificates.shared()
        self.init(
            certificates: .file(certificates.path("\(name).crt")),
            key: .file(certificates.path(key ?? "\(name).key"))
        )
    }
}

extension TLSOptions {
    /// A client that trusts the test authority.
    static func client(_ change: (inout TLSOptions) throws -> Void = { _ in }) throws -> TLSOptions {
        var options = TLSOptions()
        options.trust = [try .named("ca")]
        try change(&options)
        return options
    }

    /// A server with this certificate.
    static func server(
        _ name: String = "server",
        _ change: (inout TLSOptions) throws -> Void = { _ in }
    ) throws -> TLSOptions {
        var options = TLSOptions()
        options.trust = [try .named("ca")]
        options.identity = try Identity(name)
        try change(&options)
        return options
    }

    func only(_ version: Version) -> TLSOptions {
        var options = self
        options.minimumVersion = version
        options.maximumVersion = version
        return options
    }
}

/// The error with which a session fails; nil when it does not.
func handshakeError(
    client: TLSOptions? = nil,
    server: TLSOptions? = nil,
    host: String = "localhost"
) throws -> TransportError? {
    var pair = try TLSPair(client: client, server: server, host: host)
    do throws(TransportError) {
        try pair.exchange()
        return nil
    } catch {
        return error
    }
}

/// The error that `body` throws.
func transportError(_ body: () throws(TransportError) -> Void) -> TransportError? {
    do throws(TransportError) {
        try body()
        return nil
    } catch {
        return error
    }
}
