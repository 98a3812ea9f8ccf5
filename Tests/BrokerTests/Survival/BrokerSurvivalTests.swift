// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

/// Brokers that are killed under a running producer and consumer, and come back or do not.
///
/// Each test has brokers of its own. One at a time: three nodes and their neighbours are a load.
@Suite("What a broker's death costs", .realBrokers, .serialized)
struct BrokerSurvivalTests {
    private static let limit = Duration.seconds(400)

    private func address(_ broker: BrokerProcess) -> String {
        "stomp://guest:guest@127.0.0.1:\(broker.ports["stomp"] ?? 0)"
    }

    private func check(_ run: SurvivalRun, remembersDeliveries: Bool, resumptionCount: Int = 1) {
        let record = run.record.value
        #expect(record.confirmed.count == run.count)
        #expect(record.missing.isEmpty, "confirmed, and never received: \(record.missing)")
        #expect(record.resumptionCount == resumptionCount)
        // Whoever gets a number twice can know why: it is marked, or it may have been sent twice, or the broker has
        // forgotten what it had delivered before it died.
        var explained = record.mayBeResent
        if !remembersDeliveries { explained.formUnion(record.receivedBefore) }
        let unexplained = record.unmarkedRepeats.subtracting(explained)
        #expect(unexplained.isEmpty, "twice, and not marked: \(unexplained.sorted())")
    }

    private func survivesRestart(_ kind: BrokerKind, queueHeaders: STOMPHeaders = [:]) async throws {
        let broker = try await BrokerProcess.start(kind)
        let run = SurvivalRun(
            servers: [try STOMPServer(self.address(broker))],
            queue: STOMPDestination(uniqueDestination(kind, "survival")),
            count: 3_000,
            queueHeaders: queueHeaders
        )
        let log: @Sendable () -> String = { broker.log() + "\n\(run.progress)" }
        await withLimit(Self.limit, log: log) {
            try await run.run {
                try await broker.crash()
                try await broker.restart()
            }
        }
        #expect(try await onOwnThread { broker.stop() })
        self.check(run, remembersDeliveries: false)
    }

    @Test("RabbitMQ killed and started again: every confirmed number arrives", .realBroker(.rabbitMQ))
    func restartedRabbitMQ() async throws {
        try await self.survivesRestart(.rabbitMQ, queueHeaders: ["durable": "true", "auto-delete": "false"])
    }

    @Test("ActiveMQ killed and started again: every confirmed number arrives", .realBroker(.activeMQ))
    func restartedActiveMQ() async throws {
        try await self.survivesRestart(.activeMQ)
    }

    @Test("A cluster whose queue loses its leader: every confirmed number arrives", .realBroker(.rabbitMQ))
    func clusterLosesLeader() async throws {
        let cluster = try await Cluster.start()
        // Not the one that has formed the cluster: whoever leads the queue is asked for.
        let order = [1, 0, 2]
        let addresses = order.map { self.address(cluster.nodes[$0]) }.joined(separator: ",")
        let name = uniqueDestination(.rabbitMQ, "quorum")
        let leader = Shared(0)
        let run = SurvivalRun(
            servers: try STOMPServerList("failover:(\(addresses))?randomize=false&initialReconnectDelay=100"),
            queue: STOMPDestination(name),
            count: 3_000,
            queueHeaders: [
                "x-queue-type": "quorum", "durable": "true", "auto-delete": "false", "exclusive": "false",
            ]
        )
        let log: @Sendable () -> String = { cluster.log() + "\n\(run.progress)" }
        await withLimit(Self.limit, log: log) {
            try await run.run {
                let node = try await cluster.leader(of: String(name.dropFirst("/queue/".count)))
                leader.set(node)
            } _: {
                try await cluster.nodes[leader.value].crash()
            }
        }
        await cluster.stop()
        // Whether or not the consumer was connected to the leader, nothing is lost.
        self.check(run, remembersDeliveries: true, resumptionCount: leader.value == order[0] ? 1 : 0)
    }
}
