// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore

/// Parsing and writing frames in memory; the one mode that looks below the public API.
struct Codec: Workload {
    let target: Target
    /// A prime, so that lengths and chunks do not fall into step; fewer if the bodies are large.
    private var variantCount: Int {
        max(1, min(61, (64 << 20) / max(self.target.arguments.size, 1)))
    }

    @concurrent
    func run() async throws -> [Round] {
        await self.target.progress.title("parsing")
        let parsing = try self.parse()
        await self.target.progress.title("writing")
        return [parsing, try self.serialise()]
    }

    /// Frames as a broker would send them.
    private func frames(_ command: STOMPCommand) -> [STOMPFrame] {
        let body = self.target.body
        // With content-length, which is written for bodies only.
        let variants = HeaderVariants(total: self.target.arguments.headers ?? 7, own: body.isEmpty ? 3 : 4)
        return (0..<self.variantCount).map { index in
            var headers: STOMPHeaders =
                command == .message
                ? [.subscription: "7", .messageID: "T_7@@session-1@@\(1_000_000 + index)"]
                : [.contentType: "text/plain", .receipt: "\(1_000 + index)"]
            headers.append(.destination, "/queue/benchmark")
            for field in variants[index].fields { headers.append(field.name, field.value) }
            return STOMPFrame(command, headers: headers, body: body)
        }
    }

    private func parse() throws -> Round {
        let count = self.target.arguments.count
        var input = OutputBuffer()
        let serializer = FrameSerializer(version: .v12)
        for frame in self.frames(.message) {
            try serializer.append(frame, to: &input)
            input.append(UInt8(ascii: "\n"))
        }
        var parser = FrameParser(version: .v12)
        let bytes = input.bytes
        var offset = 0
        var found = 0
        var byteCount = 0
        let stopwatch = Stopwatch()
        while found < count {
            // As a read would: into the parser's own memory.
            let space = parser.freeSpace()
            let read = min(space.count, bytes.count - offset)
            space.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + read]))
            offset += read
            if offset == bytes.count { offset = 0 }
            parser.received(read)
            while let frame = try parser.next() {
                guard frame.kind == .message, frame.bodyByteCount == self.target.arguments.size else {
                    throw BenchError("a frame came out of the parser other than it went in")
                }
                found += 1
                byteCount += frame.byteCount
            }
        }
        return self.round(stopwatch, "codec-parse", count: found, byteCount: byteCount)
    }

    private func serialise() throws -> Round {
        let count = self.target.arguments.count
        let frames = self.frames(.send)
        let serializer = FrameSerializer(version: .v12)
        var output = OutputBuffer()
        var byteCount = 0
        let stopwatch = Stopwatch()
        for number in 0..<count {
            try serializer.append(frames[number % frames.count], to: &output)
            if output.count >= 64 * 1_024 {
                byteCount += output.count
                output.removeAll(keepingCapacityUpTo: 128 << 20)
            }
        }
        return self.round(stopwatch, "codec-write", count: count, byteCount: byteCount + output.count)
    }

    private func round(_ stopwatch: Stopwatch, _ mode: String, count: Int, byteCount: Int) -> Round {
        var round = self.target.round(stopwatch.measurement(mode: mode, count: count, byteCount: byteCount))
        round.measurement.wire = "memory"
        let perFrame = round.measurement.seconds / Double(max(count, 1)) * 1e9
        round.notes.append("\(Figure.short(perFrame)) ns for each frame; MB/s are of whole frames")
        return round
    }
}
