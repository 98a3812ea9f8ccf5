// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTesting

/// The broker without connections: frames in, deliveries out.
@Suite struct BrokerStateTests {
    private func makeState(_ configuration: STOMPBroker.Configuration = .init()) -> BrokerState {
        var state = BrokerState(configuration)
        state.connected(1, version: .v12)
        state.connected(2, version: .v12)
        return state
    }

    private func deliver(_ state: inout BrokerState) -> [String] {
        var texts: [String] = []
        while let (delivery, _) = state.nextDelivery() {
            texts.append("\(delivery.consumer.connection):\(delivery.content.message.text)")
        }
        return texts
    }

    private func send(_ text: String, to destination: String = "q", transaction: String? = nil) -> STOMPFrame {
        var frame = STOMPFrame(.send, headers: [.destination: destination], body: Array(text.utf8))
        frame.headers[.transaction] = transaction
        return frame
    }

    private let subscribe = STOMPFrame(.subscribe, headers: [.id: "0", .destination: "q", .ack: "client-individual"])

    @Test func `queues that nobody uses are removed`() throws {
        var state = self.makeState()
        try state.handle(self.subscribe, from: 1)
        try state.handle(self.send("a"), from: 2)
        #expect(self.deliver(&state) == ["1:a"])
        try state.handle(STOMPFrame(.ack, headers: [.id: "a-1"]), from: 1)
        try state.handle(STOMPFrame(.unsubscribe, headers: [.id: "0"]), from: 1)
        #expect(self.deliver(&state).isEmpty)
        #expect(state.queues.isEmpty)
        #expect(state.subscriptions.isEmpty)
        #expect(state.clients[1]?.deliveries.isEmpty == true)
    }

    @Test func `a topic's copies end with their subscription`() throws {
        var state = self.makeState()
        let topic = STOMPFrame(.subscribe, headers: [.id: "0", .destination: "/topic/t", .ack: "client"])
        try state.handle(topic, from: 1)
        try state.handle(self.send("a", to: "/topic/t"), from: 2)
        #expect(self.deliver(&state) == ["1:a"])
        try state.handle(STOMPFrame(.unsubscribe, headers: [.id: "0"]), from: 1)
        #expect(self.deliver(&state).isEmpty)
        #expect(state.queues.isEmpty && state.topics.isEmpty)
    }

    @Test func `the end of a session aborts its transactions and gives back what it held`() throws {
        var state = self.makeState()
        try state.handle(self.subscribe, from: 1)
        try state.handle(self.send("a"), from: 2)
        try state.handle(self.send("b"), from: 2)
        _ = self.deliver(&state)
        try state.handle(STOMPFrame(.begin, headers: [.transaction: "t"]), from: 1)
        try state.handle(STOMPFrame(.ack, headers: [.id: "a-1", .transaction: "t"]), from: 1)
        try state.handle(self.send("c", transaction: "t"), from: 1)
        state.disconnected(1)
        try state.handle(self.subscribe, from: 2)
        #expect(self.deliver(&state) == ["2:a", "2:b"])
    }

    @Test func `a claimed message of an ended subscription is settled by COMMIT`() throws {
        var state = self.makeState()
        try state.handle(self.subscribe, from: 1)
        try state.handle(self.send("a"), from: 2)
        try state.handle(self.send("b"), from: 2)
        _ = self.deliver(&state)
        try state.handle(STOMPFrame(.begin, headers: [.transaction: "t"]), from: 1)
        try state.handle(STOMPFrame(.nack, headers: [.id: "a-1", .transaction: "t"]), from: 1)
        try state.handle(STOMPFrame(.unsubscribe, headers: [.id: "0"]), from: 1)
        try state.handle(self.subscribe, from: 2)
        #expect(self.deliver(&state) == ["2:b"])
        try state.handle(STOMPFrame(.commit, headers: [.transaction: "t"]), from: 1)
        #expect(self.deliver(&state) == ["2:a"])
    }

    @Test func `a COMMIT without room does nothing at all`() throws {
        var configuration = STOMPBroker.Configuration()
        configuration.maximumQueueByteCount = 150
        var state = self.makeState(configuration)
        try state.handle(self.send("1"), from: 2)
        try state.handle(self.send("2"), from: 2)
        try state.handle(STOMPFrame(.begin, headers: [.transaction: "t"]), from: 1)
        try state.handle(self.send("other", to: "p", transaction: "t"), from: 1)
        try state.handle(self.send("3", transaction: "t"), from: 1)
        let error = #expect(throws: BrokerRefusal.self) {
            try state.handle(STOMPFrame(.commit, headers: [.transaction: "t"]), from: 1)
        }
        #expect(error?.message == "Queue is full")
        #expect(state.queues.count == 1)
        #expect(state.clients[1]?.transactionByteCount == 0)
    }

    @Test func `open transactions are bounded`() throws {
        var configuration = STOMPBroker.Configuration()
        configuration.maximumQueueByteCount = 200
        var state = self.makeState(configuration)
        try state.handle(STOMPFrame(.begin, headers: [.transaction: "t"]), from: 1)
        let error = #expect(throws: BrokerRefusal.self) {
            for _ in 0..<10 { try state.handle(self.send("a", transaction: "t"), from: 1) }
        }
        #expect(error?.message == "Transaction is too large")
    }

    @Test func `the settlement history forgets the oldest`() {
        var history = SettlementHistory(limit: 3)
        let (one, two) = (BrokerDestination.queue(OctetString("1")), BrokerDestination.queue(OctetString("2")))
        history.append(.acknowledged("a"), in: one)
        history.append(.acknowledged("b"), in: two)
        history.append(.acknowledged("c"), in: one)
        history.append(.negativelyAcknowledged("d"), in: two)
        #expect(history.settlements(in: one) == [.acknowledged("c")])
        #expect(history.settlements(in: two) == [.acknowledged("b"), .negativelyAcknowledged("d")])
        #expect(history.count(in: one) == 1)
    }

    @Test func `the frame log is bounded and keeps no passcode`() {
        var log = FrameLog(limit: 2)
        log.append(STOMPFrame(.connect, headers: [.login: "l", .passcode: "secret"]))
        #expect(log.frames == [STOMPFrame(.connect, headers: [.login: "l"])])
        for text in ["a", "b"] { log.append(self.send(text)) }
        #expect(log.frames == [self.send("a"), self.send("b")])
        log.append(STOMPFrame(.send, body: Array(repeating: 0, count: 16 * 1024 * 1024 + 1)))
        #expect(log.frames.isEmpty)
    }
}
