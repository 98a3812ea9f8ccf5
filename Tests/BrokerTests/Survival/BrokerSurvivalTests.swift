// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

/// Brokers that are killed under a running producer and consumer, and come back or do not.
///
/// Each test has brokers of its own. One at a time: three nodes and their neighbours are a load.
@Suite("What a broker's death costs", .realBrokers, .serialized)
struct BrokerSurvivalTests {
    private static let limit = Duration.seconds(120)

    private func address(_ broker: BrokerProcess) -> String {
        "stomp://guest:guest@127.0.0.1:\(broker.ports["stomp"] ?? 0)"
    }

    private func check(_ run: SurvivalRun, remembersDeliveries: Bool) {
        let record = run.record.value
        #expect(record.confirmed.count == run.count)
        #expect(record.missing.isEmpty, "confirmed, and never received: \(record.missing)")
        #expect(record.resumptionCount == 1)
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
        let addresses = cluster.nodes.map { self.address($0) }.joined(separator: ",")
        let run = SurvivalRun(
            servers: try STOMPServerList("failover:(\(addresses))?randomize=false&initialReconnectDelay=100"),
            queue: STOMPDestination(uniqueDestination(.rabbitMQ, "quorum")),
            count: 3_000,
            queueHeaders: [
                "x-queue-type": "quorum", "durable": "true", "auto-delete": "false", "exclusive": "false",
            ]
        )
        let log: @Sendable () -> String = { cluster.log() + "\n\(run.progress)" }
        await withLimit(Self.limit, log: log) {
            // A queue's leader is on the node by which it was made: the first, to which both clients connect.
            try await run.run { try await cluster.nodes[0].crash() }
        }
        await cluster.stop()
        self.check(run, remembersDeliveries: true)
    }
}
