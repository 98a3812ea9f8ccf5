// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

/// A blocking TCP socket on 127.0.0.1 in its plainest form, independent of the code under test.
final class LoopbackSocket: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let call: String
        let code: Int32

        var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }
    }

    private let descriptor: Int32

    init() throws {
        #if canImport(Glibc)
        let type = Int32(SOCK_STREAM.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        self.descriptor = socket(AF_INET, type, 0)
        guard self.descriptor >= 0 else { throw Failure(call: "socket", code: errno) }
        _ = fcntl(self.descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit {
        _ = close(self.descriptor)
    }

    /// Binds to a free port, without listening, and returns it.
    ///
    /// On Linux a port held so is given to no other socket that asks for any free port, nor used as the source of
    /// a connection, while a server which sets SO_REUSEADDR, as all the brokers do, can still listen on it.
    func reserve() throws -> Int {
        var on: Int32 = 1
        guard setsockopt(self.descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size)) == 0
        else { throw Failure(call: "setsockopt", code: errno) }
        var address = Self.address(0)
        try self.check("bind") {
            withSocketAddress(&address) { bind(self.descriptor, $0, $1) }
        }
        try self.check("getsockname") {
            withSocketAddress(&address) { pointer, length in
                var length = length
                return getsockname(self.descriptor, pointer, &length)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Connects; reads and writes fail after the limit.
    func connect(to port: Int, limit: Duration = .seconds(60)) throws {
        var time = timeval()
        time.tv_sec = Int(limit.components.seconds)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let size = socklen_t(MemoryLayout<timeval>.size)
            guard setsockopt(self.descriptor, SOL_SOCKET, option, &time, size) == 0 else {
                throw Failure(call: "setsockopt", code: errno)
            }
        }
        var address = Self.address(UInt16(port))
        try self.check("connect") {
            withSocketAddress(&address) { Foundation.connect(self.descriptor, $0, $1) }
        }
    }

    func write(_ text: String) throws {
        var bytes = ArraySlice(text.utf8)
        while !bytes.isEmpty {
            #if canImport(Darwin)
            let flags: Int32 = 0
            #else
            let flags = Int32(MSG_NOSIGNAL)
            #endif
            let count = bytes.withUnsafeBytes { send(self.descriptor, $0.baseAddress, $0.count, flags) }
            guard count > 0 else { throw Failure(call: "send", code: errno) }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Reads up to and without the next NUL, or to the end of the stream.
    func readFrame() throws -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = recv(self.descriptor, &byte, 1, 0)
            guard count >= 0 else { throw Failure(call: "recv", code: errno) }
            guard count > 0, byte != 0 else { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func check(_ call: String, _ body: () -> Int32) throws {
        guard body() == 0 else { throw Failure(call: call, code: errno) }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

private func withSocketAddress(
    _ address: inout sockaddr_in,
    _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Int32
) -> Int32 {
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

/// Opens a session by hand, and returns the broker's first frame.
func rawConnect(
    port: Int,
    login: String = "guest",
    passcode: String = "guest",
    limit: Duration = .seconds(60)
) throws -> String {
    let socket = try LoopbackSocket()
    try socket.connect(to: port, limit: limit)
    try socket.write(
        "CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nlogin:\(login)\npasscode:\(passcode)\n\n\0"
    )
    let answer = try socket.readFrame()
    // A polite end: a broker's log should not be full of broken connections.
    try? socket.write("DISCONNECT\n\n\0")
    return answer
}
