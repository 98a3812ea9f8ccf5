// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

/// What others do while the reader holds reads that it has not handed over.
@Suite("In the middle of a turn of several reads", .timeLimit(.minutes(5)))
struct MidTurnTests {
    /// Stands still, and calls somebody whenever the time is asked for: the reader asks after each read.
    private final class ObservedClock: Clock {
        private let clock = ManualClock()
        private let observer = Locked<(@Sendable () -> Void)?>(nil)

        var now: ManualClock.Instant {
            self.observer.withLock { $0 }?()
            return self.clock.now
        }

        var minimumResolution: Duration { self.clock.minimumResolution }

        func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
            try await self.clock.sleep(until: deadline, tolerance: tolerance)
        }

        func observe(_ observer: @escaping @Sendable () -> Void) {
            self.observer.withLock { $0 = observer }
        }
    }

    private static let read = ChunkPool.shared.chunkCapacity

    /// Full reads of one message for each of these subscriptions.
    private static func reads(to subscriptions: [String]) -> String {
        subscriptions.map { id in
            let empty = ConnectedPair.message("", to: id)
            return String(empty.dropLast()) + String(repeating: "x", count: read - empty.utf8.count) + "\0"
        }
        .joined()
    }

    private func withPair(_ body: (ConnectedPair, ObservedClock) async throws -> Void) async throws {
        let clock = ObservedClock()
        let listener = InMemoryListener(pipeCapacity: 32 * Self.read)
        let hub = EventHub()
        async let opened = STOMPConnection.open(
            to: STOMPServer(.inMemory(listener)),
            configuration: .with(\.clock, clock),
            time: TimeSource(clock),
            events: hub
        )
        let peer = ScriptedPeer.Connection(try await listener.accept())
        _ = try await peer.receiveFrame()
        // Only who expects beats takes note of the time of a read.
        try await peer.send("CONNECTED\nversion:1.2\nheart-beat:10000,0\n\n\0")
        let connection = try await opened
        let pair = ConnectedPair(connection: connection, peer: peer, clock: ManualClock(), events: hub.listen())
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = await connection.run() }
            defer { peer.hangUp() }
            try await body(pair, clock)
            peer.hangUp()
            try await group.waitForAll()
        }
    }

    /// Sends full reads, and does this when the first of them was read and not handed over.
    private func send(
        _ subscriptions: [String],
        _ pair: ConnectedPair,
        _ clock: ObservedClock,
        atFirstRead action: @escaping @Sendable () -> Void
    ) async throws {
        let isDue = Shared(true)
        let transport = pair.connection.transport
        try await pair.connection.whileReaderWaits {
            try await pair.peer.send(Self.reads(to: subscriptions))
            clock.observe {
                guard transport.unreadByteCount == (subscriptions.count - 1) * Self.read else { return }
                let isFirst = isDue.withLock { isDue in
                    defer { isDue = false }
                    return isDue
                }
                if isFirst { action() }
            }
        }
    }

    @Test("A subscription that ends then gets nothing of what was read, and the others get theirs")
    func subscriptionEnds() async throws {
        try await self.withPair { pair, clock in
            let ended = try await pair.subscribe("a")
            let other = try await pair.subscribe("b")
            let storage = ended.handle.storage
            try await self.send(["a", "a", "b", "b"], pair, clock) { storage.end(.finished, revoking: false) }
            let id = try await pair.event { event -> String? in
                if case .unexpectedMessage(let id) = event { id } else { nil }
            }
            #expect(id == "a")
            var iterator = ended.makeAsyncIterator()
            #expect(try await iterator.next() == nil)
            var count = 0
            for try await _ in other {
                count += 1
                if count == 2 { break }
            }
        }
    }

    @Test("A pause that becomes necessary then holds back nothing of what was read")
    func pause() async throws {
        try await self.withPair { pair, clock in
            let full = try await pair.subscribe("a") { $0.softLimit = 1 }
            let other = try await pair.subscribe("b") { $0.softLimit = 1 }
            let storage = other.handle.storage
            async let sent: Void = pair.connection.send("x", to: "/r", receipt: .required)
            let id = try #require(try await pair.peer.receiveFrame().header("receipt").flatMap(UInt64.init))
            // Who waits for a receipt keeps the reader from pausing.
            try await pair.deliver(ConnectedPair.message("0", to: "a"))
            #expect(full.handle.storage.isAtSoftLimit)
            let outbox = pair.outbox
            try await self.send(["b", "b", "b", "b"], pair, clock) { _ = outbox.confirm([id]) }
            try await sent
            try await pair.waitForPause()
            #expect(storage.isAtSoftLimit)
            #expect(pair.connection.transport.unreadByteCount == 3 * Self.read)
        }
    }
}
