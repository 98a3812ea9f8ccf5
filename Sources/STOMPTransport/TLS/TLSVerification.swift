// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CSystem
import STOMPCore

/// Decides whether the server is the one that was meant, and keeps why it is not.
///
/// Belongs to the one session of a client's context.
final class TLSVerification: Sendable {
    /// The first check that failed.
    struct Failure: Sendable {
        /// One of OpenSSL's X509_V_ERR codes.
        var code: Int
        /// In OpenSSL's words.
        var text: String
        /// The certificate that it is about.
        var certificate: TLSCertificate?
    }

    // X509_V_ERR_… of OpenSSL's x509_vfy.h.
    enum Code {
        static let issuerMissing = 2
        static let notYetValid = 9
        static let expired = 10
        static let selfSigned = 18
        static let selfSignedInChain = 19
        static let issuerNotLocal = 20
        static let unverifiedLeaf = 21
        static let applicationCheck = 50
        static let wrongHost = 62
        static let wrongAddress = 64
    }

    private let openSSL: OpenSSL
    private let isVerifying: Bool
    private let pins: Set<[UInt8]>
    private let kept = Locked<Failure?>(nil)

    init(_ options: TLSOptions, _ openSSL: OpenSSL) {
        self.openSSL = openSSL
        self.isVerifying = options.verification != .none
        self.pins = options.pins
    }

    var failure: Failure? { self.kept.withLock { $0 } }

    /// Makes the context ask this; it must not outlive this.
    func attach(to context: OpaquePointer) {
        let argument = Unmanaged.passUnretained(self).toOpaque()
        self.openSSL.api.pointee.SSL_CTX_set_cert_verify_callback(
            context,
            { store, argument in
                guard let store, let argument else { return 0 }
                return Unmanaged<TLSVerification>.fromOpaque(argument).takeUnretainedValue().verify(store) ? 1 : 0
            },
            argument
        )
    }

    private func verify(_ store: OpaquePointer) -> Bool {
        let api = self.openSSL.api
        if self.isVerifying, api.pointee.X509_verify_cert(store) != 1 {
            self.keep(store, api.pointee.X509_STORE_CTX_get_current_cert(store))
            return false
        }
        guard !self.pins.isEmpty, !self.isPinned(store) else { return true }
        api.pointee.X509_STORE_CTX_set_error(store, Int32(Code.applicationCheck))
        self.keep(store, api.pointee.X509_STORE_CTX_get0_cert(store))
        return false
    }

    private func keep(_ store: OpaquePointer, _ certificate: OpaquePointer?) {
        let code = Int(self.openSSL.api.pointee.X509_STORE_CTX_get_error(store))
        let text = self.openSSL.api.pointee.X509_verify_cert_error_string(code).map { String(cString: $0) }
        let failure = Failure(
            code: code,
            text: text ?? "error \(code)",
            certificate: certificate.map { TLSCertificate($0, self.openSSL) }
        )
        self.kept.withLock { $0 = failure }
    }

    /// What the server sends beside its own certificate proves nothing unless the chain was verified.
    private func isPinned(_ store: OpaquePointer) -> Bool {
        let api = self.openSSL.api
        guard self.isVerifying, let chain = api.pointee.X509_STORE_CTX_get0_chain(store) else {
            guard let own = api.pointee.X509_STORE_CTX_get0_cert(store) else { return false }
            return self.pins.contains(TLSCertificate.publicKeyHash(own, self.openSSL))
        }
        return (0..<api.pointee.OPENSSL_sk_num(chain)).contains { index in
            guard let certificate = api.pointee.OPENSSL_sk_value(chain, index) else { return false }
            return self.pins.contains(TLSCertificate.publicKeyHash(OpaquePointer(certificate), self.openSSL))
        }
    }
}

extension TLSVerification.Failure {
    /// What is wrong and what to do about it, as the rest of a sentence.
    func sentence(host: String) -> String {
        guard let certificate = self.certificate else { return "the certificate was not accepted: \(self.text)" }
        let subject = "the certificate of \(certificate.subject.isEmpty ? "(no name)" : certificate.subject)"
        typealias Code = TLSVerification.Code
        switch self.code {
        case Code.expired:
            return "\(subject) expired at \(TLSCertificate.date(certificate.notAfter)). Renew it, or set the clock "
                + "of this machine right"
        case Code.notYetValid:
            return "\(subject) is not valid before \(TLSCertificate.date(certificate.notBefore)). Is the clock of this "
                + "machine right?"
        case Code.selfSigned:
            return "\(subject) is signed by itself, and is not trusted here. If it is the server's, give it as "
                + "tls.caFile"
        case Code.selfSignedInChain:
            return "\(subject), which the server sent as its authority, is not trusted here. If it is yours, give it "
                + "as tls.caFile"
        case Code.issuerMissing, Code.issuerNotLocal, Code.unverifiedLeaf:
            return "\(subject) was issued by \(certificate.issuer), which is not trusted here. Give the certificate of "
                + "that authority as tls.caFile; for a public one install ca-certificates"
        case Code.wrongHost, Code.wrongAddress:
            let names = certificate.alternativeNames.isEmpty ? "no host" : certificate.alternativeNames
            return "\(subject) is for \(names.prefix(300)), and not for \(host). Connect by one of its names, or set "
                + "tls.serverName to one"
        case Code.applicationCheck:
            return
                "no public key of \(subject), nor of its authorities, is among those that are pinned. Has the server "
                + "got a new key?"
        default:
            return "\(subject) was not accepted: \(self.text)"
        }
    }
}
