// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Bytes in the order they came; grows by doubling, as far as its user lets it.
struct ByteRing {
    private var storage: [UInt8] = []
    private var start = 0
    private(set) var count = 0

    /// `limit` bounds the memory, not the bytes: they must fit in it.
    mutating func append(_ bytes: UnsafeRawBufferPointer, limit: Int) {
        precondition(self.count + bytes.count <= limit, "The ring's user keeps to the limit it gives.")
        self.reserve(self.count + bytes.count, limit: limit)
        let end = (self.start + self.count) % max(self.storage.count, 1)
        let firstCount = min(bytes.count, self.storage.count - end)
        self.storage.withUnsafeMutableBytes { storage in
            UnsafeMutableRawBufferPointer(rebasing: storage[end...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<firstCount]))
            storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[firstCount...]))
        }
        self.count += bytes.count
    }

    /// Moves as much as `buffer` holds and returns how much.
    mutating func move(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let moved = min(self.count, buffer.count)
        let firstCount = min(moved, self.storage.count - self.start)
        self.storage.withUnsafeBytes { storage in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[self.start..<self.start + firstCount]))
            UnsafeMutableRawBufferPointer(rebasing: buffer[firstCount...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<(moved - firstCount)]))
        }
        self.count -= moved
        self.start = self.count == 0 ? 0 : (self.start + moved) % self.storage.count
        return moved
    }

    private mutating func reserve(_ needed: Int, limit: Int) {
        guard needed > self.storage.count else { return }
        let size = min(limit, max(needed, self.storage.count * 2, 4096))
        var larger = [UInt8](repeating: 0, count: size)
        let kept = self.count
        _ = larger.withUnsafeMutableBytes { self.move(into: $0) }
        self.storage = larger
        self.start = 0
        self.count = kept
    }
}
