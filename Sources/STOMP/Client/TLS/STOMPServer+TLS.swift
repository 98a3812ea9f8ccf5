// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
package import STOMPTransport

extension STOMPServer {
    /// A stream through TLS over this one, which is closed if that fails.
    ///
    /// - Parameters:
    ///   - lower: a stream that is connected to the server.
    ///   - host: the host of the address, unless ``STOMPTLSConfiguration/serverName`` is another.
    /// - Returns: the stream for what is to be encrypted.
    /// - Throws: which check failed and why, or what the stream below throws.
    func secured(_ lower: any ByteTransport, host: String) async throws(TransportError) -> TLSTransport {
        do throws(TransportError) {
            let context = try await TLSContext.make(.client, try TLSOptions(self.tls))
            return try await TLSTransport.open(over: lower, context, host: self.tls.serverName ?? host)
        } catch {
            lower.close()
            throw error
        }
    }

    /// What an operator has to know about a connection that is made so.
    var tlsWarning: String? {
        guard self.endpoint.isSecure, self.tls.verification == .noneAcceptingAnyServer, self.tls.pins.isEmpty else {
            return nil
        }
        return "The certificate of \(self.endpoint) is not checked (tls.verify=none): anybody on the way can read and "
            + "change everything."
    }
}

extension STOMPEndpoint {
    /// Whether bytes go through TLS.
    package var isSecure: Bool {
        switch self.kind {
        case .tls, .secureWebSocket: true
        case .tcp, .webSocket, .unixSocket, .inMemory: false
        }
    }
}

extension TLSOptions {
    /// What a user has configured, for one attempt.
    package init(_ configuration: STOMPTLSConfiguration) throws(TransportError) {
        self.init()
        self.trust = configuration.trust.map { trust in
            switch trust {
            case .system: .system
            case .certificates(let source): .certificates(Source(source))
            case .folder(let path): .folder(path)
            }
        }
        if let certificates = configuration.certificateChain {
            let key = configuration.privateKey ?? certificates
            var identity = Identity(certificates: Source(certificates), key: Source(key))
            if let password = configuration.privateKeyPassword {
                identity.password = { try await password.value() }
            }
            self.identity = identity
        } else if configuration.privateKey != nil {
            throw TransportError(
                kind: .tlsFailed,
                message: "TLS cannot start: there is a private key, but no certificate (tls.certFile)."
            )
        }
        switch configuration.verification {
        case .full: self.verification = .full
        case .certificateOnly: self.verification = .certificateOnly
        case .noneAcceptingAnyServer: self.verification = .none
        }
        self.minimumVersion = Version(configuration.minimumVersion)
        self.maximumVersion = configuration.maximumVersion.map { Version($0) }
        self.cipherList = configuration.cipherList
        self.cipherSuites = configuration.cipherSuites
        self.pins = Set(configuration.pins.map(\.sha256))
    }
}

extension TLSOptions.Source {
    fileprivate init(_ source: STOMPTLSConfiguration.Source) {
        switch source {
        case .file(let path): self = .file(path)
        case .bytes(let bytes): self = .bytes(bytes)
        }
    }
}

extension TLSOptions.Version {
    fileprivate init(_ version: STOMPTLSConfiguration.Version) {
        switch version {
        case .tls10: self = .v10
        case .tls11: self = .v11
        case .tls12: self = .v12
        case .tls13: self = .v13
        }
    }
}

extension STOMPError.Code {
    /// What the failure of an attempt to connect is.
    init(connecting kind: TransportError.Kind) {
        switch kind {
        // What cannot be an address will not be one later.
        case .invalidAddress: self = .invalidArgument
        case .tlsFailed: self = .tlsFailed
        case .tlsUnavailable: self = .tlsUnavailable
        default: self = .connectFailed
        }
    }
}
