// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

/// Which batches are kept for their unanswered messages: an original counts them itself, a copy does not.
@Suite("Answers by originals and by copies")
struct DeliveryTableTests {
    private let outbox = Outbox(
        transport: InMemoryPipe.makePair().0,
        time: TimeSource(ManualClock()),
        limit: 1_000
    )

    private func batch(_ count: Int, owner: DeliveryOwner) throws -> MessageBatch {
        var parser = FrameParser(version: .v12)
        let bytes = Array((0..<count).map { ConnectedPair.message("body", number: $0) }.joined().utf8)
        let space = parser.freeSpace()
        bytes.withUnsafeBytes { space.copyMemory(from: $0) }
        parser.received(bytes.count)
        var frames: ContiguousArray<FrameReference> = []
        while let frame = try parser.next() { frames.append(frame) }
        return MessageBatch(frames, in: parser.chunk, owner: owner)
    }

    /// What the table must say, written plainly.
    private struct Model {
        var batches: [MessageBatch] = []
        var unanswered: Set<UInt64> = []

        func unansweredCount(_ batch: MessageBatch) -> Int {
            batch.numbers.filter { self.unanswered.contains($0) }.count
        }
    }

    private func check(_ table: inout DeliveryTable, _ owner: DeliveryOwner, _ model: Model, _ note: Comment) throws {
        let record = try table.update(owner) { record in record }
        let kept = model.batches.filter { model.unansweredCount($0) > 0 }
        #expect(record.outstanding.elementsEqual(kept) { $0 === $1 }, note)
        for batch in kept { #expect(batch.unsettledCount == model.unansweredCount(batch), note) }
        for number in model.batches.flatMap(\.numbers) {
            #expect(record.ledger.isUnsettled(number) == model.unanswered.contains(number), note)
        }
    }

    @Test("Originals, copies and copies of copies, in any order, also answered twice and given back", arguments: 1...20)
    func interleaved(seed: UInt64) throws {
        var random = SeededChance(seed: seed)
        var table = DeliveryTable()
        let owner = table.open(subscriptionID: "s", mode: .clientIndividual, session: .test(), outbox: self.outbox)
        var model = Model()
        var aborted: [TransactionRecord.Settled] = []
        for step in 0..<250 {
            let note = Comment(rawValue: "seed \(seed), step \(step)")
            if model.batches.isEmpty || Int.random(in: 0..<8, using: &random) == 0 {
                let batch = try self.batch(Int.random(in: 1...6, using: &random), owner: owner)
                try table.update(owner) { $0.deliver(batch) }
                model.batches.append(batch)
                model.unanswered.formUnion(batch.numbers)
            }
            let original = model.batches.randomElement(using: &random)!
            let index = Int.random(in: 0..<original.count, using: &random)
            let number = original.firstNumber + UInt64(index)
            let answered = [original, original.detached(index), original.detached(index).detached(0)]
                .randomElement(using: &random)!
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where model.unanswered.contains(number):
                // In a transaction, which is aborted later.
                let settled = try table.update(owner) { record throws(STOMPError) in
                    try record.ledger.settle(number)
                    let batches = record.outstanding.filter { $0.numbers.contains(number) }
                    record.releaseSettled(number..<number + 1)
                    return TransactionRecord.Settled(owner: owner, numbers: [number..<number + 1], batches: batches)
                }
                model.unanswered.remove(number)
                aborted.append(settled)
            case 1 where !aborted.isEmpty:
                let settled = aborted.removeFirst()
                try table.update(owner) { $0.restore(settled) }
                model.unanswered.formUnion(settled.numbers.joined())
            default:
                if model.unanswered.remove(number) != nil {
                    try table.settle(number, in: answered)
                } else {
                    let error = #expect(throws: STOMPError.self) { try table.settle(number, in: answered) }
                    #expect(error?.code == .alreadyAcknowledged, note)
                }
            }
            try self.check(&table, owner, model, note)
        }
    }

    @Test("A copy outlives its original's batch, and answers it")
    func copyOutlives() throws {
        var table = DeliveryTable()
        let owner = table.open(subscriptionID: "s", mode: .clientIndividual, session: .test(), outbox: self.outbox)
        weak var original: MessageBatch?
        let copies = try {
            let batch = try self.batch(3, owner: owner)
            try table.update(owner) { $0.deliver(batch) }
            original = batch
            return (0..<3).map { batch.detached($0) }
        }()
        #expect(original != nil)
        for (index, copy) in copies.enumerated().reversed() {
            #expect(copy.isCopy && copy.numbers == UInt64(index)..<UInt64(index) + 1)
            try table.settle(copy.firstNumber, in: copy)
            #expect((original == nil) == (index == 0))
        }
        let left = try table.update(owner) { $0.outstanding.count }
        #expect(left == 0)
    }

    @Test("What is answered after the subscription has ended changes nothing")
    func closed() throws {
        var table = DeliveryTable()
        let owner = table.open(subscriptionID: "s", mode: .clientIndividual, session: .test(), outbox: self.outbox)
        let batch = try self.batch(3, owner: owner)
        try table.update(owner) { $0.deliver(batch) }
        table.close(owner)
        // Its place is taken.
        let next = table.open(subscriptionID: "t", mode: .clientIndividual, session: .test(), outbox: self.outbox)
        let other = try self.batch(2, owner: next)
        try table.update(next) { $0.deliver(other) }
        for answered in [batch, batch.detached(0)] {
            let error = #expect(throws: STOMPError.self) { try table.settle(0, in: answered) }
            #expect(error?.code == .notAcknowledgeable)
        }
        #expect(other.unsettledCount == 2 && batch.unsettledCount == 3)
    }
}
