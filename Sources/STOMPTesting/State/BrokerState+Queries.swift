// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

extension BrokerState {
    func waiting(in destination: BrokerDestination) -> [QueuedMessage] {
        self.queues(of: destination).flatMap(\.waiting).filter { self.isIn(destination, $0) }
    }

    func waitingCount(in destination: BrokerDestination) -> Int {
        guard case .queue(let name) = destination else { return self.waiting(in: destination).count }
        return self.queues[.named(name)]?.waitingCount ?? 0
    }

    func unacknowledged(in destination: BrokerDestination) -> [Delivery] {
        self.queues(of: destination).flatMap(\.unacknowledged)
            .filter { self.isIn(destination, $0.content) }
            .sorted { $0.number < $1.number }
    }

    func subscriptionCount(for destination: BrokerDestination) -> Int {
        self.subscriptions.values.count { $0.destination == destination }
    }

    private func queues(of destination: BrokerDestination) -> [MessageQueue] {
        switch destination {
        case .queue(let name):
            return self.queues[.named(name)].map { [$0] } ?? []
        case .topic:
            return self.topics.compactMap { self.queues[$0.queue] }
        }
    }

    /// A subscriber's queue may hold messages of several topics.
    private func isIn(_ destination: BrokerDestination, _ content: QueuedMessage) -> Bool {
        BrokerDestination(content.message.destination) == destination
    }
}
