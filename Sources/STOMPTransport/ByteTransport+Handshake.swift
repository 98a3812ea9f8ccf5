// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What handshakes do with a stream before it is anybody's.
extension ByteTransport {
    /// Writes all of it, waiting for room.
    ///
    /// - Parameters:
    ///   - bytes: what is written.
    ///   - what: for the error: "the TLS handshake with".
    /// - Throws: `.closed` when the task is cancelled; what the stream throws.
    func writeWhole(_ bytes: [UInt8], during what: String) async throws(TransportError) {
        var position = 0
        while position < bytes.count {
            let count = try bytes.withUnsafeBytes { all in
                Result { () throws(TransportError) in
                    try self.write(UnsafeRawBufferPointer(rebasing: all[position...]))
                }
            }.get()
            position += count
            if count == 0 { await self.waitUntilWritable() }
            try self.checkCancellation(during: what)
        }
    }

    /// - Throws: `.closed` when the task is cancelled.
    func checkCancellation(during what: String) throws(TransportError) {
        guard Task.isCancelled else { return }
        throw TransportError(kind: .closed, message: "Cancelled: \(what) \(self.peerDescription).")
    }

    /// Reads the head of an HTTP message.
    ///
    /// - Parameters:
    ///   - reader: collects it, and has afterwards what came behind it.
    ///   - what: for the error.
    ///   - objection: what is wrong with these first bytes, as the end of a sentence; nil: nothing yet.
    /// - Returns: the bytes of the head.
    /// - Throws: `.handshake` with the end of a sentence; `.closed` when the peer closes or the task is cancelled; what the
    ///   stream throws.
    func readHead(
        _ reader: inout HTTPHeadReader,
        during what: String,
        objection: ([UInt8]) -> String? = { _ in nil }
    ) async throws(TransportError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 2_048)
        while true {
            let outcome = try buffer.withUnsafeMutableBytes { space in
                Result { () throws(TransportError) in try self.read(into: space) }
            }.get()
            switch outcome {
            case .bytes(let count):
                let found = buffer.withUnsafeBytes { reader.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                if let reason = objection(reader.bytes) { throw TransportError(kind: .handshake, message: reason) }
                switch found {
                case .complete(let bytes): return bytes
                case .tooLong:
                    throw TransportError(
                        kind: .handshake,
                        message: "its answer has more than the bytes that are allowed before a blank line"
                    )
                case .incomplete: await Task.yield()
                }
            case .wouldBlock:
                await self.waitUntilReadable()
            case .endOfStream:
                throw TransportError(
                    kind: .closed,
                    message: "The peer closed the connection: \(what) \(self.peerDescription)."
                )
            }
            try self.checkCancellation(during: what)
        }
    }
}
