// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What became of each number, as the producer and the consumer saw it.
struct SurvivalRecord: Sendable {
    var confirmed: Set<Int> = []
    private(set) var received: Set<Int> = []
    /// Received again, and not marked as redelivered.
    private(set) var unmarkedRepeats: Set<Int> = []
    private(set) var markedRepeatCount = 0
    /// Sends that may have been repeated: under way at some time between the broker's end and the resumption.
    private(set) var mayBeResent: Set<Int> = []
    /// Received before the resumption: their acks may be lost.
    private(set) var receivedBefore: Set<Int> = []
    private var underWay: Set<Int> = []
    private var isInterrupted = false
    private(set) var resumptionCount = 0

    mutating func noteSending(_ number: Int) {
        self.underWay.insert(number)
        if self.isInterrupted { self.mayBeResent.insert(number) }
    }

    mutating func noteConfirmed(_ number: Int) {
        self.underWay.remove(number)
        self.confirmed.insert(number)
    }

    mutating func noteReceived(_ number: Int, isMarked: Bool) {
        if self.received.insert(number).inserted { return }
        if isMarked {
            self.markedRepeatCount += 1
        } else {
            self.unmarkedRepeats.insert(number)
        }
    }

    /// The broker is about to end.
    mutating func noteInterruption() {
        self.isInterrupted = true
        self.mayBeResent.formUnion(self.underWay)
    }

    mutating func noteResumption() {
        guard self.isInterrupted else { return }
        self.isInterrupted = false
        self.resumptionCount += 1
        self.receivedBefore.formUnion(self.received)
    }

    var missing: [Int] {
        self.confirmed.subtracting(self.received).sorted()
    }
}
