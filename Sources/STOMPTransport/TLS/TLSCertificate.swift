// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CSystem

/// What a certificate says.
package struct TLSCertificate: Sendable, Hashable {
    /// Whom it is for, as in RFC 4514: "CN=broker,O=Example".
    package var subject: String
    /// Who has signed it.
    package var issuer: String
    /// The names and addresses that it is for, as in "DNS:localhost, IP Address:127.0.0.1".
    package var alternativeNames: String
    /// Seconds since 1970.
    package var notBefore: Int64
    package var notAfter: Int64
    package var der: [UInt8]
    /// SHA-256 of the public key with its algorithm (SubjectPublicKeyInfo).
    package var publicKeyHash: [UInt8]
}

extension TLSCertificate {
    init(_ certificate: OpaquePointer, _ openSSL: OpenSSL) {
        let api = openSSL.api
        self.subject = Self.name(api.pointee.X509_get_subject_name(certificate), openSSL)
        self.issuer = Self.name(api.pointee.X509_get_issuer_name(certificate), openSSL)
        self.alternativeNames = Self.alternativeNames(certificate, openSSL)
        self.notBefore = Self.seconds(api.pointee.X509_get0_notBefore(certificate), openSSL)
        self.notAfter = Self.seconds(api.pointee.X509_get0_notAfter(certificate), openSSL)
        self.der = Self.encoded { api.pointee.i2d_X509(certificate, $0) }
        self.publicKeyHash = Self.publicKeyHash(certificate, openSSL)
    }

    static func publicKeyHash(_ certificate: OpaquePointer, _ openSSL: OpenSSL) -> [UInt8] {
        let api = openSSL.api
        let key = Self.encoded { api.pointee.i2d_X509_PUBKEY(api.pointee.X509_get_X509_PUBKEY(certificate), $0) }
        var hash = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        let result = api.pointee.EVP_Digest(key, key.count, &hash, &count, api.pointee.EVP_sha256(), nil)
        return result == 1 && count == 32 ? hash : []
    }

    static func name(_ name: OpaquePointer?, _ openSSL: OpenSSL) -> String {
        guard let name else { return "" }
        // XN_FLAG_RFC2253 without ASN1_STRFLGS_ESC_MSB: UTF-8 stays as it is.
        return openSSL.printed { _ = openSSL.api.pointee.X509_NAME_print_ex($0, name, 0, 0x0111_0313) }
    }

    private static func alternativeNames(_ certificate: OpaquePointer, _ openSSL: OpenSSL) -> String {
        let api = openSSL.api
        // NID_subject_alt_name
        let place = api.pointee.X509_get_ext_by_NID(certificate, 85, -1)
        guard place >= 0, let names = api.pointee.X509_get_ext(certificate, place) else { return "" }
        return openSSL.printed { _ = api.pointee.X509V3_EXT_print($0, names, 0, 0) }
    }

    private static func seconds(_ time: OpaquePointer?, _ openSSL: OpenSSL) -> Int64 {
        guard let time, let epoch = openSSL.api.pointee.ASN1_TIME_set(nil, 0) else { return 0 }
        defer { openSSL.api.pointee.ASN1_STRING_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        guard openSSL.api.pointee.ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return 0 }
        return Int64(days) * 86_400 + Int64(seconds)
    }

    /// What an `i2d` function writes; it is asked for the length first.
    private static func encoded(
        _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) -> [UInt8] {
        let count = Int(encode(nil))
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var end = buffer.baseAddress
            initialized = max(0, min(count, Int(encode(&end))))
        }
    }

    /// "2026-11-21 10:43:52 UTC".
    static func date(_ seconds: Int64) -> String {
        // Days to a date: http://howardhinnant.github.io/date_algorithms.html#civil_from_days
        let days = (seconds - (seconds % 86_400 + 86_400) % 86_400) / 86_400
        let rest = seconds - days * 86_400
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
        let parts = [month < 10 ? month + 3 : month - 9, day, rest / 3_600, rest / 60 % 60, rest % 60]
        let two = parts.map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(year)-\(two[0])-\(two[1]) \(two[2]):\(two[3]):\(two[4]) UTC"
    }
}
