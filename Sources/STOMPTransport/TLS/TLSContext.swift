// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CSystem

/// What sessions are made from: versions, ciphers, certificates.
///
/// A client makes one for each attempt, so that files are read again and certificates can be changed under a service
/// that runs.
///
/// `@unchecked Sendable`: OpenSSL's context counts its references, and is not changed once this has been made.
package final class TLSContext: @unchecked Sendable {
    package enum Role: Sendable {
        case client
        case server
    }

    let openSSL: OpenSSL
    let role: Role
    let options: TLSOptions
    /// A client's.
    let verification: TLSVerification?
    /// Whom our own certificate names.
    let identity: String?
    let context: OpaquePointer

    /// - Throws: `.tlsUnavailable`; `.tlsFailed` for a file, certificate, key, password or cipher that will not do, which
    ///   the message names.
    package static func make(_ role: Role, _ options: TLSOptions) async throws(TransportError) -> TLSContext {
        let openSSL = try OpenSSL.loaded()
        var identity: TLSIdentity?
        if let given = options.identity { identity = try await TLSIdentity.read(given) }
        return try TLSContext(role, options, identity, openSSL)
    }

    /// As the other one, with a password at hand instead of one that is asked for.
    package static func make(
        _ role: Role,
        _ options: TLSOptions,
        password: String?
    ) throws(TransportError) -> TLSContext {
        let openSSL = try OpenSSL.loaded()
        var identity: TLSIdentity?
        if let given = options.identity { identity = try TLSIdentity.read(given, password: password) }
        return try TLSContext(role, options, identity, openSSL)
    }

    private init(
        _ role: Role,
        _ options: TLSOptions,
        _ identity: TLSIdentity?,
        _ openSSL: OpenSSL
    ) throws(TransportError) {
        let api = openSSL.api
        // What another user of the library has left on this thread is not about us.
        api.pointee.ERR_clear_error()
        let method = role == .client ? api.pointee.TLS_client_method() : api.pointee.TLS_server_method()
        guard let context = api.pointee.SSL_CTX_new(method) else {
            throw .tls("a context could not be made", openSSL.takeErrors())
        }
        self.openSSL = openSSL
        self.role = role
        self.options = options
        self.context = context
        let setup = TLSSetup(openSSL: openSSL, context: context)
        do throws(TransportError) {
            try setup.setVersions(options)
            try setup.setCiphers(options)
            self.identity = try identity.map { identity throws(TransportError) in try setup.use(identity) }
            if role == .client || options.clientCertificates != .none {
                try setup.setTrust(options, announcing: role == .server)
            }
        } catch {
            api.pointee.SSL_CTX_free(context)
            throw error
        }
        self.verification = role == .client ? TLSVerification(options, openSSL) : nil
        self.verification?.attach(to: context)
        // SSL_VERIFY_PEER, SSL_VERIFY_FAIL_IF_NO_PEER_CERT
        switch (role, options.clientCertificates) {
        case (.client, _), (.server, .optional): api.pointee.SSL_CTX_set_verify(context, 1, nil)
        case (.server, .required): api.pointee.SSL_CTX_set_verify(context, 1 | 2, nil)
        case (.server, .none): api.pointee.SSL_CTX_set_verify(context, 0, nil)
        }
    }

    deinit {
        self.openSSL.api.pointee.SSL_CTX_free(self.context)
    }
}

/// The steps of setting a new context up.
struct TLSSetup {
    let openSSL: OpenSSL
    let context: OpaquePointer

    // Commands of SSL_CTX_ctrl and options, from OpenSSL 3's ssl.h.
    private static let setMode: Int32 = 33
    private static let addChainCertificate: Int32 = 89
    private static let setMinimumVersion: Int32 = 123
    private static let setMaximumVersion: Int32 = 124
    /// Idle sessions keep no buffers.
    private static let releaseBuffers = 0x10
    private static let noCompression: UInt64 = 1 << 17
    private static let noRenegotiation: UInt64 = 1 << 30

