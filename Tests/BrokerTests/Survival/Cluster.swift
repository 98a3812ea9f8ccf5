// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

/// Three RabbitMQ nodes of the test's own, which share their queues.
struct Cluster: Sendable {
    static let names = ["one", "two", "three"]

    /// In the order of their names.
    let nodes: [BrokerProcess]

    /// Starts the nodes, the first one alone, since the others join it.
    static func start() async throws -> Cluster {
        var settings = ["BROKER_CLUSTER": self.names.joined(separator: " "), "BROKER_COOKIE": "swift-stomp-tests"]
        settings["BROKER_PLUGINS"] = "rabbitmq_stomp"
        settings["BROKER_NODE"] = self.names[0]
        let first = try await BrokerProcess.start(.rabbitMQ, settings: settings)
        // One port mapper for all: it outlives the node that has started it, until that one's guard ends.
        settings["BROKER_PORT_EPMD"] = first.ports["epmd"].map(String.init)
        var nodes = [first]
        do {
            for name in self.names.dropFirst() {
                settings["BROKER_NODE"] = name
                nodes.append(try await BrokerProcess.start(.rabbitMQ, settings: settings))
            }
        } catch {
            await Self.stop(nodes)
            throw error
        }
        return Cluster(nodes: nodes)
    }

    /// The place of the node that leads a quorum queue, as the cluster itself says.
    func leader(of queue: String) async throws -> Int {
        let table = try await onOwnThread {
            try self.nodes[0].control(Self.names[0], ["list_queues", "name", "leader", "--no-table-headers"])
        }
        let row = table.split(separator: "\n").first { $0.hasPrefix("\(queue)\t") }
        let name = try #require(row?.split(separator: "\t").last?.split(separator: "@").first, "\(table)")
        return try #require(Self.names.firstIndex(of: String(name)), "\(table)")
    }

    func stop() async {
        await Self.stop(self.nodes)
    }

    /// The first last: it has the port mapper.
    private static func stop(_ nodes: [BrokerProcess]) async {
        for node in nodes.reversed() {
            _ = try? await onOwnThread { node.stop() }
        }
    }

    func log() -> String {
        zip(Self.names, self.nodes).map { "\($0):\n\($1.log(lines: 20))" }.joined(separator: "\n")
    }
}
