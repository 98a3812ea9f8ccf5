// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTesting
import STOMPTransport

/// A TCP port on 127.0.0.1 in front of another one, that does to connections what a test tells it to.
package final class TCPProxy: Sendable {
    /// Which bytes are meant.
    package enum Way: Sendable, CaseIterable {
        case toServer
        case toClient
    }

    private struct State {
        var listener: TCPListener?
        var relays: [Int: Relay] = [:]
        var lastNumber = 0
        /// What new connections begin with.
        var script = FaultPlan.Script()
    }

    /// Where clients connect.
    package let port: Int
    private let serverPort: Int
    private let time: TimeSource
    private let state: Locked<State>
    private let listening = Signal()
    private let countChanged = Locked<[Completion]>([])

    /// Runs a proxy while `body` runs, and then ends its connections.
    ///
    /// - Parameters:
    ///   - serverPort: where connections lead to, on 127.0.0.1.
    ///   - clock: what delays are measured with.
    ///   - body: the test.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws.
    package static func with<Value>(
        to serverPort: Int,
        clock: any Clock<Duration> = ContinuousClock(),
        _ body: (TCPProxy) async throws -> Value
    ) async throws -> Value {
        let proxy = try TCPProxy(to: serverPort, clock: clock)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(name: "tests.proxy") { await proxy.run() }
            let value = try await body(proxy)
            group.cancelAll()
            try await group.waitForAll()
            return value
        }
    }

    private init(to serverPort: Int, clock: any Clock<Duration>) throws {
        let listener = try TCPListener.bind()
        self.port = listener.port
        self.serverPort = serverPort
        self.time = TimeSource(clock)
        self.state = Locked(State(listener: listener))
    }

    /// How many connections are open.
    package var connectionCount: Int {
        self.state.withLock { $0.relays.count }
    }

    /// Waits until so many connections are open.
    package func waitForConnections(_ count: Int) async throws {
        while self.connectionCount != count {
            let alarm = Completion()
            self.countChanged.withLock { $0.append(alarm) }
            // It may have become so meanwhile.
            if self.connectionCount == count { return }
            try await alarm.value()
        }
    }

    // MARK: - What a test may want

    /// Refuses connections, as if nobody listened; those that are open stay so.
    package func refuse() {
        self.state.withLock { state in
            defer { state.listener = nil }
            return state.listener
        }?.close()
    }

    /// Accepts connections again, at the same port.
    package func accept() throws {
        guard self.state.withLock({ $0.listener == nil }) else { return }
        let listener = try TCPListener.bind(port: self.port)
        self.state.withLock { $0.listener = listener }
        self.listening.raise()
    }

    /// Ends all connections with a reset on both sides.
    package func reset() {
        for relay in self.relays { relay.reset() }
    }

    /// Ends all connections on both sides, as a server does that goes down.
    package func close() {
        for relay in self.relays { relay.close() }
    }

    /// Passes nothing on any more, and keeps the connections; also those that come.
    package func blackhole(_ ways: [Way] = Way.allCases) {
        self.change(ways) { faults, count in faults.stallAfter = count }
    }

    /// Each piece of bytes is so late.
    package func delay(_ delay: Duration, _ ways: [Way] = Way.allCases) {
        self.change(ways) { faults, _ in faults.delay = delay }
    }

    /// So many bytes go through in a second, in each direction.
    package func throttle(bytesPerSecond: Int, _ ways: [Way] = Way.allCases) {
        self.change(ways) { faults, _ in faults.bytesPerSecond = bytesPerSecond }
    }

    /// Ends each connection after so many further bytes.
    package func cut(afterBytes count: Int, _ way: Way) {
        self.change([way]) { faults, passed in faults.cutAfter = passed + count }
    }

    /// Nothing goes wrong any more: what was held back goes on.
    package func heal() {
        self.change(Way.allCases) { faults, _ in faults = FaultPlan.Direction() }
    }

    private func change(_ ways: [Way], _ body: (inout FaultPlan.Direction, _ passedCount: Int) -> Void) {
        let relays = self.state.withLock { state in
            if ways.contains(.toServer) { body(&state.script.toServer, 0) }
            if ways.contains(.toClient) { body(&state.script.toClient, 0) }
            return state.relays.values.map(\.self)
        }
        for relay in relays {
            if ways.contains(.toServer) { relay.toServer.change(body) }
            if ways.contains(.toClient) { relay.toClient.change(body) }
        }
    }

    // MARK: - Passing on

    private var relays: [Relay] {
        self.state.withLock { $0.relays.values.map(\.self) }
    }

    private func run() async {
        await withDiscardingTaskGroup { connections in
            while !Task.isCancelled {
                guard let listener = self.state.withLock({ $0.listener }) else {
                    await self.listening.wait()
                    continue
                }
                // Else it was closed, or the task was cancelled.
                guard let client = try? await listener.accept() else { continue }
                connections.addTask(name: "tests.proxy.connection") { await self.serve(client) }
            }
            connections.cancelAll()
        }
        self.refuse()
    }

    private func serve(_ client: any ByteTransport) async {
        guard let server = try? await TCPConnector(host: "127.0.0.1", port: self.serverPort).connect() else {
            return client.close()
        }
        let (relay, number) = self.state.withLock { state in
            state.lastNumber += 1
            let relay = Relay(from: client, to: server, script: state.script, time: self.time)
            state.relays[state.lastNumber] = relay
            return (relay, state.lastNumber)
        }
        self.reportCount()
        await relay.run()
        self.state.withLock { $0.relays[number] = nil }
        self.reportCount()
    }

    private func reportCount() {
        let alarms = self.countChanged.withLock { alarms in
            defer { alarms = [] }
            return alarms
        }
        for alarm in alarms { alarm.resolve(.success(())) }
    }
}
