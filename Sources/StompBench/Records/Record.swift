// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// One flat JSON object: keys and scalars, in their order.
struct Record: Sendable, Equatable {
    /// What a key stands for.
    enum Scalar: Sendable, Equatable {
        case number(Double)
        case text(String)
        case flag(Bool)
        case null
    }

    /// A key and its value.
    struct Field: Sendable, Equatable {
        let key: String
        let value: Scalar
    }

    private(set) var fields: [Field] = []

    init() {}

    /// The last value of a key, as other readers have it.
    subscript(key: String) -> Scalar? {
        self.fields.last { $0.key == key }?.value
    }

    func number(_ key: String) -> Double? {
        if case .number(let number) = self[key] { number } else { nil }
    }

    func text(_ key: String) -> String? {
        if case .text(let text) = self[key] { text } else { nil }
    }

    mutating func append(_ key: String, _ value: Scalar) {
        self.fields.append(Field(key: key, value: value))
    }

    mutating func append(_ key: String, _ number: Double?) {
        if let number { self.append(key, .number(number)) }
    }

    mutating func append(_ key: String, _ number: Int?) {
        if let number { self.append(key, .number(Double(number))) }
    }

    mutating func append(_ key: String, _ text: String?) {
        if let text { self.append(key, .text(text)) }
    }

    // MARK: - Writing

    /// One line of JSON.
    var line: String {
        let members = self.fields.map { "\(Self.quoted($0.key)):\(Self.literal($0.value))" }
        return "{\(members.joined(separator: ","))}"
    }

    private static func literal(_ value: Scalar) -> String {
        switch value {
        case .number(let number):
            if !number.isFinite { return "null" }
            return number == number.rounded() && number.magnitude < 1e15 ? String(Int(number)) : String(number)
        case .text(let text): return self.quoted(text)
        case .flag(let flag): return flag ? "true" : "false"
        case .null: return "null"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
