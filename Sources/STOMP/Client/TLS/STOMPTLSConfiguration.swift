// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport

/// How TLS is spoken with a server: whom to trust, who we are, and what is checked.
///
/// The defaults suit a server with a certificate of a public authority. Files are read anew at each attempt to connect,
/// so certificates can be exchanged while a service runs. <doc:Encrypting> starts from the files that you were given.
public struct STOMPTLSConfiguration: Sendable, Hashable {
    /// Text in PEM: certificates, or a private key.
    @nonexhaustive
    public enum Source: Sendable, Hashable {
        /// In a file, read at each attempt to connect.
        case file(String)
        /// In memory.
        case bytes([UInt8])
    }

    /// Whose signature makes a certificate count.
    @nonexhaustive
    public enum Trust: Sendable, Hashable {
        /// The authorities that the system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
        case system
        /// These certificates of authorities, or of the server itself if it signs for itself.
        case certificates(Source)
        /// A folder of certificates whose names are their hashes, as `openssl rehash` makes them.
        case folder(String)
    }

    /// What is checked of the server's certificate.
    @nonexhaustive
    public enum Verification: Sendable, Hashable {
        /// That an authority we trust has signed it, that it is valid today, and that it is for this server's name.
        case full
        /// All of that but the name.
        ///
        /// Any server with a certificate of the same authorities can pass for this one.
        case certificateOnly
        /// Nothing.
        ///
        /// Whoever can redirect or intercept the connection reads and changes all of it, passwords included. Each
        /// connection so made is a ``STOMPEvent/warning(_:)``, unless ``STOMPTLSConfiguration/pins`` name the server's
        /// key.
        case noneAcceptingAnyServer
    }

    /// A version of TLS.
    @nonexhaustive
    public enum Version: String, Sendable, Hashable, CaseIterable {
        /// TLS 1.0, which is broken; systems that still have it may want `@SECLEVEL=0` in the cipher list.
        case tls10 = "1.0"
        /// TLS 1.1, of which the same is true.
        case tls11 = "1.1"
        /// TLS 1.2.
        case tls12 = "1.2"
        /// TLS 1.3.
        case tls13 = "1.3"
    }

    /// Whom to believe; naming others takes the system's authorities away, unless ``Trust/system`` is among them.
    public var trust: [Trust] = [.system]
    /// Our certificate, and after it those of the authorities between; `nil`: we show none.
    public var certificateChain: Source?
    /// The key of our certificate; `nil`: it stands beside the certificate in ``certificateChain``.
    public var privateKey: Source?
    /// Asked for if the key is encrypted.
    public var privateKeyPassword: Password?
    /// The name that the server is asked for and that its certificate must have; `nil`: that of the address.
    public var serverName: String?
    /// The oldest version that is spoken.
    public var minimumVersion = Version.tls12
    /// The newest version that is spoken; `nil`: the newest there is.
    public var maximumVersion: Version?
    /// The ciphers for TLS 1.2 and before, in OpenSSL's notation (`ECDHE+AESGCM`); `nil`: the library's.
    public var cipherList: String?
    /// The cipher suites for TLS 1.3 (`TLS_AES_256_GCM_SHA384:…`); `nil`: the library's.
    public var cipherSuites: String?
    /// What is checked of the server's certificate.
    public var verification = Verification.full
    /// Public keys of which one must be among those of the verified certificates; empty: any.
    ///
    /// Without verification only the server's own key counts.
    public var pins: Set<PublicKeyPin> = []

    /// The system's authorities, everything checked, TLS 1.2 and up, no certificate of ours.
    public init() {}
}

extension STOMPTLSConfiguration {
    /// The password of a private key; it appears in no description.
    public struct Password: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
        /// Compared by identity where it is a callback.
        private final class Callback: Sendable {
            let ask: @Sendable () async throws -> String

            init(_ ask: @escaping @Sendable () async throws -> String) {
                self.ask = ask
            }
        }

        private enum Kind: Sendable {
            case text(String)
            case file(String)
            case callback(Callback)
        }

        private let kind: Kind

        /// This password.
        public static func text(_ password: String) -> Password {
            Password(kind: .text(password))
        }

        /// The first line of a file, read when the key is.
        public static func file(_ path: String) -> Password {
            Password(kind: .file(path))
        }

        /// The password itself.
        func value() async throws -> String {
            if case .callback(let callback) = self.kind { return try await callback.ask() }
            return try self.storedValue ?? ""
        }

        /// The password, unless it has to be asked for.
        package var storedValue: String? {
            get throws {
                switch self.kind {
                case .text(let text):
                    return text
                case .file(let path):
                    let bytes = try SmallFile(path: path, byteLimit: 64 * 1024).bytes
                    let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
                    return String(decoding: line, as: UTF8.self)
                case .callback:
                    return nil
                }
            }
        }

        /// What a closure says; it is asked at each attempt to connect, within its time, if the key is encrypted.
        public static func callback(_ ask: @escaping @Sendable () async throws -> String) -> Password {
            Password(kind: .callback(Callback(ask)))
        }

        /// Never the password.
        public var description: String {
            switch self.kind {
            case .text: "(hidden)"
            case .file(let path): "(in \(path))"
            case .callback: "(asked for)"
            }
        }

        /// Never the password.
        public var customMirror: Mirror {
            Mirror(self, children: ["password": self.description], displayStyle: .struct)
        }

        /// Whether both are the same text, file or callback.
        public static func == (lhs: Password, rhs: Password) -> Bool {
            switch (lhs.kind, rhs.kind) {
            case (.text(let lhs), .text(let rhs)), (.file(let lhs), .file(let rhs)): lhs == rhs
            case (.callback(let lhs), .callback(let rhs)): lhs === rhs
            default: false
            }
        }

        /// Hashes what is compared.
        public func hash(into hasher: inout Hasher) {
            switch self.kind {
            case .text(let text), .file(let text): hasher.combine(text)
            case .callback(let callback): hasher.combine(ObjectIdentifier(callback))
            }
        }
    }
}

extension STOMPTLSConfiguration.Source: CustomStringConvertible, CustomReflectable {
    /// The file; never the bytes, which may be a key.
    public var description: String {
        switch self {
        case .file(let path): path
        case .bytes(let bytes): "(\(bytes.count) bytes)"
        }
    }

    /// The file; never the bytes, which may be a key.
    public var customMirror: Mirror {
        Mirror(self, children: ["source": self.description], displayStyle: .enum)
    }
}
