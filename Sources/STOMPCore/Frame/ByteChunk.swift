// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A block of received bytes, shared by the reader that fills it and the messages that lie in it.
///
/// `@unchecked Sendable`: only the one reader writes, and only above the bytes it has handed out; what is handed
/// out is never written again while the chunk lives. The consumer's reads are ordered after the reader's writes
/// by the lock or stream through which a frame is handed over.
package final class ByteChunk: @unchecked Sendable {
    /// The scan reads blocks of 64 bytes that may reach past the last received byte.
    package static let padding = 64

    package let base: UnsafeMutableRawPointer
    package let capacity: Int
    private let pool: ChunkPool?

    /// A chunk outside any pool.
    package init(capacity: Int) {
        self.base = .allocate(byteCount: capacity + Self.padding, alignment: 16)
        self.capacity = capacity
        self.pool = nil
    }

    fileprivate init(base: UnsafeMutableRawPointer, pool: ChunkPool) {
        self.base = base
        self.capacity = pool.chunkCapacity
        self.pool = pool
    }

    /// Whether another use may follow; one made for a large frame is freed.
    package var isRecycled: Bool {
        self.pool != nil
    }

    deinit {
        if let pool = self.pool {
            pool.takeBack(self.base)
        } else {
            self.base.deallocate()
        }
    }
}

/// Recycles the memory of chunks of one size, up to a bound.
package final class ChunkPool: Sendable {
    /// `@unchecked Sendable`: a free block has one owner, the pool's list.
    private struct Block: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
    }

    /// 128 KiB; and 512 KiB for who has filled these, since then the system calls are what costs: each tells the peer of
    /// the room it has made, and sends on what the peer then has.
    package static let shared = ChunkPool(
        chunkCapacity: 128 * 1024,
        freeLimit: 32,
        larger: ChunkPool(chunkCapacity: 512 * 1024, freeLimit: 8)
    )

    package let chunkCapacity: Int
    /// For who fills these.
    package let larger: ChunkPool?
    private let freeLimit: Int
    private let free = Locked<[Block]>([])

    package init(chunkCapacity: Int, freeLimit: Int, larger: ChunkPool? = nil) {
        self.chunkCapacity = chunkCapacity
        self.freeLimit = freeLimit
        self.larger = larger
    }

    package func take() -> ByteChunk {
        let block = self.free.withLock { $0.popLast() }
        let byteCount = self.chunkCapacity + ByteChunk.padding
        return ByteChunk(base: block?.base ?? .allocate(byteCount: byteCount, alignment: 16), pool: self)
    }

    fileprivate func takeBack(_ base: UnsafeMutableRawPointer) {
        let block = Block(base: base)
        let kept = self.free.withLock { free in
            guard free.count < self.freeLimit else { return false }
            free.append(block)
            return true
        }
        if !kept { base.deallocate() }
    }

    deinit {
        for block in self.free.withLock({ $0 }) { block.base.deallocate() }
    }
}
