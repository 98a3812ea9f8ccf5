// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Whom a session is with.
struct TLSName: Sendable {
    /// As it was given.
    let host: String
    /// The address that answered.
    let peer: String
    /// What the certificate must be for: without the dot that ends a full name, and without an address's zone.
    let checked: String
    let isAddress: Bool

    init(host: String, peer: String) {
        self.host = host
        self.peer = peer
        var bare = host[...]
        if bare.hasPrefix("["), bare.hasSuffix("]") { bare = bare.dropFirst().dropLast() }
        if bare.contains(":") {
            bare = bare.prefix { $0 != "%" }
        } else if bare.hasSuffix(".") {
            bare = bare.dropLast()
        }
        self.checked = String(bare)
        let literal = try? HostAndPort(host: self.checked, port: 1, allowedPorts: 1...1).literalAddress()
        self.isAddress = literal != nil
    }
}

/// Puts what went wrong into words.
struct TLSFailure {
    enum Stage {
        case handshake
        case session
    }

    private let name: TLSName
    private let errors: [OpenSSLError]
    private let stage: Stage
    private let verification: TLSVerification.Failure?
    private let identity: String?
    private let minimumVersion: TLSOptions.Version
    private let maximumVersion: TLSOptions.Version?
    private let isClient: Bool

    // SSL_R_… of OpenSSL 3's sslerr.h.
    private enum Reason {
        static let verificationFailed: UInt64 = 134
        static let noCommonVersion: Set<UInt64> = [191, 258, 266, 396]
        static let badRecord: UInt64 = 281
        static let noCertificate: UInt64 = 199
    }

    init(_ engine: borrowing TLSEngine, _ errors: [OpenSSLError], during stage: Stage) {
        self.name = engine.name
        self.errors = errors
        self.stage = stage
        self.verification = engine.context.verification?.failure
        self.identity = engine.context.identity
        self.minimumVersion = engine.context.options.minimumVersion
        self.maximumVersion = engine.context.options.maximumVersion
        self.isClient = engine.context.role == .client
    }

    private var beginning: String {
        switch self.stage {
        case .handshake: "TLS with \(self.name.peer) failed"
        case .session: "TLS with \(self.name.peer) broke"
        }
    }

    private func error(_ reason: String, kind: TransportError.Kind = .tlsFailed) -> TransportError {
        TransportError(kind: kind, message: "\(self.beginning): \(reason).")
    }

    /// What OpenSSL's queue of errors says.
    func error() -> TransportError {
        if let alert = self.errors.lazy.compactMap(\.alert).first {
            let advice = self.isClient ? "; \(alert.advice(identity: self.identity))" : ""
            return self.error("the other side refused with the alert \(alert)\(advice)")
        }
        let reasons = self.errors.filter { $0.library == OpenSSLError.ssl }.map(\.reason)
        if reasons.contains(Reason.verificationFailed) {
            guard let verification = self.verification else {
                return self.error("the certificate of the other side was not accepted")
            }
            return self.error(verification.sentence(host: self.name.host))
        }
        if reasons.contains(where: Reason.noCommonVersion.contains) {
            let most = self.maximumVersion.map { " to \($0.name)" } ?? " and up"
            return self.error(
                "there is no version in common; allowed here is TLS \(self.minimumVersion.name)\(most) "
                    + "(tls.minimumVersion)"
            )
        }
        if reasons.contains(Reason.badRecord) {
            return self.error("a record was altered or lost on its way")
        }
        if reasons.contains(Reason.noCertificate) {
            return self.error("the other side has shown no certificate")
        }
        let texts = self.errors.map(\.text).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return self.error(texts.isEmpty ? "for no stated reason" : texts.joined(separator: ", "))
    }

    func endedEarly() -> TransportError {
        self.error("the other side ended the session at once", kind: .closed)
    }

    func stuck() -> TransportError {
        self.error("the peer wants more answers than it takes")
    }

    /// The peer's first bytes are no record.
    func noTLS(_ bytes: [UInt8]) -> TransportError {
        let text = String(decoding: bytes.filter { $0 >= 32 && $0 < 127 }, as: UTF8.self)
        let hint = text.isEmpty ? "" : " (\"\(text)\")"
        return self.error(
            "what it answered is no TLS\(hint). Is it a port for plain STOMP? Use stomp:// for that, "
                + "or the broker's TLS port"
        )
    }
}
