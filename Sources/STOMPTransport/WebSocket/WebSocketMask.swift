// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The four bytes that what a client sends is combined with (RFC 6455, section 5.3).
struct WebSocketMask: Sendable, Equatable {
    /// In the order of the wire, the first byte lowest.
    let key: UInt32

    init(key: UInt32) {
        self.key = key
    }

    /// Nil unless there are four bytes.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 4 else { return nil }
        self.key = bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    var bytes: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: self.key >> (8 * UInt32($0))) }
    }

    /// Masks, or unmasks, in place; eight bytes at a time, which the compiler makes more of.
    ///
    /// - Parameters:
    ///   - bytes: a part of a frame's payload.
    ///   - offset: how many bytes of the payload were before.
    func apply(to bytes: UnsafeMutableRawBufferPointer, offset: Int) {
        guard let base = bytes.baseAddress else { return }
        let turn = UInt32(offset & 3) * 8
        let turned = turn == 0 ? self.key : self.key >> turn | self.key << (32 - turn)
        let word = (UInt64(turned) | UInt64(turned) << 32).littleEndian
        let end = bytes.count
        var index = 0
        while index &+ 8 <= end {
            let value = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            base.storeBytes(of: value ^ word, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < end {
            let value = base.load(fromByteOffset: index, as: UInt8.self)
            let mask = UInt8(truncatingIfNeeded: turned >> (8 * UInt32(index & 3)))
            base.storeBytes(of: value ^ mask, toByteOffset: index, as: UInt8.self)
            index &+= 1
        }
    }
}

/// Where masks come from: unpredictable, and a new one for each frame.
struct WebSocketMaskSource {
    private var random: any RandomNumberGenerator & Sendable
    /// One call to the system makes two.
    private var spare: UInt32?

    init(_ random: any RandomNumberGenerator & Sendable) {
        self.random = random
    }

    mutating func next() -> WebSocketMask {
        if let spare = self.spare {
            self.spare = nil
            return WebSocketMask(key: spare)
        }
        let both = self.random.next()
        self.spare = UInt32(truncatingIfNeeded: both >> 32)
        return WebSocketMask(key: UInt32(truncatingIfNeeded: both))
    }
}
