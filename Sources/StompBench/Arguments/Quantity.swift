// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Numbers as people write them on a command line.
enum Quantity {
    /// A whole number in a range.
    static func number(_ text: String, of option: String, in range: ClosedRange<Int>) throws(BenchError) -> Int {
        guard let number = self.digits(text[...]), range.contains(number) else {
            throw BenchError("\(option) is a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }

    /// Bytes, with a suffix `K` or `M` for 1,024 and its square.
    static func bytes(_ text: String, of option: String, in range: ClosedRange<Int>) throws(BenchError) -> Int {
        let unit =
            switch text.last {
            case "K", "k": 1 << 10
            case "M", "m": 1 << 20
            default: 1
            }
        let number = self.digits(unit == 1 ? text[...] : text.dropLast())
        guard let number, !number.multipliedReportingOverflow(by: unit).overflow, range.contains(number * unit) else {
            let most = range.upperBound >> 20
            throw BenchError("\(option) is a number of bytes such as 256, 4K or 1M, at most \(most)M, not \"\(text)\"")
        }
        return number * unit
    }

    /// Seconds, perhaps with decimals.
    static func seconds(_ text: String, of option: String, in range: ClosedRange<Double>) throws(BenchError) -> Double {
        let isPlain = text.utf8.allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: ".") }
        guard isPlain, let number = Double(text), range.contains(number) else {
            throw BenchError(
                "\(option) is a number of seconds from \(Figure.short(range.lowerBound)) to "
                    + "\(Figure.short(range.upperBound)), not \"\(text)\""
            )
        }
        return number
    }

    private static func digits(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
    }
}
