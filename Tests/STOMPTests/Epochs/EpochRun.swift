// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

/// A running client on a clock that stands still, and its brokers, connection by connection, in the hands of the test.
///
/// Unless a test says otherwise the delays are 1 s, 2 s, 4 s …, and there are no heart-beats.
final class EpochRun: Sendable {
    typealias Peer = ScriptedPeer.Connection

    let client: STOMPClient
    let listeners: [InMemoryListener]
    let clock: ManualClock
    /// What `run()` threw.
    let end = OneShot<STOMPError?>()
    private let cancellation = Signal()
    private let peers = Locked<[Peer]>([])
    private let log: AsyncStream<STOMPEvent>

    private init(_ client: STOMPClient, _ listeners: [InMemoryListener], _ clock: ManualClock) {
        self.client = client
        self.listeners = listeners
        self.clock = clock
        self.log = client.events
    }

    static let delays = STOMPReconnectPolicy(.exponential(initial: .seconds(1), jitter: 0))

    /// Runs `body` beside the client, then cancels that.
    static func with(
        servers: Int = 1,
        capacity: Int = 256 * 1024,
        _ configure: (inout STOMPConfiguration) -> Void = { _ in },
        list change: (inout STOMPServerList) -> Void = { _ in },
        _ body: (EpochRun) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        let listeners = (0..<servers).map { _ in InMemoryListener(pipeCapacity: capacity) }
        var configuration = STOMPConfiguration()
        configuration.heartBeat = .none
        configuration.reconnect = Self.delays
        configuration.livenessExecutor = nil
        configure(&configuration)
        configuration.clock = clock
        var list = STOMPServerList(listeners.map { STOMPServer(.inMemory($0)) })
        change(&list)
        let run = EpochRun(STOMPClient(list, configuration: configuration), listeners, clock)
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await run.work() }
            do {
                try await body(run)
            } catch {
                Issue.record(error)
            }
            run.cancel()
            for listener in listeners { listener.close() }
            for peer in run.peers.withLock({ $0 }) { peer.hangUp() }
            group.cancelAll()
        }
    }

    private func work() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do throws(STOMPError) {
                    try await self.client.run()
                    self.end.resolve(.success(nil))
                } catch {
                    self.end.resolve(.success(error))
                }
            }
            await self.cancellation.wait()
            group.cancelAll()
        }
    }

    /// Cancels `run()`.
    func cancel() {
        self.cancellation.raise()
    }

    // MARK: - The brokers' part

    /// The next connection, of which nothing has been read.
    func accept(_ server: Int = 0) async throws -> Peer {
        let peer = Peer(try await self.listeners[server].accept())
        self.peers.withLock { $0.append(peer) }
        return peer
    }

    /// The next connection, with an open session.
    func session(_ server: Int = 0, _ headers: String = "version:1.2\n") async throws -> Peer {
        let peer = try await self.accept(server)
        _ = try await peer.receiveFrame()
        try await peer.send("CONNECTED\n\(headers)\n\0")
        return peer
    }

    /// Loses this connection; the next one, which comes after a delay, with an open session.
    func next(after peer: Peer, _ delay: Duration = .seconds(1)) async throws -> Peer {
        peer.hangUp()
        await self.pass(delay)
        return try await self.session()
    }

    // MARK: - Time

    /// Waits until the next thing to happen is so far away, and goes there.
    func pass(_ delay: Duration) async {
        await eventually { self.clock.nextDeadline?.offset == self.clock.now.offset + delay }
        self.clock.advance(by: delay)
    }

    // MARK: - Ours

    var state: String { self.client.state.note }

    /// Waits until calls go to the broker.
    func untilConnected() async {
        await eventually { self.state == "connected" }
    }

    /// Subscribes, and answers that.
    func subscribe(
        _ id: String? = nil,
        to destination: STOMPDestination = "/queue/q",
        ack: STOMPAckMode = .clientIndividual,
        at peer: Peer
    ) async throws -> STOMPSubscription {
        async let subscription = self.client.subscribe(to: destination, ack: ack, id: id)
        try await peer.confirmFrame()
        return try await subscription
    }

    /// Waits for the end of the client; all events of its life, in short.
    func eventsToTheEnd() async throws -> [String] {
        _ = try await self.end.value()
        var notes: [String] = []
        for await event in self.log { notes.append(event.note) }
        return notes
    }

    /// The events up to this one; once.
    func events(until last: String) async -> [String] {
        var notes: [String] = []
        for await event in self.log {
            notes.append(event.note)
            if event.note == last { break }
        }
        return notes
    }
}

extension ScriptedPeer.Connection {
    /// Reads the next frame and confirms it, if it wants that.
    @discardableResult
    func confirmFrame() async throws -> String {
        let frame = try await self.receiveFrame()
        if let id = frame.header("receipt") { try await self.confirm(id) }
        return frame
    }

    func confirm(_ receipt: String) async throws {
        try await self.send("RECEIPT\nreceipt-id:\(receipt)\n\n\0")
    }

    /// An ERROR, followed by the end of the connection unless it names something.
    func refuse(_ headers: String = "") async throws {
        try await self.send("ERROR\nmessage:no\n\(headers)\n\0")
        if headers.isEmpty { try await self.expectHangUp() }
    }

    func deliver(_ body: String, number: Int = 0, to subscription: String = "1") async throws {
        try await self.send(ConnectedPair.message(body, number: number, to: subscription))
    }
}

extension STOMPEvent {
    /// The event in short.
    var note: String {
        switch self {
        case .connecting(_, let attempt): "connecting \(attempt)"
        case .connected: "connected"
        case .resumed(let count): "resumed \(count)"
        case .disconnected(let error): "disconnected \(error.map { "\($0.code)" } ?? "as wished")"
        case .reconnecting(let delay, let error): "reconnecting \(delay / .seconds(1)) \(error.code)"
        case .drained(let report): "drained \(report.isComplete ? "completely" : "partly")"
        case .framesLost(let count): "lost \(count)"
        case .subscriptionFailed(let id, let error): "failed \(id) \(error.code)"
        case .warning: "warning"
        default: "other"
        }
    }
}

extension STOMPClientState {
    /// The state in short.
    var note: String {
        switch self {
        case .idle: "idle"
        case .connecting(_, let attempt): "connecting \(attempt)"
        case .resuming: "resuming"
        case .connected: "connected"
        case .disconnected(let error): "disconnected \(error.map { "\($0.code)" } ?? "as wished")"
        case .waiting(let delay, let error): "waiting \(delay / .seconds(1)) \(error.code)"
        case .closed(let error): "closed \(error.map { "\($0.code)" } ?? "as wished")"
        }
    }
}
