// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Why the broker answers with an ERROR and closes the connection.
struct BrokerRefusal: Error {
    /// The `message` header: a few words without a character that any version would have to escape.
    let message: String
    /// The body: what exactly was wrong.
    let details: String
    var headers: STOMPHeaders = [:]

    init(_ message: String, _ details: String) {
        self.message = message
        self.details = details
    }

    /// What the parser or the session found.
    init(_ error: STOMPError) {
        self.details = error.message
        self.headers = error.frame?.headers ?? [:]
        switch error.code {
        case .unsupportedVersion: self.message = "Unsupported version"
        case .headerLineTooLong, .tooManyHeaders, .headersTooLarge, .bodyTooLarge: self.message = "Frame too large"
        default: self.message = "Protocol violation"
        }
    }

    /// The ERROR frame, naming the frame that is at fault if that wanted a receipt (STOMP 1.2, ERROR).
    func frame(answering request: STOMPFrame?) -> STOMPFrame {
        var headers: STOMPHeaders = [.message: self.message]
        if let receipt = request?.headers[.receipt] { headers.append(.receiptID, receipt) }
        headers.appendMissing(from: self.headers)
        headers.append(.contentType, STOMPContentType.plainText.rawValue)
        return STOMPFrame(.error, headers: headers, body: Array(self.details.utf8))
    }
}
