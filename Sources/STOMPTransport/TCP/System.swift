// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// Seam: the one file that calls the C library (beside EventQueue). Calls are wrapped thinly: interruptions are retried,
// errors become values, names and types that differ between Glibc, Musl and Darwin stay here.

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import CSystem
import Glibc
#elseif canImport(Musl)
import CSystem
import Musl
#endif

/// The system calls of this module.
enum System {
    // MARK: - Errors

    static let connectionRefused = ECONNREFUSED
    static let unreachableNumbers = [ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, ETIMEDOUT]
    static let closedNumbers = [EPIPE, ECONNRESET, ECONNABORTED, ENOTCONN, ESHUTDOWN]
    /// What `accept` may say about one connection, or about the network, without meaning the listener.
    private static let passingAcceptNumbers = [ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH]

    static func describe(_ number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "error \(number)"
    }

    /// Calls until it is not interrupted; a negative result is an error.
    @discardableResult
    static func check(_ call: StaticString, _ body: () -> Int32) throws(SystemError) -> Int32 {
        while true {
            let result = body()
            if result >= 0 {
                return result
            }
            let number = errno
            if number != EINTR {
                throw SystemError(call: call, number: number)
            }
        }
    }

    // MARK: - Bytes

    /// Nil when it would have to wait; 0 at the end of the stream.
    static func receive(
        _ descriptor: Int32,
        into buffer: UnsafeMutableRawBufferPointer,
    ) throws(SystemError) -> Int? {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count >= 0 {
                return count
            }
            if try Self.mustWait("recv", errno) {
                return nil
            }
        }
    }

    /// Nil when it would have to wait; a peer that is gone is an error here, never a signal.
    static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int? {
        while true {
            let count = Self.plainSend(descriptor, bytes)
            if count >= 0 {
                return count
            }
            if try Self.mustWait("send", errno) {
                return nil
            }
        }
    }

    private static func plainSend(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Darwin)
        Darwin.send(descriptor, bytes.baseAddress, bytes.count, 0)  // SO_NOSIGPIPE is set on the socket
        #elseif canImport(Glibc)
        Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        #elseif canImport(Musl)
        Musl.send(descriptor, bytes.baseAddress, bytes.count, MSG_NOSIGNAL)
        #endif
    }

    /// Tells waiting from a mere interruption, after which to try again; throws everything else.
    private static func mustWait(_ call: StaticString, _ number: Int32) throws(SystemError) -> Bool {
        switch number {
        case EAGAIN, EWOULDBLOCK: return true
        case EINTR: return false
        default: throw SystemError(call: call, number: number)
        }
    }

    static func unreadByteCount(_ descriptor: Int32) -> Int {
        var count: Int32 = 0
        #if canImport(Darwin)
        var length = socklen_t(MemoryLayout<Int32>.size)
        let result = getsockopt(descriptor, SOL_SOCKET, SO_NREAD, &count, &length)
        #else
        let result = ioctl(descriptor, UInt(FIONREAD), &count)
        #endif
        return result == 0 ? Int(count) : 0
    }

    // MARK: - Sockets

    /// A stream socket for the address's family: non-blocking, closed on exec, options set.
    static func makeSocket(for address: SocketAddress) throws(SystemError) -> Int32 {
        let family = address.bytes.withUnsafeBytes { bytes in
            bytes.load(fromByteOffset: MemoryLayout<sockaddr>.offset(of: \.sa_family) ?? 0, as: sa_family_t.self)
        }
        #if canImport(Darwin)
        let type = SOCK_STREAM
        #elseif canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
        let type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
        #endif
        let descriptor = try Self.check("socket") { socket(Int32(family), type, 0) }
        Self.prepare(descriptor)
        return descriptor
    }

    /// The next connection and its peer; nil when there is none yet.
    static func accept(_ descriptor: Int32) throws(SystemError) -> (Int32, SocketAddress?)? {
        while true {
            var accepted: Int32 = -1
            var number: Int32 = 0
            let peer = Self.address { address, length in
                #if canImport(Darwin)
                accepted = Darwin.accept(descriptor, address, &length)
                #else
                accepted = csystem_accept(descriptor, address, &length)
                #endif
                number = errno
                return accepted
            }
            if accepted >= 0 {
                Self.prepare(accepted)
                return (accepted, peer)
            }
            if !Self.passingAcceptNumbers.contains(number), try Self.mustWait("accept", number) {
                return nil
            }
        }
    }

    /// Options fail only for a socket that has already failed, which its next use tells.
    private static func prepare(_ descriptor: Int32) {
        #if canImport(Darwin)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        Self.enable(SOL_SOCKET, SO_NOSIGPIPE, on: descriptor)
        #endif
        Self.enable(Int32(IPPROTO_TCP), TCP_NODELAY, on: descriptor)
    }

    private static func enable(_ level: Int32, _ option: Int32, on descriptor: Int32) {
        var one: Int32 = 1
        _ = setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Starts to connect; the outcome is asked for with `isConnected` when the socket is writable.
    static func beginConnect(_ descriptor: Int32, to address: SocketAddress) throws(SystemError) {
        let result = Self.withAddress(address) { connect(descriptor, $0, $1) }
        // An interrupted connect goes on by itself; a second call would only say so.
        guard result < 0, errno != EINPROGRESS, errno != EINTR else { return }
        throw SystemError(call: "connect", number: errno)
    }

    /// Throws why connecting failed; false while it is under way.
    static func isConnected(_ descriptor: Int32) throws(SystemError) -> Bool {
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try Self.check("getsockopt") { getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length) }
        if number != 0 {
            throw SystemError(call: "connect", number: number)
        }
        return Self.peerAddress(descriptor) != nil
    }

    static func listen(_ descriptor: Int32, at address: SocketAddress) throws(SystemError) {
        Self.enable(SOL_SOCKET, SO_REUSEADDR, on: descriptor)
        try Self.check("bind") { Self.withAddress(address) { bind(descriptor, $0, $1) } }
        #if canImport(Darwin)
        try Self.check("listen") { Darwin.listen(descriptor, SOMAXCONN) }
        #elseif canImport(Glibc)
        try Self.check("listen") { Glibc.listen(descriptor, SOMAXCONN) }
        #elseif canImport(Musl)
        try Self.check("listen") { Musl.listen(descriptor, SOMAXCONN) }
        #endif
    }

    /// To be closed then: the peer gets a reset instead of the end of the stream.
    static func reset(_ descriptor: Int32) {
        var lingering = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
        var nowhere = sockaddr()
        _ = connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }

    static func shutDown(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Never retried: on Linux the number is free even after an interruption, and may be somebody else's by then.
    static func close(_ descriptor: Int32) {
        #if canImport(Darwin)
        _ = Darwin.close(descriptor)
        #elseif canImport(Glibc)
        _ = Glibc.close(descriptor)
        #elseif canImport(Musl)
        _ = Musl.close(descriptor)
        #endif
    }

    #if !canImport(Darwin)
    static func addToCounter(_ descriptor: Int32) {
        var one: UInt64 = 1
        while write(descriptor, &one, MemoryLayout<UInt64>.size) < 0, errno == EINTR {}
    }

    static func resetCounter(_ descriptor: Int32) {
        var count: UInt64 = 0
        while read(descriptor, &count, MemoryLayout<UInt64>.size) < 0, errno == EINTR {}
    }
    #endif

    // MARK: - Addresses

    static func localAddress(_ descriptor: Int32) -> SocketAddress? {
        Self.address { getsockname(descriptor, $0, &$1) }
    }

    static func peerAddress(_ descriptor: Int32) -> SocketAddress? {
        Self.address { getpeername(descriptor, $0, &$1) }
    }

    private static func withAddress(
        _ address: SocketAddress,
        _ body: (UnsafePointer<sockaddr>?, socklen_t) -> Int32,
    ) -> Int32 {
        address.bytes.withUnsafeBytes { bytes in
            body(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }

    private static func address(_ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        return withUnsafeMutablePointer(to: &storage) { storage in
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let result = storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
            guard result >= 0 else { return nil }
            let filled = min(Int(length), MemoryLayout<sockaddr_storage>.size)
            return SocketAddress(bytes: [UInt8](UnsafeRawBufferPointer(start: storage, count: filled)))
        }
    }

    /// Host and port in digits; a scoped address keeps its scope.
    static func numericNames(of address: [UInt8]) -> (host: String, port: String)? {
        guard !address.isEmpty else { return nil }
        var host = [CChar](repeating: 0, count: 256)
        var port = [CChar](repeating: 0, count: 32)
        let result = address.withUnsafeBytes { bytes in
            getnameinfo(
                bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(bytes.count),
                &host,
                socklen_t(host.count),
                &port,
                socklen_t(port.count),
                NI_NUMERICHOST | NI_NUMERICSERV,
            )
        }
        return result == 0 ? (Self.string(host), Self.string(port)) : nil
    }

    private static func string(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // MARK: - Names

    /// Why a name has no address.
    struct LookUpFailure: Error {
        var reason: String
        var number: Int32?
    }

    /// Waits for the network unless `isLiteral`: then only an address in digits is understood.
    ///
    /// Without AI_ADDRCONFIG, which would hide loopback addresses on a machine without a network.
    static func lookUp(host: String, port: Int, isLiteral: Bool) -> Result<[SocketAddress], LookUpFailure> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_flags = AI_NUMERICSERV | (isLiteral ? AI_NUMERICHOST : 0)
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &list)
        let number = errno
        guard result == 0 else {
            let isSystem = result == EAI_SYSTEM
            let reason = isSystem ? Self.describe(number) : gai_strerror(result).map { String(cString: $0) }
            return .failure(LookUpFailure(reason: reason ?? "error \(result)", number: isSystem ? number : nil))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            let bytes = [UInt8](UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)))
            if let address = SocketAddress(bytes: bytes), !addresses.contains(address) {
                addresses.append(address)
            }
            next = entry.ai_next
        }
        return .success(addresses)
    }

    // MARK: - Files and environment

    /// At most so many bytes of a file, and its mode; nil if it is not a regular file.
    static func readFile(_ path: String, byteLimit: Int) throws(SystemError) -> (bytes: [UInt8], mode: UInt32)? {
        // O_NONBLOCK: opening a named pipe would wait for its writer.
        let descriptor = try Self.check("open") { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        defer { Self.close(descriptor) }
        var status = stat()
        try Self.check("fstat") { fstat(descriptor, &status) }
        guard status.st_mode & S_IFMT == S_IFREG else { return nil }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count < byteLimit {
            let count = try Self.check("read") { Int32(read(descriptor, &buffer, buffer.count)) }
            guard count > 0 else { break }
            bytes += buffer.prefix(min(Int(count), byteLimit - bytes.count))
        }
        return (bytes, UInt32(status.st_mode))
    }

    static func environmentValue(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    // MARK: - Threads

    /// Carries the body into the new thread.
    private final class ThreadBody {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Starts a detached thread that takes no signals: they belong to the application's own threads.
    static func startThread(_ run: @escaping @Sendable () -> Void) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // Musl's default of 128 KiB is little for a resolver or a task.
        pthread_attr_setstacksize(&attributes, 1024 * 1024)
        var allSignals = sigset_t()
        var previousSignals = sigset_t()
        sigfillset(&allSignals)
        pthread_sigmask(SIG_SETMASK, &allSignals, &previousSignals)
        defer { pthread_sigmask(SIG_SETMASK, &previousSignals, nil) }
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let body = Unmanaged.passRetained(ThreadBody(run))
        let result = pthread_create(&thread, &attributes, Self.threadMain, body.toOpaque())
        guard result == 0 else {
            body.release()
            throw SystemError(call: "pthread_create", number: result)
        }
    }

    #if canImport(Darwin)
    private static let threadMain: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { body in
        Unmanaged<ThreadBody>.fromOpaque(body).takeRetainedValue().run()
        return nil
    }
    #else
    private static let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { body in
        if let body {
            Unmanaged<ThreadBody>.fromOpaque(body).takeRetainedValue().run()
        }
        return nil
    }
    #endif
}
