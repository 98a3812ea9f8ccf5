// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
public import STOMPCore

/// A clock that stands still until it is told to move.
///
/// For tests of anything that waits: hand it to the code under test, wait with ``waitForSleepers(_:)`` until that code
/// sleeps, then ``advance(by:)``.
public final class ManualClock: Clock, Sendable {
    /// A point on this clock's scale: how long after the clock's beginning.
    public struct Instant: InstantProtocol, CustomStringConvertible {
        /// How far this instant is from the clock's beginning.
        public let offset: Swift.Duration

        /// The instant so long after the clock's beginning.
        public init(offset: Swift.Duration) {
            self.offset = offset
        }

        /// The instant so much later.
        public func advanced(by duration: Swift.Duration) -> Instant {
            Instant(offset: self.offset + duration)
        }

        /// How much later the other instant is.
        public func duration(to other: Instant) -> Swift.Duration {
            other.offset - self.offset
        }

        /// Whether the first instant is the earlier one.
        public static func < (lhs: Instant, rhs: Instant) -> Bool {
            lhs.offset < rhs.offset
        }

        /// The offset.
        public var description: String {
            "\(self.offset)"
        }
    }

    private struct Sleeper {
        let id: UInt64
        let deadline: Instant
        let alarm: Completion
    }

    private struct Watcher {
        let id: UInt64
        let count: Int
        let alarm: Completion
    }

    private struct State {
        var now = Instant(offset: .zero)
        var lastID: UInt64 = 0
        /// By deadline, and for the same deadline in the order in which they fell asleep.
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []

        mutating func makeID() -> UInt64 {
            self.lastID += 1
            return self.lastID
        }
    }

    private let state = Locked(State())

    /// A clock at its beginning.
    public init() {}

    /// What the clock shows.
    public var now: Instant {
        self.state.withLock { $0.now }
    }

    /// None: it can be moved by any duration.
    public var minimumResolution: Swift.Duration {
        .zero
    }

    /// How many tasks sleep on this clock.
    public var sleeperCount: Int {
        self.state.withLock { $0.sleepers.count }
    }

    /// When the first sleeper is to be woken, if there is one.
    public var nextDeadline: Instant? {
        self.state.withLock { $0.sleepers.first?.deadline }
    }

    /// Sleeps until the clock was moved to `deadline`, or past it.
    ///
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Swift.Duration? = nil) async throws {
        try Task.checkCancellation()
        let alarm = Completion()
        let (id, watchers) = self.state.withLock { state -> (UInt64?, [Watcher]) in
            guard deadline > state.now else { return (nil, []) }
            let id = state.makeID()
            let position = state.sleepers.firstIndex { $0.deadline > deadline } ?? state.sleepers.endIndex
            state.sleepers.insert(Sleeper(id: id, deadline: deadline, alarm: alarm), at: position)
            let count = state.sleepers.count
            let watchers = state.watchers.filter { $0.count <= count }
            state.watchers.removeAll { $0.count <= count }
            return (id, watchers)
        }
        guard let id else { return }
        for watcher in watchers { watcher.alarm.resolve(.success(())) }
        do {
            try await withTaskCancellationHandler {
                try await alarm.value()
            } onCancel: {
                // At once, so that nobody counts a sleeper that is waking up.
                self.removeSleeper(id)
            }
        } catch {
            // Cancelled before the handler could be there.
            self.removeSleeper(id)
            throw CancellationError()
        }
    }

    /// Moves the clock and wakes, in the order of their deadlines, all whose time has come.
    ///
    /// Returns without waiting for what they do then.
    public func advance(by duration: Swift.Duration) {
        self.wake { $0.now.advanced(by: duration) }
    }

    /// Moves the clock to `instant`; never back.
    public func advance(to instant: Instant) {
        self.wake { _ in instant }
    }

    private func wake(_ target: (State) -> Instant) {
        let due = self.state.withLock { state in
            state.now = max(state.now, target(state))
            let now = state.now
            let due = state.sleepers.prefix { $0.deadline <= now }
            state.sleepers.removeFirst(due.count)
            return due
        }
        for sleeper in due { sleeper.alarm.resolve(.success(())) }
    }

    /// Returns when at least `count` tasks sleep on this clock.
    ///
    /// - Throws: ``STOMPError/Code/cancelled``.
    public func waitForSleepers(_ count: Int) async throws(STOMPError) {
        let alarm = Completion()
        let id = self.state.withLock { state -> UInt64? in
            guard state.sleepers.count < count else { return nil }
            let id = state.makeID()
            state.watchers.append(Watcher(id: id, count: count, alarm: alarm))
            return id
        }
        guard let id else { return }
        defer { self.state.withLock { state in state.watchers.removeAll { $0.id == id } } }
        try await alarm.value()
    }

    private func removeSleeper(_ id: UInt64) {
        self.state.withLock { state in state.sleepers.removeAll { $0.id == id } }
    }
}
