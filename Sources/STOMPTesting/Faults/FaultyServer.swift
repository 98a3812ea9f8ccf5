// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMP
import STOMPCore
import STOMPTransport

/// A place in front of a broker of this process, from which the way to the broker is as bad as a ``FaultPlan`` says.
///
/// Several of them in front of one broker look like a cluster.
///
/// ```swift
/// try await withFaultyServer(broker, plan: FaultPlan(seed: 42), clock: clock) { server in
///     try await withSTOMPClient(STOMPServer(server.endpoint), configuration: configuration) { client in … }
/// }
/// ```
public final class FaultyServer: Sendable {
    private let broker: STOMPBroker
    private let time: TimeSource
    private let report: @Sendable (String) -> Void
    private let admission: Admission
    private let listener: InMemoryListener
    private let relays = Locked<[Int: Relay]>([:])
    private let openCount = Locked(0)

    /// A server that passes nothing on before ``run()``.
    ///
    /// - Parameters:
    ///   - broker: where connections lead to.
    ///   - plan: what goes wrong.
    ///   - clock: what delays and pauses are measured with.
    public convenience init(_ broker: STOMPBroker, plan: FaultPlan, clock: any Clock<Duration>) {
        self.init(broker, plan: plan, clock: clock) { _ in }
    }

    /// A server that tells `report` of each attempt and each end, and whose clients must wait when they have
    /// `pipeCapacity` bytes on the way.
    package init(
        _ broker: STOMPBroker,
        plan: FaultPlan,
        clock: any Clock<Duration>,
        pipeCapacity: Int = 16 * 1024,
        report: @escaping @Sendable (String) -> Void
    ) {
        let admission = Admission(plan)
        self.broker = broker
        self.time = TimeSource(clock)
        self.report = report
        self.admission = admission
        self.listener = InMemoryListener(pipeCapacity: pipeCapacity) { admission.admit(report: report) }
    }

    /// Where clients connect.
    public var endpoint: STOMPEndpoint {
        .inMemory(self.listener)
    }

    /// How often somebody has tried to connect.
    public var attemptCount: Int {
        self.admission.attemptCount
    }

    /// How many connections are open, whether or not anything moves on them.
    public var connectionCount: Int {
        self.openCount.withLock { $0 }
    }

    /// From now on nothing goes wrong: what is stalled moves again, and later attempts meet no faults.
    ///
    /// A pause or delay that has begun still takes its time, and who stays silent does so.
    public func heal() {
        self.admission.heal()
        for relay in self.openRelays {
            relay.toServer.change { faults, _ in faults = FaultPlan.Direction() }
            relay.toClient.change { faults, _ in faults = FaultPlan.Direction() }
        }
    }

    /// Cuts all connections, and refuses further ones until ``comeUp()``.
    public func goDown() {
        self.admission.setDown(true)
        for relay in self.openRelays { relay.close() }
    }

    /// Lets clients in again.
    public func comeUp() {
        self.admission.setDown(false)
    }

    /// Passes connections on until the task is cancelled; then cuts them, and refuses further ones.
    public func run() async {
        await withDiscardingTaskGroup { connections in
            while !Task.isCancelled {
                guard let client = try? await self.listener.accept() else { break }
                let attempt = self.admission.next()
                connections.addTask(name: "stomp.faults.connection") { await self.serve(client, attempt) }
            }
            connections.cancelAll()
        }
        self.listener.close()
    }

    private var openRelays: [Relay] {
        self.relays.withLock { relays in relays.sorted { $0.key < $1.key }.map(\.value) }
    }

    private func serve(_ client: any ByteTransport, _ attempt: Admission.Attempt) async {
        self.openCount.withLock { $0 += 1 }
        defer { self.openCount.withLock { $0 -= 1 } }
        guard attempt.script.opening != .silent else {
            await client.waitUntilHangUp()
            client.close()
            return self.report("\(attempt.number) left in silence")
        }
        guard let upstream = try? await self.broker.inMemoryListener.connect() else {
            return client.close()
        }
        let relay = Relay(
            from: client,
            to: upstream,
            script: attempt.script,
            seed: UInt64(attempt.number),
            time: self.time
        )
        self.relays.withLock { $0[attempt.number] = relay }
        let wasCut = await relay.run()
        self.relays.withLock { $0[attempt.number] = nil }
        let counts = "\(relay.toServer.passedCount) to the server, \(relay.toClient.passedCount) to the client"
        self.report("\(attempt.number) \(wasCut ? "cut" : "ended") after \(counts)")
    }
}

/// Runs a ``FaultyServer`` while `body` runs.
///
/// - Parameters:
///   - broker: where connections lead to.
///   - plan: what goes wrong.
///   - clock: what delays and pauses are measured with.
///   - body: when it ends, so do the connections.
/// - Returns: what `body` returns.
/// - Throws: what `body` throws.
public func withFaultyServer<Value>(
    _ broker: STOMPBroker,
    plan: FaultPlan,
    clock: any Clock<Duration>,
    _ body: (FaultyServer) async throws -> Value
) async throws -> Value {
    let server = FaultyServer(broker, plan: plan, clock: clock)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(name: "stomp.faults.server") { await server.run() }
        let value = try await body(server)
        group.cancelAll()
        try await group.waitForAll()
        return value
    }
}
