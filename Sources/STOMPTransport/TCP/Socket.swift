// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A connected TCP stream.
final class Socket: ByteTransport {
    let peerDescription: String
    let descriptor: PolledDescriptor

    init(_ descriptor: PolledDescriptor, peerDescription: String) {
        self.descriptor = descriptor
        self.peerDescription = peerDescription
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> ReadOutcome {
        let readable = self.descriptor.readiness.readable
        let mark = readable.mark
        let outcome: ReadOutcome?
        do throws(SystemError) {
            outcome = try self.descriptor.use { number throws(SystemError) in
                guard let count = try System.receive(number, into: buffer) else { return .wouldBlock }
                // The system answers 0 to an empty buffer as well.
                return count == 0 && !buffer.isEmpty ? .endOfStream : .bytes(count)
            }
        } catch {
            throw error.transportError("Could not read from \(self.peerDescription)")
        }
        guard let outcome else { throw self.closedError() }
        if outcome == .wouldBlock {
            readable.exhausted(since: mark)
        }
        return outcome
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
        let writable = self.descriptor.readiness.writable
        let mark = writable.mark
        let outcome: Int??
        do throws(SystemError) {
            outcome = try self.descriptor.use { number throws(SystemError) in try System.send(number, bytes) }
        } catch {
            throw error.transportError("Could not write to \(self.peerDescription)")
        }
        guard let count = outcome else { throw self.closedError() }
        // A part of it means that there is no more room.
        if count ?? 0 < bytes.count { writable.exhausted(since: mark) }
        return count ?? 0
    }

    func waitUntilReadable() async {
        await self.descriptor.waitUntilReadable()
    }

    func waitUntilWritable() async {
        await self.descriptor.waitUntilWritable()
    }

    func waitUntilHangUp() async {
        await self.descriptor.waitUntilHangUp()
    }

    func waitForMore() async {
        await IOThread.shared.pause()
    }

    var unreadByteCount: Int {
        do throws(SystemError) {
            return try self.descriptor.use { number throws(SystemError) in System.unreadByteCount(number) } ?? 0
        } catch {
            return 0
        }
    }

    func close() {
        self.descriptor.close()
    }

    func reset() {
        // A socket that has failed, or is closed, needs no reset.
        _ = try? self.descriptor.use { number in System.reset(number) }
        self.descriptor.close()
    }

    private func closedError() -> TransportError {
        TransportError(
            kind: .closed,
            message: "The connection to \(self.peerDescription) has been closed on this side."
        )
    }
}
