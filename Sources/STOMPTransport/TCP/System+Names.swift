// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// Seam: see System.swift. What addresses and machines are called.

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
    /// Where OpenSSL 3 is looked for, in this order: by the name that its maker gives it, then as whatever the system
    /// calls its OpenSSL, if that is a 3.
    #if canImport(Darwin)
    static let openSSLNames = ["libssl.3.dylib", "libssl.dylib"]
    #else
    static let openSSLNames = ["libssl.so.3", "libssl.so"]
    #endif

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

    // MARK: - This machine

    /// What a folder holds; of very many, some.
    static func fileNames(inFolder path: String) throws(SystemError) -> [String] {
        guard let folder = opendir(path) else { throw SystemError(call: "opendir", number: errno) }
        defer { closedir(folder) }
        var names: [String] = []
        while names.count < 100_000, let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { name in
                    name.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: name.pointee)) {
                        String(cString: $0)
                    }
                }
            )
        }
        return names
    }

    static var hostName: String? {
        var name = [CChar](repeating: 0, count: 256)
        // One less, since a name that fills the buffer has no end.
        return gethostname(&name, name.count - 1) == 0 ? Self.string(name) : nil
    }

    /// Whether this is the name or the number of a network interface.
    static func isInterface(_ name: Substring) -> Bool {
        if let number = UInt32(name) {
            var found = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
            return if_indextoname(number, &found) != nil
        }
        return if_nametoindex(String(name)) != 0
    }

    /// The names of the network interfaces that have addresses, and those addresses in digits.
    static func interfaces() -> (names: Set<String>, addresses: Set<String>) {
        var names: Set<String> = []
        var addresses: Set<String> = []
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return (names, addresses) }
        defer { freeifaddrs(list) }
        var next = list
        while let entry = next?.pointee {
            next = entry.ifa_next
            guard let address = entry.ifa_addr else { continue }
            let length: Int
            switch Int32(address.pointee.sa_family) {
            case AF_INET: length = MemoryLayout<sockaddr_in>.size
            case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
            default: continue
            }
            let bytes = [UInt8](UnsafeRawBufferPointer(start: address, count: length))
            guard let (host, _) = Self.numericNames(of: bytes) else { continue }
            names.insert(String(cString: entry.ifa_name))
            addresses.insert(host)
        }
        return (names, addresses)
    }
}
