// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CScan

/// Where the command, the names, the colons and the line ends of a frame lie: the next frame is mostly laid out alike.
///
/// Whatever was checked of that frame holds for each one that has the same bytes in these places, and neither a line
/// feed nor a NUL between them. One look at each byte finds that out, a third of the time that the lines take.
struct HeaderLayout: ~Copyable {
    /// Longer headers are not worth remembering.
    static let limit = Int(STOMP_LAYOUT_LIMIT)
    /// So many frames of one length make a layout: with several subscriptions, lengths may alternate.
    private static let runLength = 4

    /// The bytes up to the body; 0: there is no layout.
    private(set) var byteCount = 0
    /// What was noted of that frame.
    private(set) var frame = FrameReference()
    private(set) var contentLength = Number()
    private(set) var subscription = Number()

    private var memory: UnsafeMutablePointer<UInt8>?
    private var lastByteCount = 0
    private var run = 0

    deinit {
        self.memory?.deallocate()
    }

    /// The frame at the start of `range`, if it is complete and has this layout, and nothing is wrong with its body.
    @inline(__always)
    mutating func frame(in bytes: UnsafeRawPointer, _ range: Range<Int>, bodyLimit: Int) -> FrameReference? {
        let base = bytes + range.lowerBound
        let room = range.upperBound &- range.lowerBound &- self.byteCount
        guard room > 0, self.matches(base) else { return nil }
        let length: Int
        let body = base + self.byteCount
        if self.contentLength.digits.isEmpty {
            guard let end = stomp_find(body, 0, room) else { return nil }
            length = UnsafeRawPointer(end) - body
        } else {
            guard let number = self.contentLength.value(in: base) else { return nil }
            length = Int(number)
            guard length < room, body.load(fromByteOffset: length, as: UInt8.self) == 0 else { return nil }
        }
        guard length <= bodyLimit else { return nil }
        var frame = self.frame
        if !self.subscription.digits.isEmpty { frame.subscriptionNumber = self.subscription.value(in: base) ?? 0 }
        frame.start = UInt32(truncatingIfNeeded: range.lowerBound)
        frame.bodyStart = UInt32(truncatingIfNeeded: range.lowerBound &+ self.byteCount)
        frame.bodyByteCount = UInt32(truncatingIfNeeded: length)
        return frame
    }

    /// Whether the bytes at `base`, of which at least ``byteCount`` are there, have this layout.
    @inline(__always)
    mutating func matches(_ base: UnsafeRawPointer) -> Bool {
        guard let memory = self.memory else { return false }
        return stomp_has_layout(base, memory, self.byteCount)
    }

    /// Forgets what was learnt under other rules.
    mutating func forget() {
        self.byteCount = 0
        self.lastByteCount = 0
    }

    /// Takes note of a frame whose headers were found good; learns its layout if others were as long.
    ///
    /// The digits of its `content-length` begin at `contentLength`; 0: it has none.
    @inline(__always)
    mutating func note(_ base: UnsafeRawPointer, byteCount: Int, frame: FrameReference, contentLength: Int) {
        guard byteCount <= Self.limit, byteCount == self.lastByteCount else {
            self.lastByteCount = byteCount
            self.run = 1
            return
        }
        self.run += 1
        guard self.run == Self.runLength else { return }
        self.run = 0
        self.learn(base, byteCount, frame, contentLength)
    }

    @inline(never)
    private mutating func learn(
        _ base: UnsafeRawPointer,
        _ byteCount: Int,
        _ frame: FrameReference,
        _ contentLength: Int
    ) {
        let memory = self.memory ?? .allocate(capacity: 3 * Self.limit)
        self.memory = memory
        memory.initialize(repeating: 0, count: 3 * Self.limit)
        // The command line is fixed as a whole; so is a CR that makes the last line blank.
        var isFixed = true
        var isCommand = true
        for offset in 0..<byteCount {
            let byte = base.load(fromByteOffset: offset, as: UInt8.self)
            memory[offset] = byte
            if byte == UInt8(ascii: "\n") { isFixed = true }
            memory[(isFixed ? 1 : 2) * Self.limit + offset] = 0xff
            if byte == UInt8(ascii: ":"), !isCommand { isFixed = false }
            if byte == UInt8(ascii: "\n") { isCommand = false }
        }
        self.byteCount = byteCount
        self.frame = frame
        self.contentLength = Number(from: contentLength, in: memory)
        self.subscription = Number(from: Int(frame.subscription.offset), in: memory)
    }

    /// A number in the headers; mostly it is the same again.
    struct Number {
        /// Where the value lies; empty: there is none.
        private(set) var digits = 0..<0
        /// Its bytes, if eight can hold them, and which of the eight are its.
        private var word: UInt64 = 0
        private var mask: UInt64 = 0
        private var last: UInt32?

        init() {}

        /// The value at `start`, which a line feed ends; 0: there is none.
        init(from start: Int, in memory: UnsafeMutablePointer<UInt8>) {
            guard start > 0 else { return }
            var end = start
            while memory[end] != UInt8(ascii: "\n") { end += 1 }
            self.digits = start..<end
            let base = UnsafeRawPointer(memory)
            guard end - start <= 8 else { return }
            // The first 64 bits that follow `start`, of which as many as it has bytes.
            self.mask = UInt64(littleEndian: UInt64.max >> UInt64(64 - 8 * (end - start)))
            self.word = (base + start).loadUnaligned(as: UInt64.self) & self.mask
            self.last = base.number(from: start, to: end)
        }

        /// What the bytes of a frame with this layout say, if that is a number; up to eight bytes past it are read.
        @inline(__always)
        func value(in base: UnsafeRawPointer) -> UInt32? {
            let word = (base + self.digits.lowerBound).loadUnaligned(as: UInt64.self) & self.mask
            if self.mask != 0, word == self.word { return self.last }
            return base.number(from: self.digits.lowerBound, to: self.digits.upperBound)
        }
    }
}