    func setVersions(_ options: TLSOptions) throws(TransportError) {
        let api = self.openSSL.api
        _ = api.pointee.SSL_CTX_ctrl(self.context, Self.setMode, Self.releaseBuffers, nil)
        _ = api.pointee.SSL_CTX_set_options(self.context, Self.noCompression | Self.noRenegotiation)
        let (minimum, maximum) = (options.minimumVersion, options.maximumVersion)
        guard minimum.rawValue <= maximum?.rawValue ?? .max else {
            throw .tls("the minimum version, \(minimum.name), is above the maximum, \(maximum?.name ?? "")")
        }
        guard api.pointee.SSL_CTX_ctrl(self.context, Self.setMinimumVersion, minimum.rawValue, nil) == 1,
            api.pointee.SSL_CTX_ctrl(self.context, Self.setMaximumVersion, maximum?.rawValue ?? 0, nil) == 1
        else { throw .tls("the versions are not possible here", self.openSSL.takeErrors()) }
    }

    func setCiphers(_ options: TLSOptions) throws(TransportError) {
        if let list = options.cipherList,
            list.utf8.contains(0) || self.openSSL.api.pointee.SSL_CTX_set_cipher_list(self.context, list) != 1
        {
            throw .tls("no cipher for TLS 1.2 is known by the list \"\(list)\"", self.openSSL.takeErrors())
        }
        if let list = options.cipherSuites,
            list.utf8.contains(0) || self.openSSL.api.pointee.SSL_CTX_set_ciphersuites(self.context, list) != 1
        {
            throw .tls("a cipher suite for TLS 1.3 is not known: \"\(list)\"", self.openSSL.takeErrors())
        }
    }

    // MARK: - Whom to trust

    func setTrust(_ options: TLSOptions, announcing: Bool) throws(TransportError) {
        let api = self.openSSL.api
        guard let store = api.pointee.SSL_CTX_get_cert_store(self.context) else { throw .tls("there is no store") }
        for trust in options.trust {
            switch trust {
            case .system:
                // That there are none shows when somebody cannot be verified.
                _ = api.pointee.SSL_CTX_set_default_verify_paths(self.context)
                api.pointee.ERR_clear_error()
            case .certificates(let source):
                let name = source.name("the CA file")
                let pem = try TLSIdentity.bytes(of: source, name)
                for certificate in try self.certificates(pem, name) {
                    defer { api.pointee.X509_free(certificate) }
                    guard api.pointee.X509_STORE_add_cert(store, certificate) == 1 else {
                        throw .tls("\(name) cannot be used", self.openSSL.takeErrors())
                    }
                    if announcing { _ = api.pointee.SSL_CTX_add_client_CA(self.context, certificate) }
                }
            case .folder(let path):
                try self.addFolder(path)
            }
        }
    }

    private func addFolder(_ path: String) throws(TransportError) {
        let names: [String]
        do throws(SystemError) {
            names = try System.fileNames(inFolder: path)
        } catch {
            throw .tls("the CA folder \(path) cannot be read: \(error.reason)")
        }
        guard names.contains(where: Self.isHashed) else {
            throw .tls(
                "the CA folder \(path) has no certificate under the name of its hash, such as 5ed36f99.0; "
                    + "run: openssl rehash \(path)"
            )
        }
        guard self.openSSL.api.pointee.SSL_CTX_load_verify_dir(self.context, path) == 1 else {
            throw .tls("the CA folder \(path) cannot be used", self.openSSL.takeErrors())
        }
    }

    private static func isHashed(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && parts[0].utf8.count == 8 && parts[0].allSatisfy(\.isHexDigit)
            && parts[1].isWholeNumber
    }

    // MARK: - Who we are

