// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Numbers as people read them.
enum Figure {
    /// With so many digits after the point.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        var factor = 1
        for _ in 0..<digits { factor *= 10 }
        let scaled = (value.magnitude * Double(factor)).rounded()
        guard scaled.isFinite, scaled < 9e18 else { return "\(value)" }
        let whole = Int(scaled)
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(self.grouped(whole))" }
        let fraction = String(whole % factor)
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(sign)\(self.grouped(whole / factor)).\(zeros)\(fraction)"
    }

    /// With three digits that matter.
    static func short(_ value: Double) -> String {
        switch value.magnitude {
        case 0: "0"
        case ..<0.1: self.fixed(value, 4)
        case ..<1: self.fixed(value, 3)
        case ..<10: self.fixed(value, value == value.rounded() ? 0 : 2)
        case ..<100: self.fixed(value, value == value.rounded() ? 0 : 1)
        default: self.fixed(value, 0)
        }
    }

    /// `1,234,567`.
    static func grouped(_ number: Int) -> String {
        var text = String(number.magnitude)
        var position = text.count - 3
        while position > 0 {
            text.insert(",", at: text.index(text.startIndex, offsetBy: position))
            position -= 3
        }
        return number < 0 ? "-" + text : text
    }

    /// `1.2M`, for the labels of a chart.
    static func abbreviated(_ value: Double) -> String {
        for (unit, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where value >= unit {
            let number = value / unit
            return self.fixed(number, number >= 100 || number == number.rounded() ? 0 : number >= 10 ? 1 : 2) + suffix
        }
        return self.short(value)
    }

    /// A time given in microseconds.
    static func time(microseconds: Double) -> String {
        switch microseconds {
        case ..<1: self.short(microseconds * 1e3) + " ns"
        case ..<1e3: self.short(microseconds) + " µs"
        case ..<1e6: self.short(microseconds / 1e3) + " ms"
        default: self.short(microseconds / 1e6) + " s"
        }
    }

    /// `256 B`, `4 KiB`, `1.5 MiB`.
    static func bytes(_ count: Int) -> String {
        switch count {
        case ..<1_024: "\(count) B"
        case ..<(1 << 20): self.short(Double(count) / 1_024) + " KiB"
        case ..<(1 << 30): self.short(Double(count) / 1_048_576) + " MiB"
        default: self.short(Double(count) / 1_073_741_824) + " GiB"
        }
    }

    static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    static func aligned(_ text: String, to width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
