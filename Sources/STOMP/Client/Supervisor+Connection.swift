// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport

extension Supervisor {
    /// What the tasks beside a connection have come to, for when it has ended.
    private final class Findings: Sendable {
        let resumption = Locked(Resumption.complete)
        /// A server that is preferred answers again.
        let destination = Locked<Int?>(nil)
    }

    /// How far the subscriptions and sends of the last connection came by this one.
    private enum Resumption: Sendable {
        case complete
        case failed(STOMPError, during: SubscriptionStorage?)
    }

    /// Runs a connection to its end.
    ///
    /// All of it has ended when this returns, so that the next attempt finds no other connection alive.
    func drive(_ connection: STOMPConnection, _ legacy: inout Legacy) async -> Outcome {
        let client = self.client
        let earlier = legacy
        let findings = Findings()
        client.begin(connection)
        // Not in the connection's own group: who does not heed a cancellation must not hold up its goodbye.
        let end = await withDiscardingTaskGroup { group in
            self.startTasks(&group, beside: connection, earlier, findings)
            // Closed when this returns, before the others are cancelled: they are to learn why.
            let end = await connection.run()
            client.publish(nil)
            group.cancelAll()
            return end
        }
        // The resumption may have published it at the very moment of its end.
        client.publish(nil)
        let survivors = await connection.survivors
        return self.conclude(end, survivors, findings, &legacy)
    }

    @inline(never)
    private func startTasks(
        _ group: inout DiscardingTaskGroup,
        beside connection: STOMPConnection,
        _ earlier: Legacy,
        _ findings: Findings
    ) {
        // Its outcome matters when the connection has ended.
        group.addTask(name: "stomp.resumption") {
            let outcome = await self.resume(earlier, by: connection)
            findings.resumption.withLock { $0 = outcome }
        }
        guard !self.client.servers.priorityEndpoints.isEmpty else { return }
        // Ends the connection when there is a better one.
        group.addTask(name: "stomp.priority") {
            guard let server = await self.findPriority() else { return }
            findings.destination.withLock { $0 = server }
            self.client.publish(nil)
            connection.handOver()
            await connection.disconnect()
        }
    }

    /// The connection has ended.
    @inline(never)
    private func conclude(
        _ end: STOMPError?,
        _ survivors: [SubscriptionStorage],
        _ findings: Findings,
        _ legacy: inout Legacy
    ) -> Outcome {
        self.client.hub.send(.disconnected(end), state: .disconnected(end))
        if case .failed(let error, let suspect) = findings.resumption.withLock({ $0 }) {
            // An ERROR that names nobody: if there is one suspect only, it was that one.
            if error.code == .serverError, let suspect {
                let rejected = error.frame.map { STOMPError.rejected(by: $0) } ?? error
                // Not one that was ended meanwhile.
                if suspect.end(.failed(rejected), revoking: suspect.mode != .auto) {
                    self.client.hub.send(.subscriptionFailed(subscription: suspect.id, rejected))
                }
            }
            // The search for the guilty one goes on if it was cut short.
            legacy.resumesOneByOne = error.code == .serverError || legacy.resumesOneByOne
        } else {
            legacy.resumesOneByOne = false
        }
        let others = survivors.filter { storage in !legacy.subscriptions.contains { $0 === storage } }
        legacy.subscriptions = (legacy.subscriptions + others).filter { !$0.hasEnded }
        let destination = findings.destination.withLock { $0 }
        if let destination, !Task.isCancelled, end == nil { return .movesBack(destination) }
        return end.map { .lost($0) } ?? .wished
    }

    // MARK: - Resuming

    /// The task `stomp.resumption`: subscriptions first, then what is to be sent again, then what was queued, in order;
    /// only then other calls get the connection.
    private func resume(_ legacy: Legacy, by connection: STOMPConnection) async -> Resumption {
        let storages = legacy.subscriptions.filter { !$0.hasEnded }
        let isSuspectKnown = legacy.resumesOneByOne || storages.count == 1
        let groups = isSuspectKnown ? storages.map { [$0] } : [storages]
        for group in groups where !group.isEmpty {
            do throws(STOMPError) {
                try await connection.resume(group)
            } catch {
                return .failed(error, during: isSuspectKnown ? group.first : nil)
            }
        }
        do throws(STOMPError) {
            try await self.client.sendBacklog(by: connection) {
                let count = storages.count { !$0.hasEnded }
                self.client.hub.send(.resumed(subscriptionCount: count), state: .connected(connection.session))
            }
        } catch {
            return .failed(error, during: nil)
        }
        return .complete
    }

    // MARK: - Priority

    /// Looks for a preferred server while connected to another, until one answers.
    private func findPriority() async -> Int? {
        while !Task.isCancelled {
            let next = self.schedule.withLock { $0.nextProbe(at: self.client.time.now) }
            guard let probe = next else { break }
            await self.client.time.sleep(until: self.client.time.now + probe.delay)
            if Task.isCancelled { break }
            do throws(STOMPError) {
                // A whole handshake: a port that answers may still be no broker.
                try await self.connectionAttempt(probe, after: nil).open().transport.close()
                return probe.server
            } catch {
                continue
            }
        }
        return nil
    }
}
