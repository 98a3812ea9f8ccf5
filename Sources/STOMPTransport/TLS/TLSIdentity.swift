// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Our certificates and our key, read and ready to be used.
struct TLSIdentity {
    /// PEM, like the key.
    var certificates: [UInt8]
    var certificatesName: String
    var key: [UInt8]
    var keyName: String
    var isKeyEncrypted: Bool
    var password: String?

    private static let fileLimit = 16 * 1024 * 1024

    /// Asks for the password only if there is need of one.
    static func read(_ identity: TLSOptions.Identity) async throws(TransportError) -> TLSIdentity {
        var read = try Self.read(identity, password: nil)
        guard read.isKeyEncrypted, let ask = identity.password else { return read }
        do {
            read.password = try await ask()
        } catch {
            if Task.isCancelled { throw TransportError(kind: .closed, message: "Connecting was cancelled.") }
            throw .tls("the password of \(read.keyName) could not be had: \(error)")
        }
        return read
    }

    /// Does not ask.
    static func read(_ identity: TLSOptions.Identity, password: String?) throws(TransportError) -> TLSIdentity {
        let certificatesName = identity.certificates.name("the certificate file")
        let keyName = identity.key.name("the key file")
        let certificates = try Self.bytes(of: identity.certificates, certificatesName)
        let key = try Self.bytes(of: identity.key, keyName)
        // PKCS #8, and the traditional form.
        let text = String(decoding: key, as: UTF8.self)
        let isEncrypted = text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
        return TLSIdentity(
            certificates: certificates,
            certificatesName: certificatesName,
            key: key,
            keyName: keyName,
            isKeyEncrypted: isEncrypted,
            password: password
        )
    }

    static func bytes(of source: TLSOptions.Source, _ name: String) throws(TransportError) -> [UInt8] {
        switch source {
        case .bytes(let bytes):
            return bytes
        case .file(let path):
            do throws(TransportError) {
                return try SmallFile(path: path, byteLimit: Self.fileLimit).bytes
            } catch {
                throw TransportError(
                    kind: .tlsFailed,
                    errno: error.errno,
                    message: "TLS cannot start: \(name) is needed. \(error.message)"
                )
            }
        }
    }
}
