// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The messages of one read that belong to one subscription: references into the chunk that they were read into.
///
/// `@unchecked Sendable`: the frames never change. `firstNumber` and `isCopy` are set before the batch is handed over;
/// `unsettledCount` is touched only under the outbox's lock; the chunk, its base and `isHollow` are changed, and the
/// frames given back, only by ``hollow()``, under the lock of the subscription's storage. A consumer takes a batch under
/// that lock too, and leaves a hollow one: so whoever has messages of a batch has its chunk and its frames.
@usableFromInline
package final class MessageBatch: @unchecked Sendable {
    private(set) var chunk: ByteChunk {
        didSet { self.base = UnsafeRawPointer(self.chunk.base) }
    }
    /// Where the chunk begins: to get at it there takes and gives back a reference each time.
    private var base: UnsafeRawPointer
    @usableFromInline
    let frames: UnsafeMutableBufferPointer<FrameReference>
    let owner: DeliveryOwner
    /// The owner's, without a reference of its own, which each ack would retain and release.
    ///
    /// `unowned(unsafe)`: `owner` never changes and holds the outbox, so it is there as long as this batch.
    unowned(unsafe) let outbox: Outbox
    /// Whether each message is answered by itself.
    let isUsual: Bool
    /// What it counts against the subscription's limits: the memory that it keeps alive, with ``overhead(of:)``.
    let byteCount: Int
    var firstNumber: UInt64 = 0
    var unsettledCount: Int
    private(set) var isHollow = false
    /// Whether it is a copy of a message of another batch, which counts what is unanswered.
    private(set) var isCopy = false

    /// A batch of these frames, whose memory it takes over, and which have so many bytes.
    ///
    /// If they are a small part of the chunk, less than half of one that others share, or less than three quarters of a larger
    /// one, they are copied out of it, so that a slow consumer never holds much more memory than its messages need.
    init(
        _ frames: UnsafeMutableBufferPointer<FrameReference>,
        of used: Int,
        in chunk: ByteChunk,
        isShared: Bool = false,
        owner: DeliveryOwner
    ) {
        let count = frames.count
        self.frames = frames
        self.owner = owner
        self.outbox = owner.outbox
        self.isUsual = owner.mode == .clientIndividual
        self.unsettledCount = count
        let isLarger = chunk.isRecycled && chunk.capacity > ChunkPool.shared.chunkCapacity
        let least = isLarger ? chunk.capacity / 4 * 3 : chunk.capacity / (isShared ? 2 : 8)
        if used < least {
            self.chunk = ByteChunk(capacity: used)
            self.base = UnsafeRawPointer(self.chunk.base)
            self.byteCount = used + Self.overhead(of: count)
            self.moveFrames(from: chunk)
        } else {
            self.chunk = chunk
            self.base = UnsafeRawPointer(chunk.base)
            self.byteCount = chunk.capacity + Self.overhead(of: count)
        }
    }

    /// A batch of copies of these frames.
    convenience init(_ frames: some Collection<FrameReference>, in chunk: ByteChunk, owner: DeliveryOwner) {
        let copies = UnsafeMutableBufferPointer<FrameReference>.allocate(capacity: frames.count)
        _ = copies.initialize(fromContentsOf: frames)
        self.init(copies, of: frames.reduce(0) { $0 + $1.byteCount }, in: chunk, owner: owner)
    }

    deinit {
        if !self.isHollow { self.frames.deallocate() }
    }

    /// What so many messages in a batch take beyond their bytes: the objects of the batch with its place in the stream
    /// and in the ledger, rounded up, and a reference for each message.
    static func overhead(of count: Int) -> Int {
        320 + count * MemoryLayout<FrameReference>.stride
    }

    private func moveFrames(from source: ByteChunk) {
        var offset = 0
        for index in 0..<self.count {
            let frame = self.frames[index]
            (self.chunk.base + offset).copyMemory(from: source.base + Int(frame.start), byteCount: frame.byteCount)
            self.frames[index].bodyStart = UInt32(truncatingIfNeeded: offset) + (frame.bodyStart - frame.start)
            self.frames[index].start = UInt32(truncatingIfNeeded: offset)
            offset += frame.byteCount
        }
    }

    /// Lets go of the memory: these messages were dropped before anybody saw them.
    func hollow() {
        if !self.isHollow { self.frames.deallocate() }
        self.isHollow = true
        self.chunk = ByteChunk(capacity: 0)
    }

    /// The numbers that the ledger knows these messages by.
    var numbers: Range<UInt64> {
        self.firstNumber..<self.firstNumber + UInt64(self.count)
    }

    @inlinable
    package var count: Int { self.frames.count }

    @inlinable
    func frame(_ index: Int) -> FrameReference {
        precondition(index >= 0 && index < self.count, "A message lies inside its batch.")
        return self.frames[index]
    }

    func headerBlock(_ index: Int) -> HeaderBlock {
        self.chunk.headerBlock(of: self.frame(index), rules: self.owner.rules)
    }

    /// The raw `message-id`, whose place the parser has noted.
    @usableFromInline
    func rawMessageID(_ index: Int) -> UnsafeRawBufferPointer? {
        let frame = self.frame(index)
        guard frame.messageID.isNoted else { return self.headerBlock(index).rawValue(of: .messageID) }
        return self.rawValue(of: frame, at: frame.messageID)
    }

    private func rawValue(of frame: FrameReference, at place: FrameReference.Place) -> UnsafeRawBufferPointer {
        frame.rawValue(at: place, from: self.base, strippingCR: self.owner.stripsCarriageReturn)
    }

    func body(_ index: Int) -> UnsafeRawBufferPointer {
        self.chunk.body(of: self.frame(index))
    }

    /// The raw value that an ACK repeats, or `nil` if the broker did not send it.
    func acknowledgementID(_ index: Int) -> UnsafeRawBufferPointer? {
        let frame = self.frame(index)
        let repeatsAck = self.owner.repeatsAck
        let noted = repeatsAck ? frame.ack : frame.messageID
        guard noted.isNoted else { return self.headerBlock(index).rawValue(of: repeatsAck ? .ack : .messageID) }
        return self.rawValue(of: frame, at: noted)
    }

    /// A copy of one message, in memory of its own.
    func detached(_ index: Int) -> MessageBatch {
        let copy = MessageBatch([self.frame(index)], in: self.chunk, owner: self.owner)
        if copy.chunk === self.chunk {
            copy.chunk = ByteChunk(capacity: self.frame(index).byteCount)
            copy.moveFrames(from: self.chunk)
        }
        copy.firstNumber = self.firstNumber + UInt64(index)
        copy.isCopy = true
        return copy
    }
}
