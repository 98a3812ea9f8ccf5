// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CScan

/// Bytes to be written, in memory that grows and is given back.
///
/// `@unchecked Sendable`: the memory has this one owner, which cannot be copied: who sends it on has it no more.
@frozen
@usableFromInline
package struct OutputBuffer: ~Copyable, @unchecked Sendable {
    @usableFromInline
    package internal(set) var count = 0
    @usableFromInline
    var base: UnsafeMutableRawPointer?
    @usableFromInline
    var capacity = 0

    package init() {}

    deinit {
        self.base?.deallocate()
    }

    @inlinable
    @inline(__always)
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.base, count: self.count)
    }

    @inlinable
    @inline(__always)
    package var isEmpty: Bool {
        self.count == 0
    }

    /// Forgets the bytes.
    ///
    /// Keeps the memory if it is at most so much.
    package mutating func removeAll(keepingCapacityUpTo limit: Int) {
        self.count = 0
        guard self.capacity > limit else { return }
        self.base?.deallocate()
        self.base = nil
        self.capacity = 0
    }

    /// Forgets what was appended after the buffer held `count` bytes.
    package mutating func truncate(to count: Int) {
        self.count = min(self.count, count)
    }

    /// Room for this many more bytes: what the unchecked appends below need.
    @inlinable
    @inline(__always)
    package mutating func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
        if let base = self.base, self.count &+ byteCount <= self.capacity { return base }
        return self.grow(byteCount)
    }

    @inline(never)
    @usableFromInline
    mutating func grow(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let capacity = max(512, self.capacity * 2, self.count + byteCount)
        let new = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        if let base = self.base {
            new.copyMemory(from: base, byteCount: self.count)
            base.deallocate()
        }
        self.base = new
        self.capacity = capacity
        return new
    }

    @inlinable
    @inline(__always)
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        let base = self.reserve(bytes.count)
        (base + self.count).copyMemory(from: source, byteCount: bytes.count)
        self.count &+= bytes.count
    }

    @inlinable
    @inline(__always)
    package mutating func append(_ text: StaticString) {
        self.append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable
    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        let base = self.reserve(1)
        (base + self.count).storeBytes(of: byte, as: UInt8.self)
        self.count &+= 1
    }

    /// Three parts with one look for room.
    @inlinable
    @inline(__always)
    package mutating func append(
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer,
        _ third: StaticString
    ) {
        let target = self.reserve(first.count &+ second.count &+ third.utf8CodeUnitCount) + self.count
        if let base = first.baseAddress { target.copyMemory(from: base, byteCount: first.count) }
        if let base = second.baseAddress { (target + first.count).copyMemory(from: base, byteCount: second.count) }
        let end = first.count &+ second.count
        (target + end).copyMemory(from: third.utf8Start, byteCount: third.utf8CodeUnitCount)
        self.count &+= end &+ third.utf8CodeUnitCount
    }

    /// The bytes, if none of them is less than a space, a colon, a backslash or not ASCII; returns whether that is so.
    @inline(__always)
    mutating func appendIfPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let source = bytes.baseAddress else { return true }
        guard stomp_copy_plain(self.reserve(bytes.count) + self.count, source, bytes.count) else { return false }
        self.count &+= bytes.count
        return true
    }

    /// A short text, such as the name of a header.
    @inline(__always)
    mutating func appendShort(_ text: StaticString) {
        stomp_copy(self.reserve(text.utf8CodeUnitCount) + self.count, text.utf8Start, text.utf8CodeUnitCount)
        self.count &+= text.utf8CodeUnitCount
    }

    /// The number in decimal digits.
    package mutating func append(decimal number: UInt64) {
        // Written backwards, behind its place.
        let target = self.reserve(40) + self.count
        var start = 40
        var rest = number
        repeat {
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 10)
            start &-= 1
            (target + start).storeBytes(of: UInt8(truncatingIfNeeded: 48 &+ remainder), as: UInt8.self)
            rest = quotient
        } while rest > 0
        stomp_copy(target, target + start, 40 &- start)
        self.count &+= 40 &- start
    }
}
