// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CSystem
import STOMPCore

/// OpenSSL 3, loaded when the first TLS connection needs it.
///
/// `@unchecked Sendable`: the table is filled before anybody sees it, and never written or freed after that. OpenSSL's
/// own functions may be called from any thread.
package final class OpenSSL: @unchecked Sendable {
    let api: UnsafePointer<csystem_openssl>

    private init(_ api: UnsafePointer<csystem_openssl>) {
        self.api = api
    }

    private static let shared = Result { () throws(TransportError) in try OpenSSL.load(System.openSSLNames) }

    /// The library of this process.
    ///
    /// - Throws: `.tlsUnavailable`, with what to install.
    package static func loaded() throws(TransportError) -> OpenSSL {
        try self.shared.get()
    }

    /// "OpenSSL 3.0.19 27 Jan 2026".
    package var version: String {
        self.api.pointee.OpenSSL_version(0).map { String(cString: $0) } ?? ""
    }

    /// Loads the first of these libraries that there is.
    ///
    /// The names are looked up as the system's own loader does it, so no folder is assumed.
    static func load(_ names: [String]) throws(TransportError) -> OpenSSL {
        var reasons: [String] = []
        for name in names {
            var table: UnsafePointer<csystem_openssl>?
            var text = [CChar](repeating: 0, count: 512)
            let result = csystem_openssl_load(name, &table, &text, text.count)
            if result == Int32(CSYSTEM_OPENSSL_LOADED), let table { return OpenSSL(table) }
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let reason = String(decoding: bytes, as: UTF8.self)
            switch result {
            case Int32(CSYSTEM_OPENSSL_STATIC):
                throw self.unavailable(
                    "this executable is linked statically, and OpenSSL can only be loaded into one that is linked "
                        + "dynamically; build it without -static-executable, or put a TLS proxy before the broker"
                )
            case Int32(CSYSTEM_OPENSSL_MISSING): reasons.append(reason)
            case Int32(CSYSTEM_OPENSSL_INCOMPLETE):
                reasons.append("\(name) is no complete OpenSSL 3: it has no \(reason)")
            case Int32(CSYSTEM_OPENSSL_UNSUPPORTED):
                reasons.append("\(name) is \(reason), and OpenSSL 3 is needed")
            default: reasons.append("\(name): \(reason)")
            }
        }
        throw self.unavailable(
            "OpenSSL 3 could not be loaded; install it (Debian and Ubuntu: apt-get install libssl3, or libssl3t64; "
                + "Fedora: dnf install openssl-libs; Alpine: apk add libssl3). \(reasons.joined(separator: "; "))"
        )
    }

    private static func unavailable(_ reason: String) -> TransportError {
        TransportError(kind: .tlsUnavailable, message: "There is no TLS: \(reason).")
    }
}

extension OpenSSL {
    /// What the library has noted of the last call on this thread, the first cause first; forgets it.
    func takeErrors() -> [OpenSSLError] {
        var errors: [OpenSSLError] = []
        while true {
            let code = self.api.pointee.ERR_get_error()
            guard code != 0 else { return errors }
            let reason = self.api.pointee.ERR_reason_error_string(code).map { String(cString: $0) }
            errors.append(OpenSSLError(code: UInt64(code), text: reason ?? "error \(code)"))
        }
    }

    /// What a function prints into memory.
    func printed(_ body: (OpaquePointer) -> Void) -> String {
        guard let bio = self.api.pointee.BIO_new(self.api.pointee.BIO_s_mem()) else { return "" }
        defer { _ = self.api.pointee.BIO_free(bio) }
        body(bio)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 512)
        while true {
            let count = Int(self.api.pointee.BIO_read(bio, &buffer, Int32(buffer.count)))
            guard count > 0, bytes.count < 64 * 1024 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}

/// One entry of OpenSSL's queue of errors.
struct OpenSSLError: Sendable, Equatable {
    /// A part of the library: ERR_LIB_SSL.
    static let ssl: UInt64 = 20

    let code: UInt64
    /// In OpenSSL's words.
    let text: String

    var library: UInt64 { self.code >> 23 & 0xFF }
    var reason: UInt64 { self.code & 0x7F_FFFF }

    /// The alert that the peer has sent, if this is one (SSL_AD_REASON_OFFSET).
    var alert: TLSAlert? {
        guard self.library == Self.ssl, (1_000..<1_256).contains(self.reason) else { return nil }
        return TLSAlert(number: UInt8(self.reason - 1_000))
    }
}
