// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files that are read whole.
enum TextFile {
    /// - Throws: if the file cannot be read.
    static func text(of path: String) throws(BenchError) -> String {
        guard let file = fopen(path, "r") else {
            throw BenchError("\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 * 1_024)
        while true {
            let count = fread(&block, 1, block.count, file)
            bytes += block.prefix(count)
            if count == 0 { break }
        }
        guard ferror(file) == 0 else { throw BenchError("\(path) cannot be read: \(String(cString: strerror(errno)))") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
