// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport

/// A stream for tests of the outbox: nothing ever comes, and no wait takes long.
protocol WriteOnlyTransport: ByteTransport {}

extension WriteOnlyTransport {
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> ReadOutcome { .wouldBlock }
    func waitUntilReadable() async {}
    func waitUntilWritable() async {}
    func waitUntilHangUp() async {}
    func waitForMore() async {}
    func close() {}
    var unreadByteCount: Int { 0 }
    var peerDescription: String { "write-only" }
}
