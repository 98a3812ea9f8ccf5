// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import TestSupport
import Testing

/// How a broker is reached.
enum BrokerWire: Sendable {
    case tcp
    /// In binary frames; RabbitMQ answers in text ones, also where they are not UTF-8.
    case webSocket
}

/// A broker and a version that it speaks: what the one body of each test runs over.
struct BrokerSession: Sendable, CustomTestStringConvertible {
    let kind: BrokerKind
    let version: STOMPVersion
    var wire = BrokerWire.tcp

    var testDescription: String {
        "\(self.kind.name), STOMP \(self.version)\(self.wire == .tcp ? "" : " over WebSocket")"
    }

    /// Every installed broker in each of its versions, and the last one over WebSocket where it has that.
    static let all = BrokerKind.available.flatMap { kind in
        (kind == .stompserver ? [.v10] : STOMPVersion.all).map { BrokerSession(kind: kind, version: $0) }
            + (kind.webPorts.isEmpty ? [] : [BrokerSession(kind: kind, version: .v12, wire: .webSocket)])
    }

    /// Those of the given broker.
    static func all(of kind: BrokerKind) -> [BrokerSession] {
        self.all.filter { $0.kind == kind }
    }

    /// Those in which UNSUBSCRIBE, or a NACK, gives messages back while the connection lives.
    static let givingBack = Self.all.filter { session in
        session.kind == .activeMQ || (session.kind == .rabbitMQ && session.version > .v10)
    }

    /// The mode to acknowledge message by message in: 1.0 knows only the cumulative one.
    var oneByOne: STOMPAckMode { self.version == .v10 ? .client : .clientIndividual }

    /// Whether the broker sends a second message before the first is acknowledged.
    var sendsAhead: Bool { self.kind != .stompserver }

    // So that heart-beats of a second come in time, by the brokers' measure too.
    private static let turns = Turns(12)

    /// Runs a test's body with the broker; a failure or a passed limit comes with the broker's log.
    func run(
        limit: Duration = .seconds(400),
        _ body: @escaping @Sendable (BrokerFixture) async throws -> Void
    ) async throws {
        let broker = try await RealBroker.shared(self.kind)
        await Self.turns.take {
            await withLimit(limit, log: broker.log) {
                try await body(BrokerFixture(broker: broker, version: self.version, wire: self.wire))
            }
        }
    }
}

/// What the body of a test uses: the broker, and clients of it.
struct BrokerFixture: Sendable {
    let broker: RealBroker
    let version: STOMPVersion
    let wire: BrokerWire

    /// A broker of the whole process in its highest version.
    init(broker: RealBroker, version: STOMPVersion, wire: BrokerWire = .tcp) {
        self.broker = broker
        self.version = version
        self.wire = wire
    }

    var server: STOMPServer {
        let endpoint: STOMPEndpoint =
            switch self.wire {
            case .tcp: .tcp(self.broker.host, port: self.broker.port)
            case .webSocket: .webSocket(self.broker.host, port: self.broker.ports["web"] ?? 0, path: "/ws")
            }
        return STOMPServer(endpoint, login: STOMPLogin("guest", passcode: "guest"))
    }

    /// Offers the one version that is under test.
    var configuration: STOMPConfiguration {
        var configuration = STOMPConfiguration.patient
        configuration.versions = [self.version]
        // How one connection ends is what is tested with it.
        configuration.reconnect = .never
        return configuration
    }

    /// A queue of the test's own.
    func queue(_ label: String) -> STOMPDestination {
        STOMPDestination(uniqueDestination(self.broker.kind, label))
    }

    func withClient<Value>(
        _ configuration: STOMPConfiguration? = nil,
        _ body: (STOMPClient) async throws -> Value
    ) async throws -> Value {
        try await withSTOMPClient(self.server, configuration: configuration ?? self.configuration, body)
    }

    /// Nothing else waits in the queue: what is sent now is what comes first.
    func expectEmpty(_ queue: STOMPDestination, _ client: STOMPClient) async throws {
        try await client.send("last", to: queue, receipt: .required)
        try await client.withSubscription(to: queue, ack: .auto) { rest in
            let texts = try await rest.take(1).map { try $0.text }
            #expect(texts == ["last"])
        }
    }
}

extension STOMPSubscription {
    /// The next messages, so many.
    func take(_ count: Int) async throws -> [STOMPMessage] {
        var messages: [STOMPMessage] = []
        guard count > 0 else { return messages }
        for try await message in self {
            messages.append(message)
            if messages.count == count { break }
        }
        try #require(messages.count == count, "the subscription ended early")
        return messages
    }

    /// Takes the next message, which has this text, and leaves it unanswered.
    func expectText(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let message = try await self.take(1)[0]
        #expect(try message.text == text, sourceLocation: sourceLocation)
    }

    /// Takes the next messages, which have these texts, acknowledging each.
    func expectTexts(_ texts: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let taken = try await self.takeTexts(texts.count)
        #expect(taken == texts, sourceLocation: sourceLocation)
    }

    /// The texts of the next messages, acknowledging each.
    func takeTexts(_ count: Int) async throws -> [String] {
        var texts: [String] = []
        for _ in 0..<count {
            let message = try await self.take(1)[0]
            texts.append(try message.text)
            if message.acknowledgementID != nil { try await message.ack() }
        }
        return texts
    }
}

extension STOMPClient {
    /// The session lives: the broker confirms what is sent.
    func expectAlive(_ queue: STOMPDestination, sourceLocation: SourceLocation = #_sourceLocation) async {
        await #expect(throws: Never.self, sourceLocation: sourceLocation) {
            try await self.send("alive", to: queue, receipt: .required)
        }
    }
}

/// The error that `body` must throw.
func failure(
    sourceLocation: SourceLocation = #_sourceLocation,
    of body: () async throws -> Void
) async -> STOMPError? {
    do {
        try await body()
        Issue.record("no error was thrown", sourceLocation: sourceLocation)
    } catch let error as STOMPError {
        return error
    } catch {
        Issue.record(error, sourceLocation: sourceLocation)
    }
    return nil
}

/// `body` must throw an error with this code.
func expectFailure(
    _ code: STOMPError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    of body: () async throws -> Void
) async {
    let error = await failure(sourceLocation: sourceLocation, of: body)
    #expect(error?.code == code, "\(String(describing: error))", sourceLocation: sourceLocation)
}
