// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a value lies between two powers of ten.
struct LogScale {
    private let lower: Double
    private let upper: Double

    /// - Parameter values: positive ones, one at least.
    init(_ values: [Double]) {
        let least = values.min() ?? 1
        let most = values.max() ?? 10
        // A bar of no length would say nothing.
        self.lower = floor(log10(least * 0.7))
        self.upper = max(log10(most), self.lower + 1)
    }

    /// 0 at the left, 1 at the right.
    func place(of value: Double) -> Double {
        (log10(value) - self.lower) / (self.upper - self.lower)
    }

    /// The powers of ten, both ends included where they are some.
    var ticks: [Double] {
        stride(from: self.lower, through: self.upper + 1e-9, by: 1).map { pow(10, $0) }
    }
}
