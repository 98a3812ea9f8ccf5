// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The options for TLS, with a second name for those that `Net::STOMP::Client` has too.
enum TLSOption: String, CaseIterable {
    case caFile = "tls.caFile"
    case caFolder = "tls.caFolder"
    case certFile = "tls.certFile"
    case keyFile = "tls.keyFile"
    case keyPasswordFile = "tls.keyPasswordFile"
    case serverName = "tls.serverName"
    case minimumVersion = "tls.minimumVersion"
    case verify = "tls.verify"

    private static let otherNames: [Substring: TLSOption] = [
        "SSL_ca_file": .caFile, "SSL_ca_path": .caFolder, "SSL_cert_file": .certFile, "SSL_key_file": .keyFile,
    ]
    /// A name of `Net::STOMP::Client` for something that cannot be written down.
    private static let callbackName: Substring = "SSL_passwd_cb"

    init?(name: Substring) {
        guard let option = TLSOption(rawValue: String(name)) ?? Self.otherNames[name] else { return nil }
        self = option
    }

    static func isKnown(_ name: Substring) -> Bool {
        TLSOption(name: name) != nil || name == self.callbackName
    }

    static func apply(_ option: AddressOption, to server: inout STOMPServer) throws(STOMPError) {
        guard let known = TLSOption(name: option.name) else {
            throw option.invalid(
                "is a closure, which no address can hold; use tls.keyPasswordFile, or privateKeyPassword in code"
            )
        }
        guard server.endpoint.isSecure else {
            throw option.invalid("is for TLS, and the address is not; write stomp+ssl:// or wss://")
        }
        try known.apply(option, to: &server.tls)
    }

    private func apply(_ option: AddressOption, to tls: inout STOMPTLSConfiguration) throws(STOMPError) {
        let text = try option.value.percentDecoded("the option \(option.name)")
        guard !text.isEmpty else { throw option.invalid("has no value") }
        switch self {
        case .caFile:
            tls.trust.removeAll { if case .folder = $0 { false } else { true } }
            tls.trust.append(.certificates(.file(text)))
        case .caFolder:
            tls.trust.removeAll { if case .certificates = $0 { false } else { true } }
            tls.trust.append(.folder(text))
        case .certFile: tls.certificateChain = .file(text)
        case .keyFile: tls.privateKey = .file(text)
        case .keyPasswordFile: tls.privateKeyPassword = .file(text)
        case .serverName:
            guard let name = STOMPServer.host(text) else { throw option.invalid("needs the name or address of a host") }
            tls.serverName = name
        case .minimumVersion:
            guard let version = STOMPTLSConfiguration.Version(rawValue: text) else {
                throw option.invalid("needs 1.0, 1.1, 1.2 or 1.3")
            }
            tls.minimumVersion = version
        case .verify:
            switch text {
            case "full": tls.verification = .full
            case "certificate": tls.verification = .certificateOnly
            case "none": tls.verification = .noneAcceptingAnyServer
            default: throw option.invalid("needs full, certificate or none")
            }
        }
    }

    /// Refuses what means nothing without another option.
    static func check(_ options: [AddressOption], of server: STOMPServer) throws(STOMPError) {
        guard server.tls.certificateChain == nil else { return }
        for option in options {
            switch TLSOption(name: (option.nested ?? option).name) {
            case .keyFile, .keyPasswordFile: throw option.invalid("needs tls.certFile beside it")
            default: break
            }
        }
    }
}
