// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Sorts the frames of what was read: messages by subscription, receipts by id, the rest to be looked at.
///
/// A value of its own, so that the loop over the frames of a chunk touches no property of the actor: each such access
/// is checked for exclusivity, which cost more than the parsing.
struct Demultiplexer: ~Copyable {
    /// Where a chunk's frames were sorted to.
    struct Slot {
        let storage: SubscriptionStorage?
        let owner: DeliveryOwner?
        var pending = FrameList()
    }

    /// What sorting has come upon.
    enum Step {
        /// More bytes are needed.
        case drained
        /// A message for no subscription of ours.
        case unrouted(FrameReference)
        /// A frame that is neither a message nor a receipt of a form that can be ours.
        case frame(STOMPFrame)
    }

    var parser: FrameParser
    /// Ids of receipts that have come since they were last taken.
    private(set) var confirmed: [UInt64] = []
    private let rules: HeaderRules
    private let checksHeaders: Bool
    private var table = SubscriptionTable<Int>()
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var touched: [Int] = []
    private var batches: [(SubscriptionStorage, MessageBatch)] = []
    /// The last that was found: messages come in runs.
    ///
    /// Zero is no number.
    private var recentNumber: UInt32 = 0
    private var recentIndex = 0
    /// Subscriptions with a hard limit that two larger chunks, which one turn may fill, could exceed.
    private var smallLimitCount = 0 {
        didSet { self.parser.takesLargerChunks = self.smallLimitCount == 0 }
    }
    private static let smallLimit = 4 * 1024 * 1024

    init(parser: consuming FrameParser, rules: HeaderRules) {
        self.parser = parser
        self.rules = rules
        self.checksHeaders = !rules.leniency.contains(.missingMessageHeader)
    }

    /// Whether something waits to be handed over.
    var hasNews: Bool {
        !self.batches.isEmpty || !self.confirmed.isEmpty
    }

    deinit {
        self.discardAll()
    }

    private borrowing func discardAll() {
        for slot in self.slots {
            var pending = slot.pending
            pending.discard()
        }
    }

    // MARK: - Subscriptions

    var storages: [SubscriptionStorage] {
        self.slots.compactMap(\.storage)
    }

    mutating func makeID() -> String {
        self.table.makeID()
    }

    func storage(id: String) -> SubscriptionStorage? {
        self.table.entry(id: id).flatMap { self.slots[$0].storage }
    }

    /// - Throws: ``STOMPError/Code/invalidArgument`` if the id is in use.
    mutating func insert(_ storage: SubscriptionStorage, _ owner: DeliveryOwner) throws(STOMPError) {
        let index = self.free.last ?? self.slots.count
        try self.table.insert(index, id: storage.id, destination: storage.destination.rawValue)
        if self.free.popLast() == nil {
            self.slots.append(Slot(storage: storage, owner: owner))
        } else {
            self.slots[index] = Slot(storage: storage, owner: owner)
        }
        if storage.options.hardLimit < Self.smallLimit { self.smallLimitCount += 1 }
    }

    /// Forgets a subscription, unless its id is another one's by now.
    mutating func remove(_ storage: SubscriptionStorage) {
        if self.storage(id: storage.id) === storage { self.remove(id: storage.id) }
    }

    mutating func remove(id: String) {
        guard let index = self.table.remove(id: id) else { return }
        self.recentNumber = 0
        self.slots[index].pending.discard()
        if let limit = self.slots[index].storage?.options.hardLimit, limit < Self.smallLimit {
            self.smallLimitCount -= 1
        }
        self.slots[index] = Slot(storage: nil, owner: nil)
        self.touched.removeAll { $0 == index }
        self.free.append(index)
    }

    mutating func removeAll() {
        self.recentNumber = 0
        self.table = SubscriptionTable()
        self.discardAll()
        self.smallLimitCount = 0
        self.slots = []
        self.free = []
        self.touched = []
    }

    // MARK: - Sorting

