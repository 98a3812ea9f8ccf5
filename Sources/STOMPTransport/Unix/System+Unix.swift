// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// Seam: see System.swift. Unix-domain sockets and the files that name them.

#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension System {
    static let unixFamily = AF_UNIX
    static let addressInUse = EADDRINUSE
    static let noSuchFile = ENOENT
    static let tryAgain = EAGAIN

    /// How many bytes the path of a socket may have; one more is for the NUL after it.
    static let unixPathLimit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Which file this is, for as long as it exists.
    struct FileIdentity: Equatable {
        let device: UInt64
        let number: UInt64
        let isSocket: Bool
    }

    /// Nil if there is none; a symbolic link is itself.
    static func identity(ofFile path: String) -> FileIdentity? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return FileIdentity(
            device: UInt64(truncatingIfNeeded: status.st_dev),
            number: UInt64(status.st_ino),
            isSocket: status.st_mode & S_IFMT == S_IFSOCK
        )
    }

    static func removeFile(_ path: String) {
        _ = unlink(path)
    }

    /// Connects at once, or fails: where a path leads to, nobody has to be waited for.
    static func connectUnix(_ descriptor: Int32, to path: String) throws(SystemError) {
        try Self.check("connect") {
            Self.withUnixAddress(path) { address, length in
                #if canImport(Darwin)
                Darwin.connect(descriptor, address, length)
                #elseif canImport(Glibc)
                Glibc.connect(descriptor, address, length)
                #elseif canImport(Musl)
                Musl.connect(descriptor, address, length)
                #endif
            }
        }
    }

    /// Makes the file.
    static func bindUnix(_ descriptor: Int32, to path: String) throws(SystemError) {
        try Self.check("bind") {
            Self.withUnixAddress(path) { address, length in
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

    private static func withUnixAddress(
        _ path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        #if canImport(Darwin)
        address.sun_len = UInt8(MemoryLayout<sockaddr_un>.size)
        #endif
        withUnsafeMutableBytes(of: &address.sun_path) { place in
            // The place is all NULs, of which one stays.
            place.copyBytes(from: path.utf8.prefix(Self.unixPathLimit))
        }
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
