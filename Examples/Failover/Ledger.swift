// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What has become of each number.
actor Ledger {
    private var sent: Set<Int> = []
    private var confirmed: Set<Int> = []
    private var received: Set<Int> = []
    private var isSendingOver = false
    private(set) var repeatCount = 0

    func noteSent(_ number: Int) {
        self.sent.insert(number)
    }

    /// - Returns: how many are confirmed now.
    func noteConfirmed(_ number: Int) -> Int {
        self.confirmed.insert(number)
        return self.confirmed.count
    }

    func noteReceived(_ number: Int) {
        if !self.received.insert(number).inserted { self.repeatCount += 1 }
    }

    func noteSendingOver() {
        self.isSendingOver = true
    }

    /// Whether nothing is missing, and nothing will be.
    var isComplete: Bool {
        self.isSendingOver && self.confirmed.isSubset(of: self.received)
    }

    var tally: Tally {
        Tally(
            sent: self.sent.count,
            confirmed: self.confirmed.count,
            received: self.received.count,
            lost: self.confirmed.subtracting(self.received).count
        )
    }
}

/// How many different numbers got how far.
struct Tally: CustomStringConvertible {
    let sent: Int
    let confirmed: Int
    let received: Int
    /// Confirmed, and never received.
    let lost: Int

    var description: String {
        "\(self.sent) sent, \(self.confirmed) confirmed, \(self.received) received, \(self.lost) lost"
    }

    func isComplete(_ count: Int) -> Bool {
        self.sent == count && self.confirmed == count && self.received == count && self.lost == 0
    }
}
