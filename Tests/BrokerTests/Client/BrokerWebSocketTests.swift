// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import TestSupport
import Testing

/// What is particular to WebSocket; the other tests run over it as well (`BrokerSession.all`).
@Suite("RabbitMQ over WebSocket", .realBroker(.rabbitMQ))
struct BrokerWebSocketTests {
    private static let session = BrokerSession(kind: .rabbitMQ, version: .v12, wire: .webSocket)

    /// A server whose options are changed.
    private func server(_ fixture: BrokerFixture, _ change: (inout STOMPServer) -> Void) -> STOMPServer {
        var server = fixture.server
        change(&server)
        return server
    }

    @Test("DISCONNECT is answered by a Close, and that is an answer")
    func disconnect() async throws {
        try await Self.session.run { fixture in
            var configuration = fixture.configuration
            // A wait for a RECEIPT would pass the test's limit.
            configuration.shutdownTimeout = .seconds(600)
            for _ in 0..<5 {
                try await fixture.withClient(configuration) { client in
                    try await client.send("last", to: fixture.queue("close"), receipt: .required)
                }
            }
        }
    }

    @Test("Text frames carry texts, and refuse other bodies without harm")
    func textFrames() async throws {
        try await Self.session.run { fixture in
            let server = self.server(fixture) { $0.webSocketOptions.frames = .text }
            let queue = fixture.queue("text")
            try await withSTOMPClient(server, configuration: fixture.configuration) { client in
                try await client.withSubscription(to: queue, ack: .auto) { messages in
                    let text = String(repeating: "Grüße, 世界, 🐈‍⬛\u{0}", count: 20_000)
                    try await client.send(text, to: queue, receipt: .required)
                    let received = try await messages.take(1)[0]
                    #expect(try received.text == text)
                    await expectFailure(.invalidArgument) { try await client.send([0xFF], to: queue) }
                    await client.expectAlive(queue)
                }
            }
        }
    }

    @Test("A text that is not UTF-8 ends the connection when that is asked for")
    func strictChecking() async throws {
        try await Self.session.run { fixture in
            let server = self.server(fixture) { $0.webSocketOptions.textChecking = .strict }
            let queue = fixture.queue("strict")
            let error = await failure {
                try await withSTOMPClient(server, configuration: fixture.configuration) { client in
                    let messages = try await client.subscribe(to: queue, ack: .auto)
                    try await client.send([0xFF, 0xFE], to: queue)
                    for try await _ in messages {}
                }
            }
            // The loop ends with a loss, whose cause that is.
            #expect(error?.code == .connectionLost, "\(String(describing: error))")
            #expect((error?.cause as? STOMPError)?.code == .protocolViolation, "\(String(describing: error))")
        }
    }

    @Test("Another path is refused with its status")
    func wrongPath() async throws {
        try await Self.session.run { fixture in
            let port = fixture.broker.ports["web"] ?? 0
            let error = await failure {
                try await withSTOMPClient(
                    STOMPServer(.webSocket("127.0.0.1", port: port, path: "/nowhere")),
                    configuration: fixture.configuration
                ) { _ in }
            }
            #expect(error?.code == .connectFailed)
            #expect(error?.message.contains("404") == true, "\(String(describing: error))")
        }
    }

    @Test("Heart-beats keep the connection")
    func heartBeats() async throws {
        try await Self.session.run { fixture in
            var configuration = fixture.configuration
            configuration.heartBeat = STOMPHeartBeat(outgoing: .seconds(3), incoming: .seconds(3))
            try await withSTOMPClient(fixture.server, configuration: configuration) { client in
                #expect(client.session?.incomingHeartBeat == .seconds(3))
                // Without beats either side would end it after nine seconds.
                try await RealTime.pass(.seconds(12))
                await client.expectAlive(fixture.queue("beats"))
            }
        }
    }

    @Test("A broker that sends binary frames: NULs, 2 MiB, in either kind of ours, with strict checking")
    func binaryMode() async throws {
        let broker = try await BrokerProcess.start(.rabbitMQ, settings: ["BROKER_WS_FRAME": "binary"])
        await withLimit(.seconds(300), log: Self.log(broker)) {
            let port = broker.ports["web"] ?? 0
            var server = STOMPServer(
                .webSocket("127.0.0.1", port: port, path: "/ws"),
                login: STOMPLogin("guest", passcode: "guest")
            )
            server.webSocketOptions.textChecking = .strict
            let large = (0..<2 * 1024 * 1024).map { UInt8(truncatingIfNeeded: $0 % 251) }
            try await Self.echo([[0, 1, 0, 0xFF, 10, 0], large, []], by: server)
            server.webSocketOptions.frames = .text
            try await Self.echo([Array("ü\u{0}".utf8), [UInt8](repeating: 65, count: 2 * 1024 * 1024)], by: server)
            server.webSocketOptions.outgoingMessageSize = 1_000
            try await Self.echo([[UInt8](repeating: 66, count: 100_000)], by: server)
        }
        _ = try await onOwnThread { broker.stop() }
    }

    private static func log(_ broker: BrokerProcess) -> @Sendable () -> String {
        { broker.log() }
    }

    private static func echo(_ bodies: [[UInt8]], by server: STOMPServer) async throws {
        let queue = STOMPDestination(uniqueDestination(.rabbitMQ, "echo"))
        try await withSTOMPClient(server, configuration: .patient) { client in
            try await client.withSubscription(to: queue, ack: .auto) { messages in
                for body in bodies {
                    try await client.send(body, to: queue, receipt: .required)
                    let message = try await messages.take(1)[0]
                    #expect(message.bodyByteCount == body.count)
                    #expect(message.body == body)
                }
            }
        }
    }
}
