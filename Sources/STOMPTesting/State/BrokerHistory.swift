// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// What was settled where: the last so many, of all destinations together.
struct SettlementHistory {
    private let limit: Int
    private var byDestination: [BrokerDestination: FIFO<STOMPBroker.Settlement>] = [:]
    private var order = FIFO<BrokerDestination>()

    init(limit: Int) {
        self.limit = limit
    }

    mutating func append(_ settlement: STOMPBroker.Settlement, in destination: BrokerDestination) {
        self.byDestination[destination, default: FIFO()].append(settlement)
        self.order.append(destination)
        guard self.order.count > self.limit, let oldest = self.order.popFirst() else { return }
        _ = self.byDestination[oldest]?.popFirst()
        if self.byDestination[oldest]?.isEmpty == true { self.byDestination[oldest] = nil }
    }

    func count(in destination: BrokerDestination) -> Int {
        self.byDestination[destination]?.count ?? 0
    }

    func settlements(in destination: BrokerDestination) -> [STOMPBroker.Settlement] {
        self.byDestination[destination].map { Array($0.elements) } ?? []
    }
}

/// The last frames that clients have sent.
struct FrameLog {
    /// Bodies are what is large; this is the most that all together may have.
    private static let bodyByteLimit = 16 * 1024 * 1024

    private let limit: Int
    private var log = FIFO<STOMPFrame>()
    private var bodyByteCount = 0

    init(limit: Int) {
        self.limit = limit
    }

    var frames: [STOMPFrame] {
        Array(self.log.elements)
    }

    mutating func append(_ frame: STOMPFrame) {
        var frame = frame
        frame.headers[.passcode] = nil
        self.log.append(frame)
        self.bodyByteCount += frame.body.count
        while self.log.count > self.limit || self.bodyByteCount > Self.bodyByteLimit {
            guard let oldest = self.log.popFirst() else { return }
            self.bodyByteCount -= oldest.body.count
        }
    }
}
