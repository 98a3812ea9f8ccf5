// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What a Close frame says (RFC 6455, section 5.5.1).
struct WebSocketClose: Sendable, Equatable {
    /// Nil: it says nothing.
    var code: UInt16?
    var reason = ""

    /// What a control frame has room for beside the code.
    static let reasonLimit = WebSocketFrameHeader.controlLimit - 2

    static let normal = WebSocketClose(code: 1000)

    init(code: UInt16?, reason: String = "") {
        self.code = code
        self.reason = reason
    }

    /// Reads the payload of a Close frame.
    init(payload: [UInt8]) throws(WebSocketViolation) {
        guard !payload.isEmpty else { return }
        guard payload.count >= 2 else { throw WebSocketViolation(.invalidClose, "a Close with half a code") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard Self.mayBeSent(code) else {
            throw WebSocketViolation(.invalidClose, "a Close with the code \(code), which must not be sent")
        }
        guard let reason = String(validating: payload[2...], as: UTF8.self) else {
            throw WebSocketViolation(.invalidText, "a Close whose reason is not UTF-8")
        }
        self.code = code
        self.reason = reason
    }

    var payload: [UInt8] {
        guard let code = self.code else { return [] }
        return [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(self.reason.utf8.prefix(Self.reasonLimit))
    }

    /// The codes of RFC 6455, section 7.4, and those registered later, libraries' and applications' own.
    private static func mayBeSent(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// Whether it is the usual end of a stream.
    var isOrdinary: Bool {
        self.reason.isEmpty && (self.code == nil || self.code == 1000 || self.code == 1001)
    }

    /// "1011 (out of memory)", from the peer's words without what could break a line of a log.
    var text: String {
        let code = self.code.map { "code \($0)" } ?? "no code"
        return self.reason.isEmpty ? code : "\(code), \"\(self.reason.asPartOfLine())\""
    }
}

extension String {
    /// What a peer has said, as it can stand in an error: one line, not too long.
    func asPartOfLine(limit: Int = 120) -> String {
        let line = self.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return String(line.prefix(limit)) + (line.count > limit ? "…" : "")
    }
}
