// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// Seam: the files of `System` are the ones that call the C library (beside EventQueue). Calls are wrapped thinly:
// interruptions are retried, errors become values, names and types that differ between Glibc, Musl and Darwin stay here.

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
    static let passingAcceptNumbers = [ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH]

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
    static func mustWait(_ call: StaticString, _ number: Int32) throws(SystemError) -> Bool {
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
