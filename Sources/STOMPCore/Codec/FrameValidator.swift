// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What the strict profile checks in a whole frame beyond what the parser itself needs.
///
/// Each check is the counterpart of one ``STOMPLeniency``; a second pass, so that the lenient path does not pay.
struct FrameValidator {
    let rules: HeaderRules

    /// - Throws: ``STOMPError/Code/protocolViolation``.
    func check(_ block: HeaderBlock, bodyByteCount: Int) throws(STOMPError) {
        let leniency = self.rules.leniency
        let command = block.command
        if bodyByteCount > 0, !command.allowsBody, !leniency.contains(.unexpectedBody) {
            throw Self.violation("a \(command) frame must not have a body")
        }
        var problem = self.problem(in: block.commandLine, what: "command")
        // swift-format-ignore: ReplaceForEachWithForLoop
        block.forEach { name, value in
            guard problem == nil else { return }
            problem = self.problem(inName: name) ?? self.problem(inValue: value)
        }
        if let problem { throw Self.violation(problem) }
    }

    private func problem(inName name: UnsafeRawBufferPointer) -> String? {
        self.problem(in: name, what: "header name") ?? self.escapeProblem(in: name, what: "header name")
    }

    private func problem(inValue value: UnsafeRawBufferPointer) -> String? {
        let leniency = self.rules.leniency
        if value.isEmpty, self.rules.version == .v10, !self.rules.isHandshake, !leniency.contains(.emptyValue) {
            return "STOMP 1.0 has no empty header values"
        }
        if self.rules.escapes, !leniency.contains(.rawColonInValue), value.contains(UInt8(ascii: ":")) {
            return "a header value contains a colon that is not escaped"
        }
        return self.problem(in: value, what: "header value") ?? self.escapeProblem(in: value, what: "header value")
    }

    private func problem(in bytes: UnsafeRawBufferPointer, what: String) -> String? {
        let leniency = self.rules.leniency
        if self.rules.version == .v12, !leniency.contains(.strayCarriageReturn), bytes.contains(UInt8(ascii: "\r")) {
            return "a CR stands inside a \(what)"
        }
        if !leniency.contains(.invalidUTF8), String(validating: bytes, as: UTF8.self) == nil {
            return "a \(what) is not UTF-8"
        }
        return nil
    }

    private func escapeProblem(in bytes: UnsafeRawBufferPointer, what: String) -> String? {
        guard self.rules.escapes, !self.rules.leniency.contains(.undefinedEscape), self.hasUndefinedEscape(bytes)
        else { return nil }
        return "a \(what) contains an escape that is undefined in STOMP \(self.rules.version)"
    }

    private func hasUndefinedEscape(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position < bytes.count {
            defer { position += 1 }
            guard bytes[position] == UInt8(ascii: "\\") else { continue }
            position += 1
            guard position < bytes.count, self.rules.octet(escapedAs: bytes[position]) != nil else { return true }
        }
        return false
    }

    static func violation(_ what: String) -> STOMPError {
        STOMPError(.protocolViolation, "The peer broke the protocol: \(what).")
    }
}
