// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Writes frames, strictly by the rules of one version.
///
/// What cannot be said in that version is an error, and then nothing of the frame stays in the buffer.
package struct FrameSerializer: Sendable {
    package var rules: HeaderRules
    /// Whether a body has to be UTF-8, since what carries the frames carries nothing else.
    package var takesTextOnly = false

    package init(version: STOMPVersion) {
        self.rules = HeaderRules(version: version, leniency: .strict)
    }

    package var version: STOMPVersion {
        self.rules.version
    }

    /// A whole frame.
    ///
    /// `content-length` is written if the frame has a body; it is ours to count, so that one among the frame's headers
    /// is left out.
    ///
    /// - Throws: ``STOMPError/Code/invalidArgument`` if a header cannot be written in this version, or a body is not
    ///   allowed.
    package func append(_ frame: STOMPFrame, to output: inout OutputBuffer) throws(STOMPError) {
        let checkpoint = output.count
        do throws(STOMPError) {
            guard frame.body.isEmpty || frame.command.allowsBody else {
                throw STOMPError(.invalidArgument, "A \(frame.command) frame has no body in STOMP.")
            }
            let name = frame.command.rawValue
            guard !name.isEmpty, !name.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else {
                throw STOMPError(.invalidArgument, "A command must not be empty nor contain a line end or a NUL.")
            }
            var serializer = self
            serializer.rules.isHandshake = frame.command.isHandshake
            self.append(text: name, to: &output)
            output.append(UInt8(ascii: "\n"))
            for field in frame.headers.fields where field.name != .contentLength {
                try serializer.appendHeader(field.name.rawValue, field.value, to: &output)
            }
            if !frame.body.isEmpty { self.appendContentLength(frame.body.count, to: &output) }
            output.append(UInt8(ascii: "\n"))
            frame.body.withUnsafeBytes { output.append($0) }
            output.append(0)
        } catch {
            output.truncate(to: checkpoint)
            throw error
        }
    }

    /// `content-length`, counted in octets.
    @inline(__always)
    package func appendContentLength(_ byteCount: Int, to output: inout OutputBuffer) {
        output.appendShort("content-length:")
        output.append(decimal: UInt64(byteCount))
        output.append(UInt8(ascii: "\n"))
    }

    /// One header line, escaped as the version has it.
    ///
    /// Disfavoured, since a literal such as `"id:"` would else be a `String` and its colon escaped.
    @_disfavoredOverload
    package func appendHeader(
        _ name: String,
        _ value: String,
        to output: inout OutputBuffer
    ) throws(STOMPError) {
        guard !name.isEmpty else { throw STOMPError(.invalidArgument, "A header name must not be empty.") }
        if !self.rules.escapes, name.utf8.contains(UInt8(ascii: ":")) {
            throw STOMPError(.invalidArgument, "The header name \"\(name)\" contains a colon\(self.unsayable).")
        }
        try self.appendEscaped(name, of: name, to: &output)
        output.append(UInt8(ascii: ":"))
        try self.appendEscaped(value, of: name, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    /// A header line whose name needs no escape.
    @inline(__always)
    package func appendHeader(
        _ name: StaticString,
        _ value: String,
        to output: inout OutputBuffer
    ) throws(STOMPError) {
        output.appendShort(name)
        try self.appendEscaped(value, of: name, to: &output)
        output.append(UInt8(ascii: "\n"))
    }

    /// A header line with a value that was received in a frame of this version: its bytes go back as they came.
    @inline(__always)
    package func appendHeader(_ name: StaticString, raw value: UnsafeRawBufferPointer, to output: inout OutputBuffer) {
        output.append(name)
        output.append(value)
        output.append(UInt8(ascii: "\n"))
    }

    @inline(__always)
    private func appendEscaped(
        _ text: String,
        of name: some CustomStringConvertible,
        to output: inout OutputBuffer
    ) throws(STOMPError) {
        if text.isEmpty, self.rules.version == .v10, !self.rules.isHandshake {
            throw STOMPError(.invalidArgument, "The header \(name) is empty, which STOMP 1.0 does not allow.")
        }
        let isWritten: Bool? = text.utf8.withContiguousStorageIfAvailable { bytes in
            output.appendIfPlain(UnsafeRawBufferPointer(bytes))
        }
        if isWritten != true { try self.appendWithEscapes(text, of: name, to: &output) }
    }

    @inline(__always)
    private func append(text: String, to output: inout OutputBuffer) {
        var text = text
        text.withUTF8 { output.append(UnsafeRawBufferPointer($0)) }
    }

    @inline(never)
    private func appendWithEscapes(
        _ text: String,
        of name: some CustomStringConvertible,
        to output: inout OutputBuffer
    ) throws(STOMPError) {
        for octet in text.utf8 {
            if self.rules.escapes, let letter = self.rules.letter(escaping: octet) {
                output.append(UInt8(ascii: "\\"))
                output.append(letter)
                continue
            }
            if let problem = self.problem(with: octet) {
                throw STOMPError(.invalidArgument, "The header \(name) contains \(problem)\(self.unsayable).")
            }
            output.append(octet)
        }
    }

    private func problem(with octet: UInt8) -> String? {
        switch octet {
        case 0: "a NUL"
        case UInt8(ascii: "\n"): "a line feed"
        case UInt8(ascii: "\r") where self.rules.version != .v11 || self.rules.isHandshake: "a carriage return"
        case 0x80...0xff where self.rules.version == .v10 && !self.rules.isHandshake: "a character beyond ASCII"
        default: nil
        }
    }

    private var unsayable: String {
        self.rules.isHandshake
            ? ", which CONNECT and CONNECTED cannot carry" : ", which STOMP \(self.rules.version) cannot carry"
    }
}
