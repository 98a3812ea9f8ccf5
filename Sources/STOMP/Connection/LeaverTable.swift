// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Subscriptions that have ended, while messages for them may still be under way which the broker would keep for this
/// connection (see ``STOMPDialect/GivingBack/byTransaction``).
struct LeaverTable: Sendable {
    struct Leaver: Sendable {
        let destination: STOMPDestination
        /// What SUBSCRIBE and UNSUBSCRIBE said beyond what the client says.
        let subscribeHeaders: STOMPHeaders
        let unsubscribeHeaders: STOMPHeaders
        /// What a NACK names for each message that came too late to be given back.
        var late: [String] = []
        /// How often it was asked whether something had come too late.
        var rounds = 0
        /// Ids of those who wait, in the table of receipts; they are never written.
        var waiters: [UInt64] = []
    }

    /// What became of a leaver.
    enum Departure {
        /// Something came too late, and has to be given back.
        case stays
        /// Nothing of it is with the connection; these wait for that.
        case left([UInt64])
        /// What came too late stays with the connection, since the broker takes nothing back; these wait.
        case givenUp([UInt64])
    }

    /// Each round leaves little behind; so many that leave something are a broker at fault.
    private static let maximumRounds = 20

    private var leavers: [String: Leaver] = [:]

    var ids: [String] {
        self.leavers.keys.sorted()
    }

    subscript(id: String) -> Leaver? {
        self.leavers[id]
    }

    /// UNSUBSCRIBE is being written, and with it go back those that came too late the last time.
    mutating func enter(_ id: String, _ leaver: Leaver) {
        var leaver = leaver
        if let former = self.leavers[id] {
            leaver.rounds = former.rounds
            leaver.waiters = former.waiters
        }
        self.leavers[id] = leaver
    }

    mutating func noteLate(_ acknowledgementIDs: [String], of id: String) {
        self.leavers[id]?.late += acknowledgementIDs
    }

    mutating func addWaiter(_ waiter: UInt64, to id: String) {
        self.leavers[id]?.waiters.append(waiter)
    }

    /// Forgets the leaver, unless there is something to give back.
    mutating func leave(_ id: String) -> Departure {
        guard var leaver = self.leavers.removeValue(forKey: id) else { return .left([]) }
        if leaver.late.isEmpty { return .left(leaver.waiters) }
        leaver.rounds += 1
        if leaver.rounds == Self.maximumRounds { return .givenUp(leaver.waiters) }
        self.leavers[id] = leaver
        return .stays
    }

    /// Forgets all.
    ///
    /// - Returns: who waits.
    mutating func removeAll() -> [UInt64] {
        defer { self.leavers = [:] }
        return self.leavers.values.flatMap(\.waiters)
    }
}
