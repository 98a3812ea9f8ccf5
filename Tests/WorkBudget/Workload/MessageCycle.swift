// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// MESSAGE frames as a broker writes them, prepared once and played over and over.
///
/// Their ids end in ten digits, their place in the cycle. `@unchecked Sendable`: the bytes never change, and are kept as
/// long as the process lives.
final class MessageCycle: @unchecked Sendable {
    let count: Int
    private var offsets: [Int] = [0]
    private let storage: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - count: of frames.
    ///   - subscriptions: whom they are for, in turn.
    ///   - bodyByteCount: of each.
    ///   - hasAck: whether there is an `ack` header.
    ///   - moreHeaders: so many beyond the usual ones, with values whose lengths change from one to the next.
    init(_ count: Int, subscriptions: [String], bodyByteCount: Int, hasAck: Bool = false, moreHeaders: Int = 0) {
        self.count = count
        var bytes: [UInt8] = []
        for number in 0..<count {
            let digits = String(String(10_000_000_000 + number).dropFirst())
            let subscription = subscriptions[number % subscriptions.count]
            let id = "T_\(subscription)@@session-q3Ww1d0XkTn5Jx8bVYh0Zg@@\(digits)"
            var head = "MESSAGE\nsubscription:\(subscription)\ndestination:/queue/budget\nmessage-id:\(id)\n"
            if hasAck { head += "ack:\(id)\n" }
            head += "redelivered:false\npersistent:true\npriority:4\n"
            for header in 0..<moreHeaders {
                let length = (number * 31 + header * 17) % 61
                head += "x-header-\(header):\(String(repeating: "v", count: length))\n"
            }
            head += "content-type:text/plain\ncontent-length:\(bodyByteCount)\n\n"
            bytes += head.utf8
            bytes += [UInt8](repeating: UInt8(ascii: "x"), count: bodyByteCount)
            bytes.append(0)
            self.offsets.append(bytes.count)
        }
        self.storage = .allocate(byteCount: bytes.count, alignment: 64)
        self.storage.copyBytes(from: bytes)
    }

    /// The first frames.
    func bytes(upTo count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.storage[..<self.offsets[count]])
    }

    func bytes(of number: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.storage[self.offsets[number]..<self.offsets[number + 1]])
    }
}
