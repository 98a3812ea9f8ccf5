// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

/// Text in which `▸` marks where an error is expected.
struct MarkedText: ExpressibleByStringLiteral, Sendable, CustomTestStringConvertible {
    let text: String
    /// Counted from 1.
    let column: Int

    init(stringLiteral marked: String) {
        let parts = marked.split(separator: "▸", omittingEmptySubsequences: false)
        self.column = parts[0].count + 1
        self.text = parts.joined()
    }

    var testDescription: String { "\(self.text) at \(self.column)" }

    /// Expects that reading fails here, for this reason, without a word about a password.
    func expectError<Value>(_ reason: String, _ read: (String) throws -> Value) {
        let error = #expect(throws: STOMPError.self) { try read(self.text) }
        guard let error else { return }
        #expect(error.code == .invalidURI)
        #expect(error.message.contains(reason), "\(error.message)")
        #expect(error.message.hasSuffix("(column \(self.column))."), "\(error.message), not \(self.column)")
        #expect(!"\(error)".contains("hunter2"), "\(error.message)")
    }
}
