// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport

extension ByteTransport {
    /// At least one byte, at most `limit`; nil at the end of the stream.
    func readSome(limit: Int = 64 * 1024) async throws -> [UInt8]? {
        while true {
            try Task.checkCancellation()
            var outcome = ReadOutcome.wouldBlock
            var buffer = [UInt8](repeating: 0, count: limit)
            try buffer.withUnsafeMutableBytes { buffer in outcome = try self.read(into: buffer) }
            switch outcome {
            case .bytes(let count): return Array(buffer[..<count])
            case .endOfStream: return nil
            case .wouldBlock: await self.waitUntilReadable()
            }
        }
    }

    /// Exactly `count` bytes, or fewer at the end of the stream.
    func readExactly(_ count: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = try await self.readSome(limit: min(count - bytes.count, 64 * 1024)) {
            bytes += more
        }
        return bytes
    }

    func readToEnd() async throws -> [UInt8] {
        try await self.readExactly(.max)
    }

    func writeAll(_ bytes: [UInt8]) async throws {
        var done = 0
        while done < bytes.count {
            try Task.checkCancellation()
            let taken = try self.writeOnce(bytes[done...])
            done += taken
            if taken == 0 {
                await self.waitUntilWritable()
            }
        }
    }

    func writeOnce(_ bytes: ArraySlice<UInt8>) throws(TransportError) -> Int {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(TransportError) in try self.write(bytes) }
        }
        return try result.get()
    }

    func readOnce() throws(TransportError) -> ReadOutcome {
        var buffer = [UInt8](repeating: 0, count: 1024)
        let result = buffer.withUnsafeMutableBytes { buffer in
            Result { () throws(TransportError) in try self.read(into: buffer) }
        }
        return try result.get()
    }

    /// Writes until nothing more is taken, and says how much went in.
    func fill() throws(TransportError) -> Int {
        let block = [UInt8](repeating: 120, count: 64 * 1024)
        var total = 0
        while true {
            let taken = try self.writeOnce(block[...])
            total += taken
            if taken == 0 {
                return total
            }
        }
    }

    /// The three waits, each in a task of its own.
    func startWaits() -> [Task<Void, Never>] {
        [
            Task { await self.waitUntilReadable() },
            Task { await self.waitUntilWritable() },
            Task { await self.waitUntilHangUp() },
        ]
    }
}

/// The kind of the error that `body` throws; nil when it throws none.
func errorKind(_ body: () async throws(TransportError) -> Void) async -> TransportError.Kind? {
    do throws(TransportError) {
        try await body()
        return nil
    } catch {
        return error.kind
    }
}
