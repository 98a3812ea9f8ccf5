// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CSystem
import STOMPCore

/// One TLS session without I/O: ciphertext in and out, plain bytes in and out.
///
/// Not for two tasks at once: ``TLSTransport`` has the lock.
///
/// `@unchecked Sendable`: what its pointers lead to is its own, it cannot be copied, and whatever changes it needs it
/// exclusively.
package struct TLSEngine: ~Copyable, @unchecked Sendable {
    /// What a read or a step of the handshake came to.
    package enum Outcome: Sendable, Equatable {
        /// So many plain bytes.
        case bytes(Int)
        /// The handshake is complete.
        case open
        /// Ciphertext is needed first.
        case needsInput
        /// The peer has ended the session (close_notify).
        case ended
    }

    /// So much plain text is encrypted at once: four full records.
    static let pieceSize = 64 * 1024
    /// What may wait to be sent before a session has failed; pieces are only made when nothing waits.
    private static let outputLimit = 1024 * 1024

    // From OpenSSL's ssl.h.
    private static let wantRead: Int32 = 2
    private static let wantWrite: Int32 = 3
    private static let zeroReturn: Int32 = 6
    private static let setServerName: Int32 = 55

    let context: TLSContext
    /// For messages: the name that was asked for, and who answered.
    let name: TLSName
    private let api: UnsafePointer<csystem_openssl>
    private let session: OpaquePointer
    private let io: UnsafeMutablePointer<csystem_tls_io>
    private var input: ByteChunk?
    /// The first bytes that came, to tell what is no TLS at all.
    private var greeting: [UInt8] = []
    private(set) var isOpen = false
    private(set) var failure: TransportError?

    /// A session that has not begun.
    ///
    /// - Parameters:
    ///   - context: what it is made from.
    ///   - host: the server's name or address, for a client.
    ///   - peer: who is at the other end, for messages.
    /// - Throws: `.tlsFailed` for a host that cannot be one.
    package init(_ context: TLSContext, host: String = "", peer: String) throws(TransportError) {
        let api = context.openSSL.api
        guard let session = api.pointee.SSL_new(context.context) else {
            throw .tls("a session could not be made", context.openSSL.takeErrors())
        }
        let io = UnsafeMutablePointer<csystem_tls_io>.allocate(capacity: 1)
        io.initialize(to: csystem_tls_io())
        io.pointee.output_limit = Self.outputLimit
        let name = TLSName(host: host, peer: peer)
        guard csystem_tls_attach(api, session, io) == 1,
            context.role == .server || Self.set(name, of: session, context)
        else {
            api.pointee.SSL_free(session)
            io.deallocate()
            throw .tls("\"\(host)\" cannot be the name of a server", context.openSSL.takeErrors())
        }
        switch context.role {
        case .client: api.pointee.SSL_set_connect_state(session)
        case .server: api.pointee.SSL_set_accept_state(session)
        }
        self.context = context
        self.name = name
        self.api = api
        self.session = session
        self.io = io
    }

    deinit {
        // With it goes the BIO, which points to the input and output.
        self.api.pointee.SSL_free(self.session)
        csystem_tls_release(self.io)
        self.io.deallocate()
    }

    /// Asks for the name, and has it checked.
    private static func set(_ name: TLSName, of session: OpaquePointer, _ context: TLSContext) -> Bool {
        let api = context.openSSL.api
        let isChecked = context.options.verification == .full
        guard let parameters = api.pointee.SSL_get0_param(session), !name.checked.utf8.contains(0) else { return false }
        guard !name.checked.isEmpty else { return !isChecked }
        // OpenSSL takes a dot at the start for any name that ends so.
        guard !name.checked.hasPrefix(".") else { return false }
        if name.isAddress {
            // An address is never sent as the server's name (RFC 6066, section 3).
            return !isChecked || api.pointee.X509_VERIFY_PARAM_set1_ip_asc(parameters, name.checked) == 1
        }
        if isChecked {
            // X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT (RFC 9525)
            api.pointee.X509_VERIFY_PARAM_set_hostflags(parameters, 0x4 | 0x20)
            guard api.pointee.X509_VERIFY_PARAM_set1_host(parameters, name.checked, 0) == 1 else { return false }
        }
        var characters = Array(name.checked.utf8CString)
        return characters.withUnsafeMutableBytes { bytes in
            // Its type is TLSEXT_NAMETYPE_host_name, 0.
            api.pointee.SSL_ctrl(session, Self.setServerName, 0, bytes.baseAddress) == 1
        }
    }

    // MARK: - Ciphertext

    /// Where received bytes are to be put; only when all that came before has been used.
    package mutating func inputSpace() -> UnsafeMutableRawBufferPointer {
        precondition(self.io.pointee.input_count == 0, "Input is taken up before more is read.")
        let chunk = self.input ?? ChunkPool.shared.take()
        self.input = chunk
        return UnsafeMutableRawBufferPointer(start: chunk.base, count: chunk.capacity)
    }

    /// So many bytes have been put there.
    package mutating func received(_ count: Int) {
        guard let input = self.input else { return }
        if self.greeting.count < Self.greetingLimit {
            let bytes = UnsafeRawBufferPointer(start: input.base, count: count)
            self.greeting += bytes.prefix(Self.greetingLimit - self.greeting.count)
        }
        self.io.pointee.input = UnsafePointer(input.base.assumingMemoryBound(to: UInt8.self))
        self.io.pointee.input_count = count
    }

    private static let greetingLimit = 24

    /// Gives the memory for input back until it is needed.
    package mutating func releaseInput() {
        if self.io.pointee.input_count == 0 { self.input = nil }
    }

    /// How many bytes wait to be sent.
    package var outputCount: Int { self.io.pointee.output_count }

    /// Exchanges the output for memory that is empty.
    mutating func swapOutput(_ other: inout csystem_tls_io) {
        swap(&self.io.pointee.output, &other.output)
        swap(&self.io.pointee.output_count, &other.output_count)
        swap(&self.io.pointee.output_capacity, &other.output_capacity)
    }

    /// Takes all of it.
    package mutating func takeOutput() -> [UInt8] {
        let bytes = [UInt8](UnsafeRawBufferPointer(start: self.io.pointee.output, count: self.io.pointee.output_count))
        self.io.pointee.output_count = 0
        return bytes
    }

    /// Whether a read would find something without more input.
    package var hasInput: Bool {
        self.io.pointee.input_count > 0 || self.api.pointee.SSL_pending(self.session) > 0 || self.failure != nil
    }

    /// How many bytes wait here, plain or not.
    package var unreadByteCount: Int {
        self.io.pointee.input_count + Int(self.api.pointee.SSL_pending(self.session))
    }

    // MARK: - The session

    /// Takes the handshake as far as the input allows.
    package mutating func handshake() throws(TransportError) -> Outcome {
        try self.checkGreeting()
        self.api.pointee.ERR_clear_error()
        let result = self.api.pointee.SSL_do_handshake(self.session)
        guard result != 1 else {
            self.isOpen = true
            return .open
        }
        let outcome = try self.outcome(of: result)
        // An end before the beginning.
        if outcome == .ended { throw self.fail(TLSFailure(self, [], during: .handshake).endedEarly()) }
        return outcome
    }

    /// Decrypts what has come, as much as `buffer` holds.
    package mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> Outcome {
        if let failure = self.failure { throw failure }
        var count = 0
        while count < buffer.count {
            self.api.pointee.ERR_clear_error()
            let result = self.api.pointee.SSL_read(
                self.session,
                buffer.baseAddress.map { $0 + count },
                Int32(clamping: buffer.count - count)
            )
            if result > 0 {
                count += Int(result)
                continue
            }
            do throws(TransportError) {
                let outcome = try self.outcome(of: result)
                return count > 0 ? .bytes(count) : outcome
            } catch {
                // It has been kept for the next read; what came before it is good.
                if count > 0 { break }
                throw error
            }
        }
        return .bytes(count)
    }

    /// Encrypts all of it; the caller keeps pieces to ``pieceSize``.
    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) {
        if let failure = self.failure { throw failure }
        guard !bytes.isEmpty else { return }
        self.api.pointee.ERR_clear_error()
        let result = self.api.pointee.SSL_write(self.session, bytes.baseAddress, Int32(clamping: bytes.count))
        guard result <= 0 else { return }
        _ = try self.outcome(of: result)
        // The output takes everything up to its limit, so there is nothing to wait for.
        throw self.fail(TLSFailure(self, [], during: .session).stuck())
    }

    /// Says that nothing more follows.
    package mutating func end() {
        // What has failed, or never begun, has no end to be told of.
        guard self.isOpen, self.failure == nil else { return }
        self.api.pointee.ERR_clear_error()
        _ = self.api.pointee.SSL_shutdown(self.session)
        self.api.pointee.ERR_clear_error()
    }

    /// Asks for new keys, of both sides.
    package mutating func updateKeys() -> Bool {
        self.api.pointee.SSL_key_update(self.session, 1) == 1
    }

    /// Whether the output of a session that has just been opened is nothing that the handshake needs.
    var hasTickets: Bool {
        guard self.context.role == .server, let version = self.api.pointee.SSL_get_version(self.session) else {
            return false
        }
        return String(cString: version) == "TLSv1.3"
    }

    /// What the session came to; once it is open.
    package var facts: TLSFacts {
        let certificate = self.api.pointee.SSL_get1_peer_certificate(self.session)
        defer { self.api.pointee.X509_free(certificate) }
        let cipher = self.api.pointee.SSL_get_current_cipher(self.session)
        return TLSFacts(
            version: self.api.pointee.SSL_get_version(self.session).map { String(cString: $0) } ?? "",
            cipher: cipher.flatMap { self.api.pointee.SSL_CIPHER_get_name($0) }.map { String(cString: $0) } ?? "",
            peerCertificate: certificate.map { TLSCertificate($0, self.context.openSSL) }
        )
    }

    // MARK: - Failing

    private mutating func outcome(of result: Int32) throws(TransportError) -> Outcome {
        switch self.api.pointee.SSL_get_error(self.session, result) {
        case Self.wantRead, Self.wantWrite: return .needsInput
        case Self.zeroReturn: return .ended
        default:
            let errors = self.context.openSSL.takeErrors()
            throw self.fail(TLSFailure(self, errors, during: self.isOpen ? .session : .handshake).error())
        }
    }

    private mutating func fail(_ error: TransportError) -> TransportError {
        self.failure = error
        return error
    }

    /// What is no record cannot come from a TLS port.
    private mutating func checkGreeting() throws(TransportError) {
        if let failure = self.failure { throw failure }
        guard self.context.role == .client, let first = self.greeting.first else { return }
        let isRecord = (20...23).contains(first) && (self.greeting.count < 2 || self.greeting[1] == 3)
        guard !isRecord else { return }
        throw self.fail(TLSFailure(self, [], during: .handshake).noTLS(self.greeting))
    }
}
