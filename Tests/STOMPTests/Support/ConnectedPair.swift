// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

/// A running connection of ours on a clock that stands still, and the broker's end of it in the hands of the test.
struct ConnectedPair: Sendable {
    let connection: STOMPConnection
    let peer: ScriptedPeer.Connection
    let clock: ManualClock
    let events: AsyncStream<STOMPEvent>
    /// What `run()` returned.
    let end = OneShot<STOMPError?>()

    /// Connects, runs `body` beside the connection, and hangs up.
    ///
    /// - Parameters:
    ///   - headers: of the CONNECTED frame, each with its EOL.
    ///   - capacity: how many bytes the pipe takes in each direction.
    ///   - configuration: ours, apart from the clock.
    ///   - body: the test.
    /// - Throws: what `body` throws.
    static func with(
        connected headers: String = "version:1.2\n",
        capacity: Int = 256 * 1024,
        configuration: STOMPConfiguration = STOMPConfiguration(),
        _ body: (ConnectedPair) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        var onClock = configuration
        onClock.clock = clock
        let final = onClock
        let listener = InMemoryListener(pipeCapacity: capacity)
        let hub = EventHub()
        async let opened = STOMPConnection.open(
            to: STOMPServer(.inMemory(listener)),
            configuration: final,
            time: TimeSource(clock),
            events: hub
        )
        let peer = ScriptedPeer.Connection(try await listener.accept())
        _ = try await peer.receiveFrame()
        try await peer.send("CONNECTED\n\(headers)\n\0")
        let pair = ConnectedPair(connection: try await opened, peer: peer, clock: clock, events: hub.listen())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { pair.end.resolve(.success(await pair.connection.run())) }
            do {
                try await body(pair)
            } catch {
                peer.hangUp()
                throw error
            }
            peer.hangUp()
            try await group.waitForAll()
        }
    }

    var outbox: Outbox { self.connection.outbox }

    // MARK: - The broker's part

    /// Reads the next frame and confirms it, if it wants that.
    @discardableResult
    func confirmFrame() async throws -> String {
        let frame = try await self.peer.receiveFrame()
        if let id = frame.header("receipt") { try await self.peer.send("RECEIPT\nreceipt-id:\(id)\n\n\0") }
        return frame
    }

    /// A MESSAGE, as bytes.
    static func message(_ body: String, number: Int = 0, to subscription: String = "s") -> String {
        "MESSAGE\nsubscription:\(subscription)\nmessage-id:\(number)\nack:\(number)\ndestination:/q\n\n\(body)\0"
    }

    /// Sends these bytes and waits until the reader has dealt with them.
    func deliver(_ bytes: String) async throws {
        try await self.peer.send(bytes)
        await self.waitUntilRead()
    }

    /// Waits until the reader has dealt with all that was sent.
    func waitUntilRead() async {
        await eventually { self.connection.transport.unreadByteCount == 0 }
        // The reader holds the actor from reading to handing over.
        await self.connection.letReaderFinish()
    }

    // MARK: - Ours

    /// Subscribes, and answers that.
    func subscribe(
        _ id: String = "s",
        ack: STOMPAckMode = .auto,
        options: (inout STOMPSubscriptionOptions) -> Void = { _ in }
    ) async throws -> STOMPSubscription {
        var changed = STOMPSubscriptionOptions()
        options(&changed)
        let final = changed
        async let subscription = self.connection.subscribe(to: "/q", ack: ack, id: id, options: final)
        try await self.confirmFrame()
        return try await subscription
    }

    /// The next event for which `pick` has an answer.
    func event<Value>(_ pick: (STOMPEvent) -> Value?) async throws -> Value {
        for await event in self.events {
            if let value = pick(event) { return value }
        }
        throw CancellationError()
    }

    func waitForPause() async throws {
        try await self.event { event -> Void? in
            if case .readingPaused = event { () } else { nil }
        }
    }

    func waitForResumption() async throws {
        try await self.event { event -> Void? in
            if case .readingResumed = event { () } else { nil }
        }
    }

    /// Whether the reader has read nothing of what was sent.
    var leavesBytesUnread: Bool { self.connection.transport.unreadByteCount > 0 }
}

extension STOMPConnection {
    /// Returns when whoever is on the actor has left it.
    fileprivate func letReaderFinish() {}
}

extension STOMPConfiguration {
    /// The defaults but for one value.
    static func with<Value>(_ path: WritableKeyPath<STOMPConfiguration, Value>, _ value: Value) -> STOMPConfiguration {
        var configuration = STOMPConfiguration()
        configuration[keyPath: path] = value
        return configuration
    }
}

extension String {
    /// The value of a header in a frame as it was sent.
    func header(_ name: String) -> String? {
        self.split(separator: "\n").first { $0.hasPrefix("\(name):") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// What stands between the blank line and the NUL.
    var frameBody: String {
        guard let start = self.firstRange(of: "\n\n") else { return "" }
        return String(self[start.upperBound...].dropLast())
    }
}

extension STOMPConnection {
    /// Whoever calls this must call `run()`.
    static func open(
        to server: STOMPServer,
        configuration: STOMPConfiguration,
        time: TimeSource,
        events: EventHub
    ) async throws(STOMPError) -> STOMPConnection {
        let shared = SharedConfiguration(configuration)
        return try await ConnectionAttempt(to: [server], configuration: shared, time: time, events: events).open()
    }
}

/// Lets others go on until `condition` holds; the suite's time limit ends it.
func eventually(_ condition: () -> Bool) async {
    while !condition(), !Task.isCancelled { await Task.yield() }
}

/// A `Locked` that several tasks can hold.
final class Shared<Value: Sendable>: Sendable {
    private let state: Locked<Value>

    init(_ value: Value) {
        self.state = Locked(value)
    }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        self.state.withLock { body(&$0) }
    }
}
