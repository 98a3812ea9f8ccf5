// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@Suite("The ledger of deliveries and their answers")
struct AcknowledgementLedgerTests {
    private func ledger(_ mode: STOMPAckMode, delivered count: Int) -> AcknowledgementLedger {
        var ledger = AcknowledgementLedger(mode: mode)
        _ = ledger.delivered(count)
        return ledger
    }

    private func unsettled(_ ledger: AcknowledgementLedger, of count: UInt64) -> [UInt64] {
        (0..<count).filter { ledger.isUnsettled($0) }
    }

    @Test("S12-SUB-4 the modes as SUBSCRIBE names them")
    func modes() {
        #expect(STOMPAckMode.allCases.map(\.rawValue) == ["auto", "client", "client-individual"])
    }

    @Test("S12-SUB-5 S12-ACK-7 with auto nothing is to be answered")
    func auto() {
        var ledger = self.ledger(.auto, delivered: 3)
        #expect(ledger.unsettled.isEmpty)
        #expect(failure { () throws(STOMPError) in try ledger.settle(1) } == .notAcknowledgeable)
        #expect(failure { () throws(STOMPError) in try ledger.settleThrough(1) } == .notAcknowledgeable)
    }

    @Test("Deliveries are numbered on and on")
    func numbers() {
        for mode in STOMPAckMode.allCases {
            var ledger = AcknowledgementLedger(mode: mode)
            #expect(ledger.delivered(3) == 0)
            #expect(ledger.delivered(0) == 3)
            #expect(ledger.delivered(1) == 3)
            #expect(ledger.delivered(2) == 4)
            #expect(ledger.unsettled == (mode == .auto ? [] : [0..<6]))
        }
    }

    @Test("S12-SUB-7 in client-individual an answer is for one delivery")
    func individual() throws {
        var ledger = self.ledger(.clientIndividual, delivered: 6)
        for number in [2, 5, 0, 3] as [UInt64] {
            try ledger.settle(number)
            #expect(!ledger.isUnsettled(number))
        }
        #expect(self.unsettled(ledger, of: 6) == [1, 4])
        #expect(ledger.unsettled == [1..<2, 4..<5])
    }

    @Test("S12-SUB-6 S12-ACK-6 in client an answer is for all deliveries up to this one")
    func cumulative() throws {
        var ledger = self.ledger(.client, delivered: 6)
        #expect(try ledger.settleThrough(2) == [0..<3])
        #expect(self.unsettled(ledger, of: 6) == [3, 4, 5])
        for number in 0...2 as ClosedRange<UInt64> {
            #expect(failure { () throws(STOMPError) in try ledger.settleThrough(number) } == .alreadyAcknowledged)
        }
        #expect(try ledger.settleThrough(5) == [3..<6])
        #expect(ledger.unsettled.isEmpty)
    }

    @Test("A cumulative answer leaves alone what was answered before")
    func cumulativeOverGaps() throws {
        var ledger = self.ledger(.client, delivered: 8)
        try ledger.settle(1)
        try ledger.settle(4)
        #expect(try ledger.settleThrough(5) == [0..<1, 2..<4, 5..<6])
        #expect(ledger.unsettled == [6..<8])
    }

    @Test("A delivery is answered once, and never one that was not delivered")
    func onlyOnce() throws {
        var ledger = self.ledger(.clientIndividual, delivered: 3)
        try ledger.settle(1)
        #expect(failure { () throws(STOMPError) in try ledger.settle(1) } == .alreadyAcknowledged)
        #expect(failure { () throws(STOMPError) in try ledger.settle(3) } == .alreadyAcknowledged)
        #expect(ledger.unsettled == [0..<1, 2..<3])
    }

    @Test("S12-TRX-4 what an aborted transaction had answered can be answered again")
    func restoring() throws {
        var ledger = self.ledger(.client, delivered: 10)
        try ledger.settle(7)
        let settled = try ledger.settleThrough(4)
        for numbers in settled { ledger.restore(numbers) }
        #expect(ledger.unsettled == [0..<7, 8..<10])
        ledger.restore(7..<8)
        #expect(ledger.unsettled == [0..<10])
        try ledger.settle(4)
        #expect(ledger.unsettled == [0..<4, 5..<10])
    }

    @Test("Any order of answers gives what a set gives", arguments: 1...20)
    func againstASet(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var ledger = AcknowledgementLedger(mode: .client)
        var open: Set<UInt64> = []
        var next: UInt64 = 0
        for _ in 0..<300 {
            let number = UInt64.random(in: 0...next, using: &random)
            switch Int.random(in: 0...4, using: &random) {
            case 0:
                let count = Int.random(in: 0...4, using: &random)
                #expect(ledger.delivered(count) == next)
                open.formUnion(next..<next + UInt64(count))
                next += UInt64(count)
            case 1:
                let code = failure { () throws(STOMPError) in try ledger.settleThrough(number) }
                #expect(code == (open.contains(number) ? nil : .alreadyAcknowledged), "seed \(seed)")
                if code == nil { open = open.filter { $0 > number } }
            case 2 where number < next:
                let end = UInt64.random(in: number + 1...next, using: &random)
                guard open.isDisjoint(with: number..<end) else { continue }
                ledger.restore(number..<end)
                open.formUnion(number..<end)
            default:
                let code = failure { () throws(STOMPError) in try ledger.settle(number) }
                #expect(code == (open.remove(number) == nil ? .alreadyAcknowledged : nil), "seed \(seed)")
            }
            #expect(ledger.unsettled.flatMap { Array($0) } == open.sorted(), "seed \(seed)")
            let touches = zip(ledger.unsettled, ledger.unsettled.dropFirst()).contains {
                $0.upperBound >= $1.lowerBound
            }
            #expect(!touches && !ledger.unsettled.contains(where: \.isEmpty), "seed \(seed)")
        }
    }
}
