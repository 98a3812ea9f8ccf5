// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import TestSupport
import Testing

@testable import STOMPTransport

@Suite("TLS with a peer that never falls silent", .timeLimit(.minutes(10)))
struct TLSTrickleTests {
    /// Always has a few bytes more, until there are none.
    private final class Trickle: ByteTransport {
        private let state: Locked<(rest: ArraySlice<UInt8>, readCount: Int)>

        init(_ bytes: [UInt8]) {
            self.state = Locked((bytes[...], 0))
        }

        var readCount: Int { self.state.withLock { $0.readCount } }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> ReadOutcome {
            let part = self.state.withLock { state in
                state.readCount += 1
                defer { state.rest = state.rest.dropFirst(32) }
                return Array(state.rest.prefix(32))
            }
            buffer.copyBytes(from: part)
            return part.isEmpty ? .wouldBlock : .bytes(part.count)
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int { bytes.count }
        func waitUntilReadable() async {}
        func waitUntilWritable() async {}
        func waitUntilHangUp() async {}
        func waitForMore() async {}
        func close() {}
        var unreadByteCount: Int { 0 }
        var peerDescription: String { "trickle" }
    }

    @Test("A read that gets no plain text for long gives others their turn, and loses nothing")
    func turns() async throws {
        let server = try TLSContext.make(.server, .server(), password: nil)
        let client = try TLSContext.make(.client, .client(), password: nil)
        var one = try TLSEngine(client, host: "localhost", peer: "trickle")
        var other = try TLSEngine(server, peer: "the client")
        func carry(_ bytes: [UInt8], to engine: inout TLSEngine) throws(TransportError) {
            guard !bytes.isEmpty else { return }
            engine.inputSpace().copyBytes(from: bytes)
            engine.received(bytes.count)
            _ = try engine.handshake()
        }
        while !one.isOpen || !other.isOpen {
            _ = try one.handshake()
            try carry(one.takeOutput(), to: &other)
            try carry(other.takeOutput(), to: &one)
        }
        let text = [UInt8](repeating: 7, count: 10_000)
        try other.write(text)
        let lower = Trickle(other.takeOutput())
        let transport = TLSTransport(one, over: lower)
        var (receivedCount, emptyCount) = (0, 0)
        while receivedCount < text.count {
            let before = lower.readCount
            switch try transport.readOnce() {
            case .bytes(let count): receivedCount += count
            case .wouldBlock: emptyCount += 1
            case .endOfStream: throw CancellationError()
            }
            #expect(lower.readCount - before <= 17)
            await transport.waitUntilReadable()
        }
        #expect(receivedCount == text.count)
        #expect(emptyCount > 10)
    }
}
