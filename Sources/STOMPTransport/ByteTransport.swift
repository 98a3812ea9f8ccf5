// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What one read found.
package enum ReadOutcome: Sendable, Equatable {
    /// This many bytes were put at the start of the buffer.
    case bytes(Int)
    /// None are there now; more may come.
    case wouldBlock
    /// None are there and none will come.
    case endOfStream
}

/// One connected byte stream.
///
/// Calls that move bytes never wait; waiting is separate: try, and wait only after `.wouldBlock` or 0. A wait may
/// return early, also without a cause, so always try again after it. One task reads and one writes at a time;
/// `close()` and the waits may be called from anywhere.
package protocol ByteTransport: AnyObject, Sendable {
    /// Moves what has arrived into `buffer`, at most as much as it holds.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> ReadOutcome

    /// Returns how many bytes were taken; 0 means that it would have to wait.
    ///
    /// Those that were not taken come first in the next call: a layer may have begun to write them.
    func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int

    /// Returns when a read would not wait (bytes, end of stream, error, closed), or when the task is cancelled.
    func waitUntilReadable() async

    /// Returns when a write would not wait (room, error, closed), or when the task is cancelled.
    func waitUntilWritable() async

    /// Returns when the peer has hung up or the socket has failed, after `close()`, or on cancellation.
    ///
    /// Bytes that wait unread do not delay it. Unlike the other two it never returns early.
    func waitUntilHangUp() async

    /// Returns after the short time for which reading or writing may be put off, so that there is more to read or write.
    func waitForMore() async

    /// How many bytes have arrived and wait unread.
    var unreadByteCount: Int { get }

    /// Whether only UTF-8 can be written, and each write has to end with a whole character.
    var carriesTextOnly: Bool { get }

    /// Ends both directions at once; all waiters return, later reads and writes throw `.closed`.
    ///
    /// Idempotent, never waits.
    func close()

    /// As `close()`, but the peer gets an error instead of the end of the stream, where there is such a thing.
    func reset()

    /// Who is at the other end, for people: "127.0.0.1:61613", "[::1]:61613", "in-memory".
    var peerDescription: String { get }

    /// The TLS session that the bytes go through, if there is one; a stream over another one passes its on.
    var security: TLSFacts? { get }
}

extension ByteTransport {
    package var carriesTextOnly: Bool { false }

    package func reset() {
        self.close()
    }

    package var security: TLSFacts? { nil }
}

/// What connections come from on the serving side.
package protocol Listener: AnyObject, Sendable {
    /// Waits for the next connection; throws `.closed` after `close()` and on cancellation.
    func accept() async throws(TransportError) -> any ByteTransport

    /// Stops listening; idempotent. Accepted connections stay open.
    func close()
}
