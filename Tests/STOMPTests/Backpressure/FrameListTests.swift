// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("The frames of one read for one subscription")
struct FrameListTests {
    private func frame(_ number: Int) throws -> FrameReference {
        var parser = FrameParser(version: .v12)
        let bytes = Array(("MESSAGE\n\n" + String(repeating: "x", count: number % 7) + "\0").utf8)
        bytes.withUnsafeBytes { parser.freeSpace().copyMemory(from: $0) }
        parser.received(bytes.count)
        return try #require(try parser.next())
    }

    @Test(
        "What is handed over is what was appended, in order, however many came before",
        arguments: [0, 1, 2, 17, 300]
    )
    func handOver(earlier: Int) throws {
        var list = FrameList()
        defer { list.discard() }
        for count in [earlier, 0, 1, 5, 64, 3] {
            let frames = try (0..<count).map { try self.frame($0) }
            for frame in frames { list.append(frame) }
            #expect(list.count == count)
            #expect(list.byteCount == frames.reduce(0) { $0 + $1.byteCount })
            let taken = list.take()
            defer { taken.deallocate() }
            #expect(taken.map(\.bodyByteCount) == frames.map(\.bodyByteCount))
            #expect(list.isEmpty && list.byteCount == 0)
        }
    }

    @Test("A list that was discarded is empty, and takes frames again")
    func discarded() throws {
        var list = FrameList()
        list.append(try self.frame(3))
        list.discard()
        #expect(list.isEmpty && list.byteCount == 0)
        list.append(try self.frame(4))
        let taken = list.take()
        defer { taken.deallocate() }
        #expect(taken.map(\.bodyByteCount) == [4])
    }
}
