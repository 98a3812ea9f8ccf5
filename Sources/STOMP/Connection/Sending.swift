// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMPCore

/// What sends: a client, or one connection.
///
/// The public verbs stand on both; what they do stands here.
@usableFromInline
protocol Sending: Sendable {
    /// Sends without waiting for anything.
    ///
    /// Returns `false` if that needs a wait.
    func sendNow(
        _ body: UnsafeRawBufferPointer,
        _ destination: STOMPDestination,
        _ contentType: STOMPContentType?,
        _ headers: STOMPHeaders,
        _ contentLength: STOMPContentLength?
    ) throws(STOMPError) -> Bool

    func send(_ request: SendRequest, receipt: STOMPReceipt) async throws(STOMPError)
}

extension Sending {
    /// At once if that is possible, from parts that the caller lends; else as a request.
    @inlinable
    nonisolated(nonsending) func send(
        _ body: SendRequest.Body,
        _ destination: STOMPDestination,
        _ contentType: STOMPContentType?,
        _ headers: STOMPHeaders,
        _ contentLength: STOMPContentLength?,
        _ receipt: STOMPReceipt
    ) async throws(STOMPError) {
        if case .none = receipt.kind {
            let isSent = try body.withBytes { bytes throws(STOMPError) in
                try self.sendNow(bytes, destination, contentType, headers, contentLength)
            }
            if isSent { return }
        }
        let request = SendRequest(
            destination: destination,
            body: body,
            contentType: contentType,
            headers: headers,
            contentLength: contentLength
        )
        try await self.send(request, receipt: receipt)
    }
}