    /// Goes on until something turns up that the caller must look at.
    ///
    /// - Throws: ``STOMPError/Code/protocolViolation`` or the error of a limit.
    mutating func sort() throws(STOMPError) -> Step {
        while let frame = try self.parser.next() {
            switch frame.kind {
            case .message:
                if self.checksHeaders { try self.checkHeaders(of: frame) }
                guard let index = self.slot(of: frame) else { return .unrouted(frame) }
                if self.slots[index].pending.isEmpty { self.touched.append(index) }
                self.slots[index].pending.append(frame)
            case .receipt:
                guard let id = self.receiptID(of: frame) else { return .frame(self.decoded(frame)) }
                self.confirmed.append(id)
            default:
                return .frame(self.decoded(frame))
            }
        }
        return .drained
    }

    /// Makes a batch for each subscription of what was sorted out, before the parser goes on to another chunk.
    mutating func seal() {
        // Of what several share, each gets its own: else the slowest of them keeps all of it.
        let isShared = self.touched.count > 1
        while let index = self.touched.popLast() {
            guard let storage = self.slots[index].storage, let owner = self.slots[index].owner else { continue }
            let byteCount = self.slots[index].pending.byteCount
            let frames = self.slots[index].pending.take()
            let batch = MessageBatch(frames, of: byteCount, in: self.parser.chunk, isShared: isShared, owner: owner)
            self.batches.append((storage, batch))
        }
    }

    mutating func takeBatches() -> [(SubscriptionStorage, MessageBatch)] {
        guard !self.batches.isEmpty else { return [] }
        defer { self.batches = [] }
        return self.batches
    }

    func headerBlock(of frame: FrameReference) -> HeaderBlock {
        self.parser.chunk.headerBlock(of: frame, rules: self.rules)
    }

    mutating func takeConfirmed() -> [UInt64] {
        guard !self.confirmed.isEmpty else { return [] }
        defer { self.confirmed = [] }
        return self.confirmed
    }

    private func decoded(_ frame: FrameReference) -> STOMPFrame {
        self.parser.chunk.decoded(frame, version: self.rules.version, leniency: self.rules.leniency)
    }

    @inline(__always)
    private mutating func slot(of frame: FrameReference) -> Int? {
        if frame.subscriptionNumber != 0 {
            if frame.subscriptionNumber == self.recentNumber { return self.recentIndex }
            guard let index = self.table.entry(number: UInt64(frame.subscriptionNumber)) else { return nil }
            self.recentNumber = frame.subscriptionNumber
            self.recentIndex = index
            return index
        }
        return self.slotByHeader(of: frame)
    }

    private func slotByHeader(of frame: FrameReference) -> Int? {
        if let id = self.rawValue(frame.subscription, of: frame, .subscription) {
            return self.table.entry(rawID: id, rules: self.rules)
        }
        // The Ruby stompserver names no subscription (STOMP 1.0, MESSAGE).
        return self.headerBlock(of: frame).value(of: .destination).flatMap { self.table.entry(destination: $0) }
    }

    /// The number that a RECEIPT names, without decoding the whole frame.
    private func receiptID(of frame: FrameReference) -> UInt64? {
        self.rawValue(frame.receiptID, of: frame, .receiptID).flatMap { ReceiptTable<Void>.id(from: $0) }
    }

    /// The raw value of a header, whose place may have been noted.
    private func rawValue(
        _ place: FrameReference.Place,
        of frame: FrameReference,
        _ name: STOMPHeaders.Name
    ) -> UnsafeRawBufferPointer? {
        guard place.isNoted else { return self.headerBlock(of: frame).rawValue(of: name) }
        let base = UnsafeRawPointer(self.parser.chunk.base)
        return frame.rawValue(at: place, from: base, strippingCR: self.rules.stripsCarriageReturn)
    }

    /// What the strict profile asks of every MESSAGE (STOMP 1.2, MESSAGE).
    private func checkHeaders(of frame: FrameReference) throws(STOMPError) {
        let message = self.decoded(frame)
        guard let name = FrameRequirements.missingHeader(in: message, version: self.rules.version) else { return }
        throw STOMPError(.protocolViolation, "A MESSAGE has no \(name) header.", frame: message)
    }
}
