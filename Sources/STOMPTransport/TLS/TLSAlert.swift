// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A reason that one side gives the other for ending a session (RFC 8446, section 6).
struct TLSAlert: Sendable, Hashable, CustomStringConvertible {
    let number: UInt8

    private static let names: [UInt8: String] = [
        0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow",
        40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
        45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca",
        49: "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version",
        71: "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
        109: "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name",
        113: "bad_certificate_status_response", 115: "unknown_psk_identity", 116: "certificate_required",
        120: "no_application_protocol",
    ]

    /// The alert's name in the specification.
    var description: String {
        Self.names[self.number] ?? "alert \(self.number)"
    }

    /// What a client can do about it.
    func advice(identity: String?) -> String {
        switch self.number {
        case 40 where identity == nil:
            "there is no cipher or key type in common, or it wants a certificate from the client "
                + "(tls.certFile, tls.keyFile)"
        case 40: "there is no cipher or key type in common, or it does not like the client's certificate"
        case 42...46, 48, 116:
            identity.map { "it does not accept our certificate, \($0); which authorities does it trust?" }
                ?? "it wants a certificate from the client: set tls.certFile and tls.keyFile"
        case 49: "the certificate was understood, but has no access"
        case 70: "there is no version of TLS in common; see tls.minimumVersion"
        case 71: "it wants stronger ciphers"
        case 112: "it does not know the server name; see tls.serverName"
        default: "its log may say more"
        }
    }
}
