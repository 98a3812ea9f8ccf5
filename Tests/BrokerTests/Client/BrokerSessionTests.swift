// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import Testing

@Suite("Sessions with real brokers", .realBrokers)
struct BrokerSessionTests {
    @Test("Each version connects, and the broker is recognised", arguments: BrokerSession.all)
    func connects(session: BrokerSession) async throws {
        try await session.run { fixture in
            let dialects: [BrokerKind: STOMPDialect] = [
                .rabbitMQ: .rabbitMQ, .activeMQ: .activeMQ, .stompserver: .generic,
            ]
            try await fixture.withClient { client in
                #expect(client.session?.version == session.version)
                #expect(client.dialect == dialects[session.kind])
                #expect(client.session?.sessionID?.isEmpty == false)
            }
        }
    }

    @Test("Of all versions the highest is chosen", arguments: BrokerKind.available)
    func highestVersion(kind: BrokerKind) async throws {
        try await BrokerSession(kind: kind, version: .v12).run { fixture in
            try await fixture.withClient(STOMPConfiguration()) { client in
                #expect(client.session?.version == (kind == .stompserver ? .v10 : .v12))
                let beats: Duration? = kind == .stompserver ? nil : .seconds(10)
                #expect(client.session?.outgoingHeartBeat == beats)
                #expect(client.session?.incomingHeartBeat == beats)
            }
        }
    }

    @Test("The STOMP command connects, or is refused by a broker that does not know it", arguments: BrokerSession.all)
    func stompCommand(session: BrokerSession) async throws {
        try await session.run { fixture in
            var configuration = fixture.configuration
            configuration.connectCommand = .stomp
            if session.kind == .stompserver {
                let error = await failure {
                    try await fixture.withClient(configuration) { _ in }
                }
                #expect(error?.code == .connectRefused, "\(String(describing: error))")
            } else {
                try await fixture.withClient(configuration) { client in
                    #expect(client.session?.version == session.version)
                }
            }
        }
    }

    @Test("A wrong password is refused, and never repeated", arguments: BrokerSession.all)
    func wrongPassword(session: BrokerSession) async throws {
        try await session.run { fixture in
            var server = fixture.server
            server.login = STOMPLogin("guest", passcode: "not-the-password")
            let error = await failure {
                try await withSTOMPClient(server, configuration: fixture.configuration) { _ in }
            }
            #expect(error?.code == .connectRefused, "\(String(describing: error))")
            #expect(error?.isRetriable == false)
            #expect(error.map { "\($0)" }?.contains("not-the-password") == false)
        }
    }

    @Test(
        "RabbitMQ has the virtual host / and refuses an unknown one",
        .realBroker(.rabbitMQ),
        arguments: STOMPVersion.all
    )
    func virtualHost(version: STOMPVersion) async throws {
        try await BrokerSession(kind: .rabbitMQ, version: version).run { fixture in
            var server = fixture.server
            #expect(server.virtualHost == "/")
            server.virtualHost = "/nowhere"
            let error = await failure {
                try await withSTOMPClient(server, configuration: fixture.configuration) { _ in }
            }
            #expect(error?.code == .connectRefused, "\(String(describing: error))")
        }
    }

    @Test("At the end of the scope all that was sent has arrived", arguments: BrokerSession.all)
    func disconnect(session: BrokerSession) async throws {
        try await session.run { fixture in
            let queue = fixture.queue("disconnect")
            var ended: STOMPClient?
            // stompserver closes without the RECEIPT: that is an answer too. A wait for more would pass the limit.
            var configuration = fixture.configuration
            configuration.shutdownTimeout = .seconds(600)
            try await fixture.withClient(configuration) { client in
                ended = client
                for number in 0..<100 { try await client.send("\(number)", to: queue) }
            }
            let error = await failure {
                try await ended?.send("late", to: queue)
            }
            #expect(error?.code == .closed)
            try await fixture.withClient { client in
                try await client.withSubscription(to: queue, ack: session.oneByOne) { messages in
                    let texts = try await messages.takeTexts(100)
                    #expect(texts == (0..<100).map { "\($0)" })
                }
            }
        }
    }

    @Test("The events tell of the session's beginning and wished end", arguments: BrokerSession.all)
    func events(session: BrokerSession) async throws {
        try await session.run { fixture in
            let client = STOMPClient(fixture.server, configuration: fixture.configuration)
            let events = client.events
            async let end: Void = client.run()
            var seen: [String] = []
            for await event in events {
                switch event {
                case .connected(let info):
                    seen.append("connected \(info.version)")
                case .resumed:
                    client.beginGracefulShutdown()
                case .connecting, .drained:
                    break
                case .disconnected(let error):
                    seen.append("disconnected \(error?.description ?? "as wished")")
                default:
                    seen.append("\(event)")
                }
            }
            try await end
            #expect(seen == ["connected \(session.version)", "disconnected as wished"])
        }
    }
}
