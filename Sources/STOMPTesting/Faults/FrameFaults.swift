// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Takes the broker's bytes apart into frames, and loses, doubles and inserts some.
struct FrameFaults {
    private let faults: FaultPlan.Frames
    private var held: [UInt8] = []
    private var frameCount = 0
    private var receiptCount = 0

    init(_ faults: FaultPlan.Frames) {
        self.faults = faults
    }

    /// - Returns: what arrives instead; the rest of a frame that is not complete yet comes with a later call.
    mutating func pass(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard self.faults.hasFaults else { return Array(bytes) }
        self.held += bytes
        var passed: [UInt8] = []
        var position = 0
        while position < self.held.count {
            if self.held[position] == UInt8(ascii: "\n") {
                passed.append(self.held[position])
                position += 1
                continue
            }
            guard let end = ScriptedPeer.FrameEnd.find(in: self.held[position...]) else { break }
            self.pass(frame: self.held[position..<end], into: &passed)
            position = end
        }
        self.held.removeFirst(position)
        return passed
    }

    private mutating func pass(frame: ArraySlice<UInt8>, into passed: inout [UInt8]) {
        if self.frameCount == self.faults.errorBefore { passed += Self.error("") }
        self.frameCount += 1
        let start = Array("RECEIPT\n".utf8)
        guard frame.starts(with: start) else {
            passed += frame
            return
        }
        defer { self.receiptCount += 1 }
        if self.faults.missingReceipts.contains(self.receiptCount) { return }
        if self.faults.refusedReceipts.contains(self.receiptCount) {
            // The headers of the RECEIPT are its id.
            let headers = frame.dropFirst(start.count).prefix { $0 != 0 }
            passed += Self.error(String(decoding: headers, as: UTF8.self).filter { $0 != "\r" }.trimmingNewlines)
        }
        passed += frame
        if self.faults.duplicateReceipts.contains(self.receiptCount) { passed += frame }
    }

    private static func error(_ headers: String) -> [UInt8] {
        let line = headers.isEmpty ? "" : "\(headers)\n"
        return Array("ERROR\nmessage:a fault of the plan\n\(line)\n\0".utf8)
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        String(self.reversed().drop { $0.isNewline }.reversed())
    }
}
