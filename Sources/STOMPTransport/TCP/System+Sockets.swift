// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// Seam: see System.swift. Sockets.

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import CSystem
import Glibc
#elseif canImport(Musl)
import CSystem
import Musl
#endif

extension System {
    /// A stream socket for the address's family: non-blocking, closed on exec, options set.
    static func makeSocket(for address: SocketAddress) throws(SystemError) -> Int32 {
        let family = address.bytes.withUnsafeBytes { bytes in
            bytes.load(fromByteOffset: MemoryLayout<sockaddr>.offset(of: \.sa_family) ?? 0, as: sa_family_t.self)
        }
        return try Self.makeSocket(family: Int32(family))
    }

    /// A stream socket of a family: non-blocking, closed on exec, options set.
    static func makeSocket(family: Int32) throws(SystemError) -> Int32 {
        #if canImport(Darwin)
        let type = SOCK_STREAM
        #elseif canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        #elseif canImport(Musl)
        let type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
        #endif
        let descriptor = try Self.check("socket") { socket(family, type, 0) }
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

    /// Options fail only for a socket that has already failed, which its next use tells, and for one without TCP.
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

    /// A whole number that a socket is given for a connection.
    enum SocketOption {
        /// Whether the system probes a silent connection.
        case keepAlive
        /// Seconds of silence before the first probe.
        case keepAliveIdle
        /// Seconds between probes.
        case keepAliveInterval
        /// Probes without an answer before the connection is dead.
        case keepAliveCount
        /// Whether a local port may be taken that an ended connection had.
        case reuseAddress

        fileprivate var place: (level: Int32, name: Int32) {
            let tcp = Int32(IPPROTO_TCP)
            return switch self {
            case .keepAlive: (SOL_SOCKET, SO_KEEPALIVE)
            #if canImport(Darwin)
            case .keepAliveIdle: (tcp, TCP_KEEPALIVE)
            #else
            case .keepAliveIdle: (tcp, TCP_KEEPIDLE)
            #endif
            case .keepAliveInterval: (tcp, TCP_KEEPINTVL)
            case .keepAliveCount: (tcp, TCP_KEEPCNT)
            case .reuseAddress: (SOL_SOCKET, SO_REUSEADDR)
            }
        }
    }

    static func set(_ option: SocketOption, to value: Int32, on descriptor: Int32) throws(SystemError) {
        var value = value
        let (level, name) = option.place
        try Self.check("setsockopt") {
            setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    static func value(of option: SocketOption, on descriptor: Int32) throws(SystemError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let (level, name) = option.place
        try Self.check("getsockopt") { getsockopt(descriptor, level, name, &value, &length) }
        return value
    }

    static func bind(_ descriptor: Int32, to address: SocketAddress) throws(SystemError) {
        try Self.check("bind") {
            Self.withAddress(address) { address, length in
                #if canImport(Darwin)
                Darwin.bind(descriptor, address, length)
                #elseif canImport(Glibc)
                Glibc.bind(descriptor, address, length)
                #elseif canImport(Musl)
                Musl.bind(descriptor, address, length)
                #endif
            }
        }
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
        try Self.set(.reuseAddress, to: 1, on: descriptor)
        try Self.bind(descriptor, to: address)
        try Self.listen(descriptor)
    }

    /// Lets connections come to a socket that has its address.
    static func listen(_ descriptor: Int32) throws(SystemError) {
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
}
