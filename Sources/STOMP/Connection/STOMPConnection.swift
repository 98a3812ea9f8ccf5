// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Synchronization

/// One connection to one broker, from CONNECTED to its end; it does not reconnect.
///
/// The actor owns the session: the parser, what each frame means, and the subscriptions. Frames going out do not pass
/// through it: they are appended to the outbox under its lock.
public actor STOMPConnection {
    /// What was agreed on when the session was opened.
    public nonisolated let session: STOMPSessionInfo
    /// The broker's habits, as detected or configured.
    public nonisolated let dialect: STOMPDialect

    nonisolated let shared: SharedConfiguration
    nonisolated let serializer: FrameSerializer
    nonisolated let transport: any ByteTransport
    nonisolated let outbox: Outbox
    nonisolated let time: TimeSource
    nonisolated let events: EventHub
    nonisolated let liveness: Liveness

    /// Whether another connection may take its subscriptions over.
    nonisolated let keepsSubscriptions: Bool
    /// Whether it ends for another connection, to which its subscriptions go.
    nonisolated let handsOver = Atomic(false)

    var demultiplexer: Demultiplexer
    var machine: ClientSession
    /// Where the broker keeps messages that came too late: to give them back.
    var deliveryTags: DeliveryTags?
    /// Some subscription was at its soft limit when it was last looked at.
    var mayBeFull = false
    /// Subscriptions that did not end with the connection.
    var survivors: [SubscriptionStorage] = []

    init(_ handshake: consuming Handshake, session: STOMPSessionInfo, of attempt: ConnectionAttempt) {
        let configuration = attempt.configuration
        self.session = session
        self.keepsSubscriptions = attempt.circumstances != nil
        self.dialect = configuration.dialect ?? .detected(from: session.serverDescription)
        self.shared = attempt.shared
        var serializer = FrameSerializer(version: session.version)
        serializer.takesTextOnly = handshake.transport.carriesTextOnly
        self.serializer = serializer
        self.transport = handshake.transport
        self.outbox = Outbox(transport: handshake.transport, time: attempt.time, limit: configuration.outboxLimit)
        self.time = attempt.time
        self.events = attempt.events
        var schedule = session.schedule
        if session.version == .v10, let interval = configuration.heartBeat.legacyKeepAlive, interval > .zero {
            schedule.outgoing = interval
        }
        self.liveness = Liveness(
            schedule: schedule,
            tolerance: configuration.heartBeat.tolerance,
            outbox: self.outbox
        )
        self.machine = handshake.session
        self.deliveryTags = self.dialect.lateMessageNotice == nil ? nil : DeliveryTags()
        let rules = HeaderRules(version: session.version, leniency: configuration.leniency)
        self.demultiplexer = Demultiplexer(parser: handshake.parser, rules: rules)
    }

    nonisolated var configuration: STOMPConfiguration { self.shared.value }

    /// What of the session a subscription needs to know.
    nonisolated var context: SessionContext {
        SessionContext(
            version: self.session.version,
            leniency: self.configuration.leniency,
            dialect: self.dialect,
            receiptTimeout: self.configuration.receiptTimeout,
            outboxTimeout: self.configuration.outboxTimeout,
            shutdownTimeout: self.configuration.shutdownTimeout
        )
    }

    /// Who is at the other end, such as `127.0.0.1:61613`.
    public nonisolated var peerDescription: String {
        self.transport.peerDescription
    }

    /// Connects, runs `body`, and disconnects: waits for outstanding receipts, sends DISCONNECT with a receipt, and
    /// closes; each wait is bounded.
    ///
    /// - Throws: what `body` throws; else why no connection could be made, or why it ended before `body` did.
    public static func withConnection<Value>(
        to server: STOMPServer,
        configuration: STOMPConfiguration = STOMPConfiguration(),
        _ body: (STOMPConnection) async throws -> Value
    ) async throws -> Value {
        let attempt = ConnectionAttempt(
            to: [server],
            configuration: SharedConfiguration(configuration),
            time: TimeSource(configuration.clock),
            events: EventHub()
        )
        let connection = try await attempt.open()
        return try await withThrowingTaskGroup(of: STOMPError?.self) { group in
            group.addTask(name: "stomp.connection") { await connection.run() }
            let value = try await withCleanup {
                try await body(connection)
            } cleanup: { _ in
                await connection.disconnect()
            }
            if let error = try await group.next() ?? nil { throw error }
            return value
        }
    }

    /// As ``withConnection(to:configuration:_:)-(STOMPServer,_,_)``, without a login.
    public static func withConnection<Value>(
        to endpoint: STOMPEndpoint,
        configuration: STOMPConfiguration = STOMPConfiguration(),
        _ body: (STOMPConnection) async throws -> Value
    ) async throws -> Value {
        try await self.withConnection(to: STOMPServer(endpoint), configuration: configuration, body)
    }
}
