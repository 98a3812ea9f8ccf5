// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension FaultPlan.Script {
    /// Faults end within the first bytes of a session as often as within the last of these.
    private static let byteLimit = 16 * 1024
    /// Beyond these many, receipts are left alone.
    private static let receiptLimit = 64

    /// Each number is drawn whether or not it is used, so that leaving out a kind changes nothing else.
    init(drawnFrom random: inout SplitMix64, kinds: Set<FaultPlan.Kind>) {
        let opening = random.number(in: 0...99)
        if opening < 10, kinds.contains(.refusal) { self.opening = .refused }
        if 10..<15 ~= opening, kinds.contains(.silence) { self.opening = .silent }

        let fate = random.number(in: 0...99)
        let bytes = random.magnitude(below: Self.byteLimit)
        if fate < 25, kinds.contains(.cut) { self.toServer.cutAfter = bytes }
        if 25..<50 ~= fate, kinds.contains(.cut) { self.toClient.cutAfter = bytes }
        if 50..<60 ~= fate, kinds.contains(.stall) { self.toServer.stallAfter = bytes }
        if 55..<65 ~= fate, kinds.contains(.stall) { self.toClient.stallAfter = bytes }

        self.toServer.slowDown(drawnFrom: &random, kinds: kinds)
        self.toClient.slowDown(drawnFrom: &random, kinds: kinds)
        self.frames = FaultPlan.Frames(drawnFrom: &random, kinds: kinds, limit: Self.receiptLimit)
    }
}

extension FaultPlan.Direction {
    mutating func slowDown(drawnFrom random: inout SplitMix64, kinds: Set<FaultPlan.Kind>) {
        let chances = (0..<4).map { _ in random.number(in: 0...99) }
        let delay = random.milliseconds(in: 1...2_000)
        let piece = 1 + random.magnitude(below: 512)
        let rate = random.number(in: 500...20_000)
        let pauseAfter = random.magnitude(below: 4_096)
        let pause = random.milliseconds(in: 1_000...45_000)
        if chances[0] < 20, kinds.contains(.delay) { self.delay = delay }
        if chances[1] < 30, kinds.contains(.split) { self.pieceLimit = piece }
        if chances[2] < 10, kinds.contains(.throttle) { self.bytesPerSecond = rate }
        if chances[3] < 10, kinds.contains(.slowReader) {
            self.pauseAfter = pauseAfter
            self.pause = pause
        }
    }
}

extension FaultPlan.Frames {
    init(drawnFrom random: inout SplitMix64, kinds: Set<FaultPlan.Kind>, limit: Int) {
        let chances = (0..<4).map { _ in random.number(in: 0...99) }
        let error = random.magnitude(below: limit)
        var sets: [Set<Int>] = []
        for _ in 0..<3 {
            let count = random.number(in: 1...4)
            sets.append(Set((0..<count).map { _ in random.magnitude(below: limit) }))
        }
        if chances[0] < 15, kinds.contains(.missingReceipt) { self.missingReceipts = sets[0] }
        if chances[1] < 15, kinds.contains(.duplicateReceipt) { self.duplicateReceipts = sets[1] }
        if chances[2] < 15, kinds.contains(.refusedReceipt) { self.refusedReceipts = sets[2] }
        if chances[3] < 10, kinds.contains(.strayError) { self.errorBefore = error }
    }
}
