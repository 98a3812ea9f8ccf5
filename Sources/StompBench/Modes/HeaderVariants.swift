// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Headers whose values change their length from message to message, so that no layout fits two messages in a row.
struct HeaderVariants: Sendable {
    /// A prime: no pattern of lengths repeats itself within it.
    private static let count = 61
    private let variants: [STOMPHeaders]

    /// - Parameters:
    ///   - total: how many headers the frame has in all; nil: as few as possible.
    ///   - own: how many it has without these.
    init(total: Int?, own: Int) {
        let more = max(0, (total ?? 0) - own)
        self.variants = (0..<(more > 0 ? Self.count : 1)).map { variant in
            STOMPHeaders(
                (0..<more).map { index in
                    let length = 1 + (variant * 7 + index * 13) % 48
                    return STOMPHeaders.Field(
                        name: STOMPHeaders.Name("x-bench-\(index + 1)"),
                        value: String(repeating: "v", count: length)
                    )
                }
            )
        }
    }

    subscript(index: Int) -> STOMPHeaders {
        self.variants[index % self.variants.count]
    }
}
