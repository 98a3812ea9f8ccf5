// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Numbers the messages of one run in a header, and finds each of them once.
struct Marks: Sendable {
    static let header: STOMPHeaders.Name = "bench-id"

    /// Tells this run's messages from those that an earlier one has left in a queue.
    let run: String
    private var isSeen: [Bool]
    private(set) var count = 0
    private(set) var repeated = 0
    private(set) var strange = 0

    init(run: String, count: Int) {
        self.run = run
        self.isSeen = Array(repeating: false, count: count)
    }

    static func newRun() -> String {
        String(UInt64.random(in: UInt64.min...UInt64.max), radix: 36)
    }

    func value(_ number: Int) -> String {
        "\(self.run)-\(number)"
    }

    mutating func check(_ message: STOMPMessage) {
        message.withRawHeader(Self.header) { self.check($0) }
    }

    mutating func check(_ value: UnsafeRawBufferPointer?) {
        guard
            let value, value.count > self.run.utf8.count + 1, value.starts(with: self.run.utf8),
            value[self.run.utf8.count] == UInt8(ascii: "-")
        else {
            self.strange += 1
            return
        }
        let digits = value[(self.run.utf8.count + 1)...]
        let number = digits.reduce(0) { $0 &* 10 &+ Int($1) &- 48 }
        if !self.isSeen.indices.contains(number) {
            self.strange += 1
        } else if self.isSeen[number] {
            self.repeated += 1
        } else {
            self.isSeen[number] = true
            self.count += 1
        }
    }

    var isComplete: Bool {
        self.count == self.isSeen.count
    }

    /// What was not as it should be, though nothing is missing.
    var note: String? {
        guard self.repeated + self.strange > 0 else { return nil }
        return "\(self.repeated) messages came twice, \(self.strange) were not of this run"
    }
}
