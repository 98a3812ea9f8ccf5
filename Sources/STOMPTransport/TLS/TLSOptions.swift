// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a TLS context is made from.
package struct TLSOptions: Sendable {
    /// PEM: in a file, which is read for each context, or in memory.
    package enum Source: Sendable {
        case file(String)
        case bytes([UInt8])
    }

    /// Whose signature counts.
    package enum Trust: Sendable {
        /// The certificates that the system trusts.
        case system
        case certificates(Source)
        /// A folder with links named by hashes, as `openssl rehash` makes them.
        case folder(String)
    }

    /// Who we are.
    package struct Identity: Sendable {
        /// Ours first, then those of the authorities between.
        package var certificates: Source
        package var key: Source
        /// Asked if the key is encrypted.
        package var password: (@Sendable () async throws -> String)?

        package init(
            certificates: Source,
            key: Source,
            password: (@Sendable () async throws -> String)? = nil
        ) {
            self.certificates = certificates
            self.key = key
            self.password = password
        }
    }

    /// What is checked of the server's certificate.
    package enum Verification: Sendable {
        /// Signatures, dates and the name.
        case full
        /// All but the name.
        case certificateOnly
        case none
    }

    /// A version of the protocol, by its number there.
    package enum Version: Int, Sendable {
        case v10 = 0x0301
        case v11 = 0x0302
        case v12 = 0x0303
        case v13 = 0x0304

        /// "1.2".
        package var name: String {
            switch self {
            case .v10: "1.0"
            case .v11: "1.1"
            case .v12: "1.2"
            case .v13: "1.3"
            }
        }
    }

    /// Whether a server asks its clients for certificates.
    package enum ClientCertificates: Sendable {
        case none
        case optional
        case required
    }

    package var trust: [Trust] = [.system]
    package var identity: Identity?
    package var verification = Verification.full
    package var minimumVersion = Version.v12
    package var maximumVersion: Version?
    /// For TLS 1.2 and before, as OpenSSL writes them; nil: the library's choice.
    package var cipherList: String?
    /// For TLS 1.3.
    package var cipherSuites: String?
    /// SHA-256 of public keys, one of which must be in the verified chain; without verification it must be the server's
    /// own.
    package var pins: Set<[UInt8]> = []
    /// For a server only.
    package var clientCertificates = ClientCertificates.none

    /// The system's roots, everything verified, TLS 1.2 and up.
    package init() {}
}

extension TLSOptions.Source {
    /// For messages: the file, or `what` in memory.
    func name(_ what: String) -> String {
        switch self {
        case .file(let path): "\(what) \(path)"
        case .bytes: "\(what) given as bytes"
        }
    }
}

/// What is known of a session, constant once it is open.
package struct TLSFacts: Sendable, Hashable {
    /// "TLSv1.3".
    package var version: String
    /// "TLS_AES_256_GCM_SHA384".
    package var cipher: String
    /// The other side's, if it has shown one.
    package var peerCertificate: TLSCertificate?
}
