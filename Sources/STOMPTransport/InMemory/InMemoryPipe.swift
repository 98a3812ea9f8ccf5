// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Both ends of a pipe inside the process.
package final class InMemoryPipe {
    private init() {}

    /// Two connected ends; each direction holds at most `capacity` bytes, a full one takes no more.
    package static func makePair(capacity: Int = 256 * 1024) -> (any ByteTransport, any ByteTransport) {
        precondition(capacity > 0, "A pipe needs room for at least one byte.")
        let there = InMemoryChannel(capacity: capacity)
        let back = InMemoryChannel(capacity: capacity)
        let hangUp = Readiness()
        return (
            InMemoryEnd(incoming: back, outgoing: there, hangUp: hangUp),
            InMemoryEnd(incoming: there, outgoing: back, hangUp: hangUp)
        )
    }
}

/// One end of a pipe; dropping its last reference closes it.
private final class InMemoryEnd: ByteTransport {
    private let incoming: InMemoryChannel
    private let outgoing: InMemoryChannel
    /// One for both ends: whichever closes has hung up on the other, and has closed its own.
    private let hangUp: Readiness

    init(incoming: InMemoryChannel, outgoing: InMemoryChannel, hangUp: Readiness) {
        self.incoming = incoming
        self.outgoing = outgoing
        self.hangUp = hangUp
    }

    deinit {
        self.close()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> ReadOutcome {
        guard let outcome = self.incoming.read(into: buffer) else { throw Self.closedError() }
        return outcome
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
        guard let count = self.outgoing.write(bytes) else { throw Self.closedError() }
        return count
    }

    func waitUntilReadable() async {
        await self.incoming.readable.wait()
    }

    func waitUntilWritable() async {
        await self.outgoing.writable.wait()
    }

    func waitUntilHangUp() async {
        await self.hangUp.wait()
    }

    func waitForMore() async {
        await Task.yield()
    }

    var unreadByteCount: Int { self.incoming.byteCount }

    func close() {
        self.incoming.closeReading()
        self.outgoing.closeWriting()
        self.hangUp.finish()
    }

    var peerDescription: String { "in-memory" }

    private static func closedError() -> TransportError {
        TransportError(kind: .closed, message: "The in-memory pipe has been closed.")
    }
}
