// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where the examples say what went wrong.
package enum StandardError {
    /// Writes one line.
    package static func write(_ line: String) {
        var text = line.split(separator: "\n").joined(separator: " ") + "\n"
        text.withUTF8 { bytes in
            // Nobody is left to tell that this failed.
            _ = put(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }
}

#if canImport(Glibc)
private let put = Glibc.write
#elseif canImport(Musl)
private let put = Musl.write
#else
private let put = Darwin.write
#endif
