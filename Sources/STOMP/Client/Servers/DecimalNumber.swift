// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A number written as `30`, `0.01` or `2.0`, kept exactly.
struct DecimalNumber {
    private let whole: Int64
    private let attos: Int64

    /// `nil` unless it is digits with at most one point between them.
    init?(_ text: Substring) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts[0].wholeNumber, whole <= 3_000_000_000 else { return nil }
        self.whole = Int64(whole)
        guard parts.count > 1 else {
            self.attos = 0
            return
        }
        guard parts[1].utf8.count <= 18, let fraction = parts[1].wholeNumber else { return nil }
        self.attos = (parts[1].utf8.count..<18).reduce(Int64(fraction)) { result, _ in result * 10 }
    }

    var value: Double {
        Double(self.whole) + Double(self.attos) / 1e18
    }

    /// So many seconds.
    var seconds: Duration {
        Duration(secondsComponent: self.whole, attosecondsComponent: self.attos)
    }
}
