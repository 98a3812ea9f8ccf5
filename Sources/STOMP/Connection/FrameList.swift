// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The frames of one read that go to one subscription, in memory that a batch then takes over.
///
/// No array, whose checks for a sole owner at each message, and the copy for the batch, took as long as finding the
/// frame. Whoever has the list frees it, by ``discard()`` or by handing it over.
struct FrameList {
    private var base: UnsafeMutablePointer<FrameReference>?
    private(set) var count = 0
    private var capacity = 0
    /// The bytes of the frames.
    private(set) var byteCount = 0
    /// How many there were the last time: probably as many come again.
    private var lastCount = 0

    init() {}

    var isEmpty: Bool { self.count == 0 }

    @inline(__always)
    mutating func append(_ frame: FrameReference) {
        if self.count == self.capacity { self.grow() }
        guard let base = self.base else { return }
        (base + self.count).initialize(to: frame)
        self.count &+= 1
        self.byteCount &+= frame.byteCount
    }

    @inline(never)
    private mutating func grow() {
        let capacity = self.capacity == 0 ? self.lastCount + self.lastCount / 16 + 1 : self.capacity * 2
        let larger = UnsafeMutablePointer<FrameReference>.allocate(capacity: capacity)
        if let base = self.base {
            larger.moveInitialize(from: base, count: self.count)
            base.deallocate()
        }
        self.base = larger
        self.capacity = capacity
    }

    /// Hands the frames over, with little room to spare; the list is empty then.
    mutating func take() -> UnsafeMutableBufferPointer<FrameReference> {
        var frames = UnsafeMutableBufferPointer(start: self.base, count: self.count)
        if self.capacity - self.count > self.count / 8 + 1 {
            frames = .allocate(capacity: self.count)
            if let base = self.base { _ = frames.moveInitialize(fromContentsOf: .init(start: base, count: self.count)) }
            self.base?.deallocate()
        }
        self.lastCount = self.count
        (self.base, self.count, self.capacity, self.byteCount) = (nil, 0, 0, 0)
        return frames
    }

    mutating func discard() {
        self.base?.deallocate()
        (self.base, self.count, self.capacity, self.byteCount) = (nil, 0, 0, 0)
    }
}
