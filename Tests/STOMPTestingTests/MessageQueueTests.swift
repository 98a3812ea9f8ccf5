// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTesting

@Suite struct MessageQueueTests {
    private static let alice = ConsumerID(connection: 1, number: 1)
    private static let bob = ConsumerID(connection: 2, number: 2)

    private struct Bench {
        var queue = MessageQueue(byteLimit: 1 << 20)
        private var lastNumber: UInt64 = 0

        mutating func add(_ texts: String...) {
            for text in texts {
                self.queue.append(BrokerMessage(destination: "/queue/q", headers: [:], body: Array(text.utf8)))
            }
        }

        mutating func add(_ id: ConsumerID, _ mode: STOMPAckMode = .clientIndividual, prefetch: Int? = nil) {
            self.queue.add(QueueConsumer(id: id, mode: mode, prefetch: prefetch))
        }

        /// Delivers all that is possible; one entry for each delivery, such as `1:a`, with `+` when it is redelivered.
        mutating func deliver() -> [String] {
            var deliveries: [String] = []
            while let delivery = self.queue.nextDelivery(number: self.lastNumber + 1) {
                self.lastNumber += 1
                let mark = delivery.content.isRedelivered ? "+" : ""
                deliveries.append("\(delivery.consumer.number):\(delivery.content.message.text)\(mark)")
            }
            return deliveries
        }

        var waiting: [String] {
            self.queue.waiting.map(\.message.text)
        }

        mutating func acknowledge(_ number: UInt64, _ id: ConsumerID) -> [String] {
            self.queue.acknowledge(self.queue.claim(number, by: id), by: id).map(\.message.text)
        }

        mutating func refuse(_ number: UInt64, _ id: ConsumerID, limit: Int? = nil) -> [String] {
            self.queue.refuse(self.queue.claim(number, by: id), by: id, limit: limit).dead.map(\.message.text)
        }
    }

    @Test func `subscribers take turns`() {
        var bench = Bench()
        bench.add(Self.alice)
        bench.add(Self.bob)
        bench.add("a", "b", "c", "d", "e")
        #expect(bench.deliver() == ["1:a", "2:b", "1:c", "2:d", "1:e"])
        #expect(bench.queue.unacknowledged.map(\.content.message.text) == ["a", "b", "c", "d", "e"])
    }

    @Test func `credit limits what is unsettled and the other one goes on`() {
        var bench = Bench()
        bench.add(Self.alice, prefetch: 1)
        bench.add(Self.bob, prefetch: 2)
        bench.add("a", "b", "c", "d")
        #expect(bench.deliver() == ["1:a", "2:b", "2:c"])
        #expect(bench.waiting == ["d"])
        #expect(bench.acknowledge(1, Self.alice) == ["a"])
        #expect(bench.deliver() == ["1:d"])
    }

    @Test func `auto has no credit and nothing to settle`() {
        var bench = Bench()
        bench.add(Self.alice, .auto, prefetch: 1)
        bench.add("a", "b")
        #expect(bench.deliver() == ["1:a", "1:b"])
        #expect(bench.queue.unacknowledged.isEmpty)
        #expect(bench.queue.byteCount == 0)
        #expect(bench.queue.claim(1, by: Self.alice).isEmpty)
    }

    @Test func `client mode acknowledges all up to one`() {
        var bench = Bench()
        bench.add(Self.alice, .client)
        bench.add("a", "b", "c")
        _ = bench.deliver()
        #expect(bench.acknowledge(2, Self.alice) == ["a", "b"])
        #expect(bench.acknowledge(1, Self.alice).isEmpty)
        #expect(bench.acknowledge(3, Self.alice) == ["c"])
        #expect(bench.queue.byteCount == 0)
    }

    @Test func `client individual acknowledges one`() {
        var bench = Bench()
        bench.add(Self.alice)
        bench.add("a", "b", "c")
        _ = bench.deliver()
        #expect(bench.acknowledge(2, Self.alice) == ["b"])
        #expect(bench.acknowledge(2, Self.alice).isEmpty)
        #expect(bench.queue.unacknowledged.map(\.content.message.text) == ["a", "c"])
    }

    @Test func `a refused message comes first again and to somebody else`() {
        var bench = Bench()
        bench.add(Self.alice, prefetch: 1)
        bench.add(Self.bob, prefetch: 1)
        bench.add("a", "b", "c")
        #expect(bench.deliver() == ["1:a", "2:b"])
        _ = bench.acknowledge(2, Self.bob)
        _ = bench.refuse(1, Self.alice)
        #expect(bench.deliver() == ["2:a+", "1:c"])
    }

    @Test func `refusing in client mode covers all before`() {
        var bench = Bench()
        bench.add(Self.alice, .client, prefetch: 3)
        bench.add("a", "b", "c", "d")
        _ = bench.deliver()
        _ = bench.refuse(2, Self.alice)
        #expect(bench.waiting == ["a", "b", "d"])
        #expect(bench.deliver() == ["1:a+", "1:b+"])
    }

