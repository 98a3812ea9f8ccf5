// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where people are told what goes on and what went wrong.
enum StandardError {
    static let isTerminal = isatty(STDERR_FILENO) == 1

    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            // Nobody is left to tell that this failed.
            _ = put(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }

    /// Says why in one line, and ends the process.
    static func fail(_ line: String) -> Never {
        self.write(line.split(separator: "\n").joined(separator: " ") + "\n")
        exit(1)
    }
}

#if canImport(Glibc)
private let put = Glibc.write
#elseif canImport(Musl)
private let put = Musl.write
#else
private let put = Darwin.write
#endif
