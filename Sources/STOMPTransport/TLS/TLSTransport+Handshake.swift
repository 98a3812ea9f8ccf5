// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension TLSTransport {
    /// Opens a session over a stream that is connected; the stream is closed if that fails.
    ///
    /// Sets no deadline: the caller cancels.
    ///
    /// - Parameters:
    ///   - lower: the stream; nobody else may use it any more.
    ///   - context: made for this attempt, for a client.
    ///   - host: the server's name or address, which its certificate must be for.
    /// - Returns: the stream for what is to be encrypted.
    /// - Throws: `.tlsFailed`, with which check failed for which certificate; `.closed` if the peer or the caller ends it;
    ///   what the stream throws.
    package static func open(
        over lower: any ByteTransport,
        _ context: TLSContext,
        host: String = ""
    ) async throws(TransportError) -> TLSTransport {
        do throws(TransportError) {
            var engine = try TLSEngine(context, host: host, peer: lower.peerDescription)
            try await self.shakeHands(&engine, lower)
            let transport = TLSTransport(engine, over: lower)
            transport.flush()
            return transport
        } catch {
            lower.close()
            throw error
        }
    }

    private static let handshaking = "the TLS handshake with"

    private static func shakeHands(
        _ engine: inout TLSEngine,
        _ lower: any ByteTransport
    ) async throws(TransportError) {
        var hasAnswered = false
        while true {
            let outcome: TLSEngine.Outcome
            do throws(TransportError) {
                outcome = try engine.handshake()
            } catch {
                // An alert, which says why, if there is room.
                let alert = engine.takeOutput()
                if !alert.isEmpty { _ = alert.withUnsafeBytes { bytes in try? lower.write(bytes) } }
                throw error
            }
            // A server's tickets, which a client that does not read yet would hold up: they go before the next bytes.
            if outcome == .open, engine.hasTickets { return }
            try await lower.writeWhole(engine.takeOutput(), during: self.handshaking)
            if outcome == .open { return }
            // What came with one record may be several.
            if engine.hasInput { continue }
            switch try lower.read(into: engine.inputSpace()) {
            case .bytes(let count):
                hasAnswered = true
                engine.received(count)
                await Task.yield()
            case .wouldBlock:
                engine.releaseInput()
                await lower.waitUntilReadable()
            case .endOfStream:
                let hint = hasAnswered ? "" : " Is it a TLS port?"
                throw TransportError(
                    kind: .closed,
                    message: "\(lower.peerDescription) closed the connection during the TLS handshake.\(hint)"
                )
            }
            try lower.checkCancellation(during: self.handshaking)
        }
    }
}
