// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// Many connections that do nothing but beat.
struct IdleConnections: Workload {
    /// So many connect at the same time.
    private static let batch = 64
    let target: Target

    func run() async throws -> [Round] {
        let arguments = self.target.arguments
        // Those of the process itself, of look-ups and of the connection that warms up.
        try DescriptorLimit.require(arguments.connections + 64)
        var configuration = self.target.configuration
        let interval = Duration.seconds(arguments.heartBeat)
        configuration.heartBeat = STOMPHeartBeat(outgoing: interval, incoming: interval)
        configuration.reconnect = .never
        configuration.connectTimeout = max(configuration.connectTimeout, .seconds(60))
        // So that what is there once for all connections is there.
        try await withSTOMPClient(self.target.servers, configuration: configuration) { _ in }
        let clients = (0..<arguments.connections).map { _ in
            STOMPClient(self.target.servers, configuration: configuration)
        }
        return try await withThrowingTaskGroup(of: STOMPError?.self) { group in
            let before = ProcessUsage.residentKilobytes()
            try await self.connect(clients, &group)
            let memory = ProcessUsage.residentKilobytes() - before
            let measurement = try await self.idle(clients, configuration.clock)
            let session = clients.first?.session
            let lost = clients.count { !$0.isConnected }
            for client in clients { client.beginGracefulShutdown() }
            var reason: STOMPError?
            for try await error in group { reason = reason ?? error }
            guard lost == 0 else {
                let why = reason.map { ": \($0)" } ?? ""
                throw BenchError("\(lost) of \(clients.count) connections were lost\(why)")
            }
            return [self.round(measurement, session, memory: memory)]
        }
    }

    private func connect(
        _ clients: [STOMPClient],
        _ group: inout ThrowingTaskGroup<STOMPError?, any Error>
    ) async throws {
        for start in stride(from: 0, to: clients.count, by: Self.batch) {
            let some = clients[start..<min(start + Self.batch, clients.count)]
            let streams = some.map(\.events)
            for client in some {
                group.addTask(name: "bench.client") {
                    do throws(STOMPError) {
                        try await client.run()
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            for (client, events) in zip(some, streams) {
                for await _ in events where client.isConnected { break }
                guard client.isConnected else {
                    for client in clients { client.beginGracefulShutdown() }
                    var reason: STOMPError?
                    while reason == nil, let error = try await group.next() { reason = error }
                    throw reason ?? STOMPError(.connectFailed, "A connection ended as soon as it was made.")
                }
            }
            await self.target.progress.note("connected", start + some.count, of: clients.count)
        }
    }

    private func idle(_ clients: [STOMPClient], _ clock: any Clock<Duration>) async throws -> Measurement {
        let stopwatch = Stopwatch()
        let seconds = self.target.arguments.seconds
        if seconds > 0 { try await clock.sleep(for: .seconds(seconds)) }
        return stopwatch.measurement(mode: BenchMode.connections.rawValue, count: clients.count, byteCount: 0)
    }

    private func round(_ measurement: Measurement, _ session: STOMPSessionInfo?, memory: Int) -> Round {
        var round = self.target.round(measurement)
        let count = measurement.count
        round.measurement.size = nil
        round.measurement.connections = count
        // We send a beat after half of the interval, to be on time; the other side is taken to wait for all of it.
        let perSecond = [(session?.outgoingHeartBeat, 2.0), (session?.incomingHeartBeat, 1.0)].reduce(0.0) {
            sum,
            side in
            sum + (side.0.map { side.1 / ($0 / .seconds(1)) } ?? 0)
        }
        let beats = Double(count) * perSecond * measurement.seconds
        let processor = measurement.userSeconds + measurement.systemSeconds
        let perBeat = beats >= 1 ? processor / beats * 1e9 : 0
        let bytes = Double(memory << 10) / Double(count)
        round.measurement.extras = [
            Record.Field(key: "rss_bytes_each", value: .number(bytes.rounded())),
            Record.Field(key: "beats", value: .number(beats.rounded())),
            Record.Field(key: "cpu_ns_per_beat", value: .number(perBeat)),
            Record.Field(key: "lost", value: .number(0)),
        ]
        round.notes = [
            "memory: \(Figure.bytes(Int(bytes))) for each connection",
            "about \(Figure.grouped(Int(beats))) heart-beats, both ways together: "
                + "\(Figure.grouped(Int(perBeat))) ns of CPU for each; "
                + "\(Figure.time(microseconds: processor / Double(count) / max(measurement.seconds, 1e-9) * 1e6)) "
                + "for each connection and second",
            "no connection was lost",
        ]
        return round
    }
}

extension STOMPClient {
    fileprivate var isConnected: Bool {
        if case .connected = self.state { true } else { false }
    }
}
