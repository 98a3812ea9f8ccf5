// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import WorkBudgetPeer

/// Parser and serializer alone.
enum Codec {
    static func parse(_ count: Int, moreHeaders: Int) throws {
        let bodyByteCount = 256
        let cycle = MessageCycle(
            61 * 64,
            subscriptions: ["1"],
            bodyByteCount: bodyByteCount,
            moreHeaders: moreHeaders
        )
        var parser = FrameParser(version: .v12)
        var rest = UnsafeRawBufferPointer(start: nil, count: 0)
        var (offered, parsed, byteCount) = (0, 0, 0)
        while parsed < count {
            if rest.isEmpty {
                let next = min(count - offered, cycle.count)
                rest = cycle.bytes(upTo: next)
                offered += next
            }
            let space = parser.freeSpace()
            let size = min(space.count, rest.count)
            budget_peer_copy(space.baseAddress, rest.baseAddress, size)
            rest = UnsafeRawBufferPointer(rebasing: rest[size...])
            parser.received(size)
            while let frame = try parser.next() {
                parsed += 1
                byteCount += Int(frame.bodyByteCount)
            }
        }
        try WorkBudget.expect("frames", parsed, count)
        try WorkBudget.expect("bytes", byteCount, count * bodyByteCount)
    }

    static func serialize(_ count: Int) throws {
        let frame = STOMPFrame(
            .send,
            headers: [.destination: "/queue/budget", .contentType: "text/plain", "x-trace": "5d0f-44ab-9a31"],
            body: [UInt8](repeating: UInt8(ascii: "x"), count: 256)
        )
        let serializer = FrameSerializer(version: .v12)
        var output = OutputBuffer()
        var byteCount = 0
        for _ in 0..<count {
            try serializer.append(frame, to: &output)
            guard output.count >= 64 * 1024 else { continue }
            byteCount += output.count
            output.removeAll(keepingCapacityUpTo: 128 * 1024)
        }
        byteCount += output.count
        let wire =
            "SEND\ndestination:/queue/budget\ncontent-type:text/plain\nx-trace:5d0f-44ab-9a31\n"
            + "content-length:256\n\n"
        try WorkBudget.expect("bytes", byteCount, count * (wire.utf8.count + 257))
    }
}