    /// - Returns: whom our certificate names.
    func use(_ identity: TLSIdentity) throws(TransportError) -> String {
        let api = self.openSSL.api
        let certificates = try self.certificates(identity.certificates, identity.certificatesName)
        defer { for certificate in certificates { api.pointee.X509_free(certificate) } }
        for (index, certificate) in certificates.enumerated() {
            let isTaken =
                index == 0
                ? api.pointee.SSL_CTX_use_certificate(self.context, certificate) == 1
                : api.pointee.SSL_CTX_ctrl(
                    self.context,
                    Self.addChainCertificate,
                    1,
                    UnsafeMutableRawPointer(certificate)
                ) == 1
            guard isTaken else {
                throw .tls("\(identity.certificatesName) cannot be used", self.openSSL.takeErrors())
            }
        }
        let key = try self.key(identity)
        defer { api.pointee.EVP_PKEY_free(key) }
        guard api.pointee.SSL_CTX_use_PrivateKey(self.context, key) == 1,
            api.pointee.SSL_CTX_check_private_key(self.context) == 1
        else {
            api.pointee.ERR_clear_error()
            throw .tls("\(identity.keyName) does not belong to the first certificate of \(identity.certificatesName)")
        }
        return TLSCertificate.name(api.pointee.X509_get_subject_name(certificates[0]), self.openSSL)
    }

    private func key(_ identity: TLSIdentity) throws(TransportError) -> OpaquePointer {
        let api = self.openSSL.api
        var password = Array((identity.password ?? "").utf8CString)
        let key = identity.key.withUnsafeBytes { bytes -> OpaquePointer? in
            guard let bio = api.pointee.BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else {
                return nil
            }
            defer { _ = api.pointee.BIO_free(bio) }
            // Without a callback the argument is the password; without either it would ask on the terminal.
            return password.withUnsafeMutableBytes { password in
                api.pointee.PEM_read_bio_PrivateKey(bio, nil, nil, password.baseAddress)
            }
        }
        guard let key else {
            let errors = self.openSSL.takeErrors()
            guard identity.isKeyEncrypted else {
                throw .tls("\(identity.keyName) has no private key in PEM", errors)
            }
            guard identity.password != nil else {
                throw .tls("\(identity.keyName) is encrypted; set tls.keyPasswordFile, or give the password in code")
            }
            throw .tls("\(identity.keyName) could not be decrypted; is the password right?", errors)
        }
        return key
    }

    /// Those of PEM text; the caller frees them.
    private func certificates(_ pem: [UInt8], _ name: String) throws(TransportError) -> [OpaquePointer] {
        let api = self.openSSL.api
        var certificates: [OpaquePointer] = []
        api.pointee.ERR_clear_error()
        pem.withUnsafeBytes { bytes in
            guard !bytes.isEmpty,
                let bio = api.pointee.BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
            else { return }
            defer { _ = api.pointee.BIO_free(bio) }
            // A certificate is never encrypted; the argument only keeps it from asking.
            var none: UInt8 = 0
            while let certificate = api.pointee.PEM_read_bio_X509(bio, nil, nil, &none) {
                certificates.append(certificate)
            }
        }
        let errors = self.openSSL.takeErrors()
        // The last attempt fails in any case: PEM_R_NO_START_LINE.
        let isWhole = errors.allSatisfy { $0.library == 9 && $0.reason == 108 }
        guard isWhole, !certificates.isEmpty else {
            for certificate in certificates { api.pointee.X509_free(certificate) }
            throw .tls(isWhole ? "\(name) has no certificate in PEM" : "\(name) cannot be read", isWhole ? [] : errors)
        }
        return certificates
    }
}

extension Substring {
    fileprivate var isWholeNumber: Bool {
        !self.isEmpty && self.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
    }
}

extension TransportError {
    /// About what we have been given to set a session up with.
    static func tls(_ message: String, _ errors: [OpenSSLError] = []) -> TransportError {
        let reasons = errors.map(\.text).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let cause = reasons.isEmpty ? "" : " (OpenSSL: \(reasons.joined(separator: ", ")))"
        return TransportError(kind: .tlsFailed, message: "TLS cannot start: \(message)\(cause).")
    }
}
