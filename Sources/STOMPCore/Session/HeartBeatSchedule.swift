// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The value of a `heart-beat` header, in milliseconds; zero means "cannot" or "does not want" (STOMP 1.2,
/// Heart-beating).
package struct HeartBeatHeader: Sendable, Hashable, CustomStringConvertible {
    /// What the sender of the header can guarantee to send.
    package var outgoing: Int
    /// What the sender of the header wants to receive.
    package var incoming: Int

    package static let none = HeartBeatHeader(outgoing: 0, incoming: 0)

    package init(outgoing: Int, incoming: Int) {
        self.outgoing = outgoing
        self.incoming = incoming
    }

    /// - Throws: ``STOMPError/Code/protocolViolation`` for a malformed text, unless that is allowed: then it is none.
    package init(_ text: String?, leniency: STOMPLeniency) throws(STOMPError) {
        self = .none
        guard let text else { return }
        let numbers = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(Self.number)
        if numbers.count == 2, let outgoing = numbers[0], let incoming = numbers[1] {
            self = HeartBeatHeader(outgoing: outgoing, incoming: incoming)
        } else if !leniency.contains(.malformedHeartBeat) {
            throw FrameValidator.violation("the heart-beat header is not two numbers and a comma")
        }
    }

    private static func number(_ text: Substring.UTF8View) -> Int? {
        guard !text.isEmpty, text.count <= 12, text.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return text.reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    package var description: String {
        "\(self.outgoing),\(self.incoming)"
    }
}

/// When each side must be heard from, once both have said what they can and want.
///
/// Times are durations since any fixed instant.
package struct HeartBeatSchedule: Sendable, Hashable {
    /// We promise to send something at least this often; `nil`: no promise.
    package var outgoing: Duration?
    /// The peer promises to send something at least this often; `nil`: no promise.
    package var incoming: Duration?

    package init(outgoing: Duration?, incoming: Duration?) {
        self.outgoing = outgoing
        self.incoming = incoming
    }

    /// Each direction: none if one side says zero, else the larger of the two numbers.
    package init(own: HeartBeatHeader, peer: HeartBeatHeader, version: STOMPVersion) {
        self.outgoing = Self.interval(own.outgoing, peer.incoming, version: version)
        self.incoming = Self.interval(own.incoming, peer.outgoing, version: version)
    }

    private static func interval(_ one: Int, _ other: Int, version: STOMPVersion) -> Duration? {
        // 1.0 has no heart-beats, whatever the headers say: RabbitMQ sends the header there too.
        guard version > .v10, one > 0, other > 0 else { return nil }
        return .milliseconds(max(one, other))
    }

    /// When to send an EOL if nothing else is sent before: after half of what was promised.
    package func beatDeadline(lastWrite: Duration) -> Duration? {
        self.outgoing.map { lastWrite + $0 / 2 }
    }

    /// When a silent peer counts as dead: `tolerance` times what it promised after the last byte.
    package func silenceDeadline(lastRead: Duration, tolerance: Double) -> Duration? {
        // Multiplying by what is no finite number would trap.
        let factor = tolerance.isFinite ? min(max(tolerance, 1), 1_000_000) : 1_000_000
        return self.incoming.map { lastRead + $0 * factor }
    }
}