    @Test func `what comes back is in its first order whatever the order of refusal`() {
        var bench = Bench()
        bench.add(Self.alice, prefetch: 4)
        bench.add("a", "b", "c", "d", "e")
        _ = bench.deliver()
        bench.queue.setPaused(true, for: Self.alice)
        for number in [3, 1, 4, 2] as [UInt64] { _ = bench.refuse(number, Self.alice) }
        #expect(bench.waiting == ["a", "b", "c", "d", "e"])
    }

    @Test func `what two subscribers held goes back in order`() {
        var bench = Bench()
        bench.add(Self.alice)
        bench.add(Self.bob)
        bench.add("a", "b", "c", "d")
        _ = bench.deliver()
        #expect(bench.queue.end(Self.bob) == [2, 4])
        bench.queue.setPaused(true, for: Self.alice)
        #expect(bench.waiting == ["b", "d"])
        #expect(bench.queue.end(Self.alice) == [1, 3])
        #expect(bench.waiting == ["a", "b", "c", "d"])
        #expect(bench.queue.consumers.isEmpty)
        bench.add(Self.bob)
        #expect(bench.deliver() == ["2:a+", "2:b+", "2:c+", "2:d+"])
    }

    @Test func `beyond the limit a refused message is dead`() {
        var bench = Bench()
        bench.add(Self.alice)
        bench.add("a")
        _ = bench.deliver()
        #expect(bench.refuse(1, Self.alice, limit: 1).isEmpty)
        #expect(bench.deliver() == ["1:a+"])
        #expect(bench.refuse(2, Self.alice, limit: 1) == ["a"])
        #expect(bench.queue.byteCount == 0)
        #expect(bench.queue.waitingCount == 0)
    }

    @Test func `what a transaction claims stays when its subscriber ends`() {
        var bench = Bench()
        bench.add(Self.alice)
        bench.add("a", "b")
        _ = bench.deliver()
        #expect(bench.queue.claim(1, by: Self.alice) == [1])
        #expect(bench.queue.claim(1, by: Self.alice).isEmpty)
        #expect(bench.queue.end(Self.alice) == [2])
        #expect(bench.waiting == ["b"])
        #expect(bench.queue.release([1], by: Self.alice) == [1])
        #expect(bench.waiting == ["a", "b"])
        #expect(bench.queue.consumers.isEmpty)
    }

    @Test func `a paused subscriber gets nothing`() {
        var bench = Bench()
        bench.add(Self.alice)
        bench.queue.setPaused(true, for: Self.alice)
        bench.add("a")
        #expect(bench.deliver().isEmpty)
        bench.queue.setPaused(false, for: Self.alice)
        #expect(bench.deliver() == ["1:a"])
    }

    @Test func `unsettled messages count against the bound`() {
        var queue = MessageQueue(byteLimit: 1_000)
        let message = BrokerMessage(destination: "q", headers: [:], body: Array(repeating: 0, count: 600))
        #expect(queue.hasRoom(for: message.byteCount))
        queue.append(message)
        #expect(!queue.hasRoom(for: message.byteCount))
        queue.add(QueueConsumer(id: Self.alice, mode: .client))
        #expect(queue.nextDelivery(number: 1) != nil)
        #expect(!queue.hasRoom(for: message.byteCount))
        _ = queue.acknowledge(queue.claim(1, by: Self.alice), by: Self.alice)
        #expect(queue.byteCount == 0)
    }

    @Test func `an old unsettled delivery does not keep the numbers of all later ones`() {
        var consumer = QueueConsumer(id: Self.alice, mode: .clientIndividual)
        let message = BrokerMessage(destination: "q", headers: [:], body: [])
        for number in 1...10_000 as ClosedRange<UInt64> {
            consumer.delivered(QueuedMessage(message: message, position: number), number: number)
            if number > 1 { _ = consumer.settle(consumer.claim(number)) }
        }
        #expect(consumer.unacknowledged.map(\.number) == [1])
    }

    @Test func `a FIFO keeps order and gives memory back`() {
        var fifo = FIFO<Int>()
        var next = 0
        for round in 0..<1_000 {
            for offset in 0..<3 { fifo.append(round * 3 + offset) }
            for _ in 0..<2 {
                #expect(fifo.popFirst() == next)
                next += 1
            }
        }
        #expect(fifo.count == 1_000)
        #expect(Array(fifo.elements) == Array(2_000..<3_000))
        fifo.keep { $0 % 2 == 0 }
        #expect(fifo.first == 2_000)
        #expect(fifo.count == 500)
        while fifo.popFirst() != nil {}
        #expect(fifo.isEmpty && fifo.first == nil)
    }
}
