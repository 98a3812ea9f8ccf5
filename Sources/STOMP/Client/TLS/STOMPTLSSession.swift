// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

extension STOMPTLSConfiguration {
    /// The hash of a public key: SHA-256 of SubjectPublicKeyInfo, as in RFC 7469.
    public struct PublicKeyPin: Sendable, Hashable, CustomStringConvertible {
        /// The 32 bytes.
        public let sha256: [UInt8]

        init(unchecked bytes: [UInt8]) {
            self.sha256 = bytes
        }

        /// Reads a pin: base64 as curl writes it (`sha256//…`), with or without that prefix, or 64 hexadecimal digits.
        ///
        /// - Throws: ``STOMPError/Code/invalidArgument`` if it is not 32 bytes.
        public init(_ text: String) throws(STOMPError) {
            let digits = text.hasPrefix("sha256//") ? text.dropFirst("sha256//".count) : text[...]
            let bytes = digits.utf8.count == 64 ? Self.hexadecimal(digits) : Self.base64(digits)
            guard let bytes, bytes.count == 32 else {
                throw STOMPError(
                    .invalidArgument,
                    "A pin is the SHA-256 of a public key, as sha256//BASE64 or as 64 hexadecimal digits."
                )
            }
            self.sha256 = bytes
        }

        /// The pin as curl writes it.
        public var description: String {
            let alphabet = Array(Self.alphabet.utf8)
            var text: [UInt8] = []
            for start in stride(from: 0, to: self.sha256.count, by: 3) {
                let group = self.sha256[start..<min(start + 3, self.sha256.count)]
                let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
                for place in 0...group.count { text.append(alphabet[bits >> (18 - 6 * place) & 63]) }
                for _ in group.count..<3 { text.append(UInt8(ascii: "=")) }
            }
            return "sha256//" + String(decoding: text, as: UTF8.self)
        }

        private static let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

        private static func hexadecimal(_ text: Substring) -> [UInt8]? {
            let digits = text.compactMap(\.hexDigitValue)
            guard digits.count == 64 else { return nil }
            return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        }

        private static func base64(_ text: Substring) -> [UInt8]? {
            let values = Dictionary(uniqueKeysWithValues: zip(Self.alphabet, 0...))
            var bytes: [UInt8] = []
            var bits = 0
            var count = 0
            for character in text {
                if character == "=" { break }
                guard let value = values[character] else { return nil }
                bits = (bits << 6 | value) & 0xFFFF
                count += 6
                guard count >= 8 else { continue }
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
            return bytes
        }
    }
}

/// A certificate that somebody has shown.
public struct STOMPCertificate: Sendable, Hashable {
    /// Whom it is for, as in `CN=broker,O=Example`.
    public let subject: String
    /// Who has signed it.
    public let issuer: String
    /// The names and addresses that it is for, as in `DNS:localhost, IP Address:127.0.0.1`.
    public let alternativeNames: String
    /// From when it is valid: seconds since 1970 in UTC.
    public let notBefore: Int64
    /// Until when it is valid: seconds since 1970 in UTC.
    public let notAfter: Int64
    /// The whole certificate in DER.
    public let der: [UInt8]
    /// The hash of its public key.
    public let pin: STOMPTLSConfiguration.PublicKeyPin

    init(_ certificate: TLSCertificate) {
        self.subject = certificate.subject
        self.issuer = certificate.issuer
        self.alternativeNames = certificate.alternativeNames
        self.notBefore = certificate.notBefore
        self.notAfter = certificate.notAfter
        self.der = certificate.der
        self.pin = STOMPTLSConfiguration.PublicKeyPin(unchecked: certificate.publicKeyHash)
    }
}

/// What a TLS session came to.
public struct STOMPTLSSession: Sendable, Hashable {
    /// The version of the protocol, such as `TLSv1.3`.
    public let version: String
    /// The cipher, such as `TLS_AES_256_GCM_SHA384`.
    public let cipher: String
    /// The server's certificate.
    public let peerCertificate: STOMPCertificate?

    init(_ facts: TLSFacts) {
        self.version = facts.version
        self.cipher = facts.cipher
        self.peerCertificate = facts.peerCertificate.map { STOMPCertificate($0) }
    }
}

extension STOMPConnection {
    /// The TLS session; `nil` without TLS.
    public nonisolated var tls: STOMPTLSSession? {
        self.transport.security.map { STOMPTLSSession($0) }
    }
}

extension STOMPClient {
    /// The TLS session of the current connection; `nil` without TLS, or while there is no connection.
    public var tls: STOMPTLSSession? {
        self.current?.tls
    }
}
