// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Which headers a frame must have, by command and version: one table for both roles.
package enum FrameRequirements {
    /// The first header that is missing, or `nil`.
    package static func missingHeader(in frame: STOMPFrame, version: STOMPVersion) -> STOMPHeaders.Name? {
        self.required(by: frame.command, version: version).first { frame.headers[$0] == nil }
    }

    private static func required(by command: STOMPCommand, version: STOMPVersion) -> [STOMPHeaders.Name] {
        switch command {
        case .send: [.destination]
        case .subscribe: version == .v10 ? [.destination] : [.destination, .id]
        // 1.0 takes a destination instead; see `ServerSession`.
        case .unsubscribe: version == .v10 ? [] : [.id]
        case .ack, .nack:
            switch version {
            case .v12: [.id]
            case .v11: [.messageID, .subscription]
            default: [.messageID]
            }
        case .begin, .commit, .abort: [.transaction]
        // 1.0 has `subscription` only if SUBSCRIBE gave an id.
        case .message: version == .v10 ? [.destination, .messageID] : [.destination, .messageID, .subscription]
        case .receipt: [.receiptID]
        default: []
        }
    }
}
