// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore

/// The broker's one place of decisions: it drives the state, writes what comes of it into the outboxes, and wakes those
/// who wait for something to have happened.
actor BrokerEngine {
    private struct Watcher {
        let isSatisfied: @Sendable (borrowing BrokerState) -> Bool
        let alarm: Completion
    }

    private let configuration: STOMPBroker.Configuration
    private var state: BrokerState
    private var log: FrameLog
    private var connections: [UInt64: BrokerConnection] = [:]
    private var watchers: [UInt64: Watcher] = [:]
    private var lastWatcher: UInt64 = 0
    private var isStopped = false

    init(_ configuration: STOMPBroker.Configuration) {
        self.configuration = configuration
        self.state = BrokerState(configuration)
        self.log = FrameLog(limit: configuration.historyLimit)
    }

    // MARK: - What connections report

    func opened(_ connection: BrokerConnection) {
        self.connections[connection.id] = connection
    }

    /// Idempotent: the reader and the end of the connection both say it.
    func closed(_ id: UInt64) {
        guard self.connections.removeValue(forKey: id) != nil else { return }
        self.state.disconnected(id)
        self.settle()
    }

    func hasRoom(_ id: UInt64) {
        self.state.resume(id)
        self.settle()
    }

    /// - Returns: whether the session goes on.
    func received(_ step: BrokerReader.Step, from id: UInt64) -> Bool {
        if let opening = step.opening {
            guard let connection = self.connections[id] else { return false }
            self.log.append(opening.connect)
            connection.agree(opening.version, opening.schedule)
            connection.send(opening.connected)
            self.state.connected(id, version: opening.version)
            self.settle()
        }
        for request in step.requests {
            // Cut by somebody else meanwhile.
            guard let connection = self.connections[id] else { return false }
            guard self.handle(request, from: connection) else { return false }
        }
        guard let refusal = step.refusal else { return true }
        if let refused = step.refused { self.log.append(refused) }
        self.refuse(refusal, step.refused, id)
        return false
    }

    private func handle(_ request: STOMPFrame, from connection: BrokerConnection) -> Bool {
        self.log.append(request)
        do throws(BrokerRefusal) {
            try self.state.handle(request, from: connection.id)
        } catch {
            self.refuse(error, request, connection.id)
            return false
        }
        // Before the messages that it causes: as RabbitMQ and ActiveMQ do for SUBSCRIBE.
        if let receipt = request.headers[.receipt] {
            connection.send(STOMPFrame(.receipt, headers: [.receiptID: receipt]))
        }
        let isOver = request.command == .disconnect
        if isOver { self.end(connection) }
        self.settle()
        return !isOver
    }

    private func refuse(_ refusal: BrokerRefusal, _ request: STOMPFrame?, _ id: UInt64) {
        guard let connection = self.connections[id] else { return }
        connection.send(refusal.frame(answering: request))
        self.end(connection)
        self.settle()
    }

    /// The session is over; what has been said is still written.
    private func end(_ connection: BrokerConnection) {
        self.connections[connection.id] = nil
        self.state.disconnected(connection.id)
        connection.finish()
    }

    /// Writes all deliveries that are possible now, then wakes those who have waited for this.
    private func settle() {
        while let (delivery, subscription) = self.state.nextDelivery() {
            let id = delivery.consumer.connection
            guard let connection = self.connections[id] else { continue }
            if connection.deliver(delivery, for: subscription) { self.state.pause(id) }
        }
        guard !self.watchers.isEmpty else { return }
        for (key, watcher) in self.watchers.sorted(by: { $0.key < $1.key }) where watcher.isSatisfied(self.state) {
            self.watchers[key] = nil
            watcher.alarm.resolve(.success(()))
        }
    }

    // MARK: - What the broker's owner wants

    var receivedFrames: [STOMPFrame] {
        self.log.frames
    }

    /// Looks something up.
    func look<Value: Sendable>(_ question: @Sendable (borrowing BrokerState) -> Value) -> Value {
        question(self.state)
    }

    /// Returns when the condition holds.
    func wait(until isSatisfied: @escaping @Sendable (borrowing BrokerState) -> Bool) async throws(STOMPError) {
        if isSatisfied(self.state) { return }
        guard !self.isStopped else { throw Self.stopped }
        let alarm = Completion()
        self.lastWatcher += 1
        let key = self.lastWatcher
        self.watchers[key] = Watcher(isSatisfied: isSatisfied, alarm: alarm)
        defer { self.watchers[key] = nil }
        try await alarm.value()
    }

    func publish(_ message: BrokerMessage) throws(STOMPError) {
        do throws(BrokerRefusal) {
            try self.state.publish(message, to: try BrokerState.destination(message.destination))
        } catch {
            throw STOMPError(.rejected, error.details)
        }
        self.settle()
    }

    func disconnectAll() {
        for connection in self.orderedConnections {
            self.state.disconnected(connection.id)
            connection.cut()
        }
        self.connections = [:]
        self.settle()
    }

    func sendError(_ frame: STOMPFrame, then aftermath: STOMPBroker.ErrorAftermath) {
        for connection in self.orderedConnections {
            connection.send(frame)
            if aftermath == .close { self.end(connection) }
        }
        self.settle()
    }

    private var orderedConnections: [BrokerConnection] {
        self.connections.values.sorted { $0.id < $1.id }
    }

    /// The broker has ended: nobody need wait any longer.
    func stop() {
        self.isStopped = true
        for watcher in self.watchers.values { watcher.alarm.resolve(.failure(Self.stopped)) }
        self.watchers = [:]
    }

    private static let stopped = STOMPError(.closed, "The broker has ended, so this will not happen any more.")
}
