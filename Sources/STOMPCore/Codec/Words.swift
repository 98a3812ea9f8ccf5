// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// The beginnings of names and commands, as a load of eight bytes sees them.
///
/// Computed from literals, so that the compiler folds them; a stored global would be behind a once-check.
enum Words {
    static var content: UInt64 { UInt64(littleEndian: 0x2d74_6e65_746e_6f63) }  // "content-"
    static var length: UInt64 { UInt64(littleEndian: 0x003a_6874_676e_656c) }  // "length:"
    static var subscrip: UInt64 { UInt64(littleEndian: 0x7069_7263_7362_7573) }  // "subscrip"
    static var tion: UInt64 { UInt64(littleEndian: 0x0000_003a_6e6f_6974) }  // "tion:"
    static var message: UInt64 { UInt64(littleEndian: 0x2d65_6761_7373_656d) }  // "message-"
    static var id: UInt64 { UInt64(littleEndian: 0x0000_0000_003a_6469) }  // "id:"
    static var receipt: UInt64 { UInt64(littleEndian: 0x2d74_7069_6563_6572) }  // "receipt-"
    static var ack: UInt32 { UInt32(littleEndian: 0x3a6b_6361) }  // "ack:"
    static var messageCommand: UInt64 { UInt64(littleEndian: 0x0045_4741_5353_454d) }  // "MESSAGE"
    static var receiptCommand: UInt64 { UInt64(littleEndian: 0x0054_5049_4543_4552) }  // "RECEIPT"
    static var errorCommand: UInt64 { UInt64(littleEndian: 0x0000_0052_4f52_5245) }  // "ERROR"
    static var connecte: UInt64 { UInt64(littleEndian: 0x4554_4345_4e4e_4f43) }  // "CONNECTE"
    static var three: UInt64 { UInt64(littleEndian: 0x0000_0000_00ff_ffff) }
    static var five: UInt64 { UInt64(littleEndian: 0x0000_00ff_ffff_ffff) }
    static var seven: UInt64 { UInt64(littleEndian: 0x00ff_ffff_ffff_ffff) }
}

extension FrameReference.Kind {
    /// What a command line says, after which eight bytes more can be read.
    @inline(__always)
    init(command base: UnsafeRawPointer, byteCount: Int) {
        let word = base.loadUnaligned(as: UInt64.self)
        switch byteCount {
        case 7 where word & Words.seven == Words.messageCommand: self = .message
        case 7 where word & Words.seven == Words.receiptCommand: self = .receipt
        case 5 where word & Words.five == Words.errorCommand: self = .error
        case 9 where word == Words.connecte && base.load(fromByteOffset: 8, as: UInt8.self) == UInt8(ascii: "D"):
            self = .connected
        default: self = .other
        }
    }
}

extension UnsafeRawPointer {
    /// The number that these bytes say, up to nine digits and without a leading zero.
    @inline(__always)
    func number(from start: Int, to end: Int) -> UInt32? {
        let count = end &- start
        guard count > 0, count < 10, count == 1 || self.load(fromByteOffset: start, as: UInt8.self) != 48 else {
            return nil
        }
        var number: UInt32 = 0
        for offset in start..<end {
            let digit = UInt32(self.load(fromByteOffset: offset, as: UInt8.self) &- 48)
            guard digit < 10 else { return nil }
            number = number &* 10 &+ digit
        }
        return number
    }
}
