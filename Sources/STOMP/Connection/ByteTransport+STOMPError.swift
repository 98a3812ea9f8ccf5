// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

extension ByteTransport {
    /// Reads without waiting.
    ///
    /// - Throws: ``STOMPError/Code/connectionLost``; ``STOMPError/Code/protocolViolation``.
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(STOMPError) -> ReadOutcome {
        do throws(TransportError) {
            return try self.read(into: buffer)
        } catch {
            throw STOMPError(
                error.kind == .violation ? .protocolViolation : .connectionLost,
                error.message,
                cause: error
            )
        }
    }

    /// Writes all of it, waiting for the peer.
    ///
    /// - Throws: ``STOMPError/Code/connectionLost``, or that the task was cancelled.
    func writeAll(_ output: borrowing OutputBuffer) async throws(STOMPError) {
        var position = 0
        while position < output.count {
            let written: Int
            do throws(TransportError) {
                written = try self.write(UnsafeRawBufferPointer(rebasing: output.bytes[position...]))
            } catch {
                throw STOMPError(.connectionLost, error.message, cause: error)
            }
            position += written
            if written == 0 { await self.waitUntilWritable() }
            if Task.isCancelled { throw .cancelled }
        }
    }
}
