// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport
import WorkBudgetPeer

/// The broker's end of the one connection: answers what wants an answer, and plays messages out of prepared bytes.
///
/// `@unchecked Sendable`: everything runs on one thread.
final class Peer: @unchecked Sendable {
    private let transport: any ByteTransport
    private let state = budget_peer_make()
    private var played = 0

    init(_ transport: any ByteTransport) {
        self.transport = transport
    }

    var sendCount: Int { Int(budget_peer_send_count(self.state)) }
    var sentByteCount: Int { Int(budget_peer_send_byte_count(self.state)) }
    var ackCount: Int { Int(budget_peer_ack_count(self.state)) }
    var ackSum: Int { Int(budget_peer_ack_sum(self.state)) }

    /// Reads and answers until the client hangs up.
    func answer() async {
        while true {
            var count = 0
            let room = budget_peer_room(self.state, &count)
            guard let outcome = try? self.transport.read(into: UnsafeMutableRawBufferPointer(start: room, count: count))
            else { return }
            switch outcome {
            case .bytes(let count):
                budget_peer_received(self.state, count)
                let answers = budget_peer_answers(self.state, &self.answerCount)
                await self.write(UnsafeRawBufferPointer(start: answers, count: self.answerCount))
            case .wouldBlock:
                await self.transport.waitUntilReadable()
            case .endOfStream:
                return
            }
        }
    }

    private var answerCount = 0

    /// Writes so many messages.
    func play(_ cycle: MessageCycle, count: Int) async {
        var rest = count
        while rest > 0 {
            let next = min(rest, cycle.count)
            await self.write(cycle.bytes(upTo: next))
            rest -= next
        }
    }

    /// Writes the message that is next; there has to be room for it.
    func playOne(_ cycle: MessageCycle) {
        _ = try? self.transport.write(cycle.bytes(of: self.played % cycle.count))
        self.played += 1
    }

    /// Writes a frame with a body of so many bytes, which is never there as a whole.
    func playLarge(_ head: String, byteCount: Int) async {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)
        defer { block.deallocate() }
        block.copyBytes(from: head.utf8)
        await self.write(UnsafeRawBufferPointer(rebasing: block[..<head.utf8.count]))
        var rest = byteCount + 1
        while rest > 0 {
            let next = min(rest, block.count)
            budget_peer_fill(block.baseAddress, next, rest == next)
            await self.write(UnsafeRawBufferPointer(rebasing: block[..<next]))
            rest -= next
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) async {
        var position = 0
        while position < bytes.count {
            guard let count = try? self.transport.write(UnsafeRawBufferPointer(rebasing: bytes[position...])) else {
                return
            }
            position += count
            if count == 0 { await self.transport.waitUntilWritable() }
        }
    }
}
