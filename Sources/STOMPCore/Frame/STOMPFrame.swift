// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A whole frame, decoded: what travels on the wire, apart from its escapes.
///
/// Consumers get ``STOMPMessage`` values, which decode only what is asked of them; frames appear in errors,
/// observers and tests.
public struct STOMPFrame: Sendable, Hashable {
    /// The frame's command.
    public var command: STOMPCommand
    /// The frame's headers.
    public var headers: STOMPHeaders
    /// The frame's body, without the NUL that ends it.
    public var body: [UInt8]

    /// A frame of these parts.
    public init(_ command: STOMPCommand, headers: STOMPHeaders = [:], body: [UInt8] = []) {
        self.command = command
        self.headers = headers
        self.body = body
    }
}

extension STOMPFrame: CustomStringConvertible {
    /// The frame for a log: its command, its headers without secrets, and how long its body is.
    public var description: String {
        "\(self.command) \(self.headers) (\(self.body.count) bytes)"
    }
}
