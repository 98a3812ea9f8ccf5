// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP

/// What all modes need to know: the server, and what is asked for.
struct Target: Sendable {
    let arguments: Arguments
    let configuration: STOMPConfiguration
    let servers: STOMPServerList
    let progress: Progress
    /// What the process took before anything was done.
    let baselineKilobytes = ProcessUsage.residentKilobytes()

    init(_ arguments: Arguments, configuration: STOMPConfiguration, progress: Progress) throws {
        self.arguments = arguments
        self.configuration = configuration
        self.servers = try STOMPServerList(arguments.url)
        self.progress = progress
    }

    /// What carries the bytes.
    var wire: String {
        let endpoint = self.servers.servers.first?.endpoint.description ?? ""
        let schemes = [("ssl://", "tls"), ("ws://", "ws"), ("wss://", "wss"), ("unix:", "unix")]
        return schemes.first { endpoint.hasPrefix($0.0) }?.1 ?? "tcp"
    }

    var body: [UInt8] {
        [UInt8](repeating: UInt8(ascii: "x"), count: self.arguments.size)
    }

    /// Connects, as the command line says where.
    func withClient<Value>(_ body: (STOMPClient) async throws -> Value) async throws -> Value {
        try await withSTOMPClient(self.servers, configuration: self.configuration, body)
    }

    /// A round, with what the command line says about it.
    func round(_ measurement: Measurement, latencies: Latencies? = nil) -> Round {
        var round = Round(measurement, latencies: latencies)
        round.measurement.size = self.arguments.size
        round.measurement.client = "swift-stomp"
        round.measurement.wire = self.wire
        round.measurement.headers = self.arguments.headers
        return round
    }

    /// Whether people are told how far it is after so many messages.
    @inline(__always)
    func tellsProgress(after count: Int) -> Bool {
        count & 8_191 == 0 && self.progress.isShown
    }
}
