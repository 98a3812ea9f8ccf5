// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Messages that wait for a connection: a value, bounded in number, bytes and time.
struct SendQueue: Sendable {
    /// A message and what is known about it.
    struct Entry: Sendable {
        let request: SendRequest
        let byteCount: Int
        let deadline: Duration
    }

    /// In order of their deadlines; those before `head` are gone.
    private var entries: [Entry?] = []
    private var head = 0
    private var byteCount = 0

    var isEmpty: Bool {
        self.count == 0
    }

    var count: Int {
        self.entries.count - self.head
    }

    /// Takes a message in.
    ///
    /// - Returns: how many messages were dropped for it, or instead of it.
    /// - Throws: ``STOMPError/Code/outboxFull``.
    mutating func append(
        _ request: SendRequest,
        limits: STOMPSendQueueLimits,
        at now: Duration
    ) throws(STOMPError) -> Int {
        var dropped = self.dropExpired(at: now)
        let size = request.byteCount
        while self.count >= limits.countLimit || self.byteCount + size > limits.byteLimit {
            switch limits.overflow {
            case .dropOldest where !self.isEmpty && size <= limits.byteLimit:
                _ = self.removeFirst()
                dropped += 1
            case .dropOldest, .dropNewest:
                return dropped + 1
            case .refuse:
                throw STOMPError(
                    .outboxFull,
                    "There is no connection, and \(self.count) messages (\(self.byteCount) bytes) wait for one "
                        + "already; the limits are \(limits.countLimit) and \(limits.byteLimit)."
                )
            }
        }
        self.entries.append(Entry(request: request, byteCount: size, deadline: now + limits.timeToLive.bounded))
        self.byteCount += size
        return dropped
    }

    /// The oldest message that may still be sent, and how many were too old.
    mutating func takeFirst(at now: Duration) -> (entry: Entry?, expired: Int) {
        let expired = self.dropExpired(at: now)
        return (self.removeFirst(), expired)
    }

    /// Puts back what was taken first, and not sent.
    mutating func putBack(_ entry: Entry) {
        if self.head > 0 {
            self.head -= 1
            self.entries[self.head] = entry
        } else {
            self.entries.insert(entry, at: 0)
        }
        self.byteCount += entry.byteCount
    }

    /// Forgets all; returns how many there were.
    mutating func removeAll() -> Int {
        defer { self = SendQueue() }
        return self.count
    }

    @discardableResult
    private mutating func removeFirst() -> Entry? {
        guard self.head < self.entries.count, let entry = self.entries[self.head] else { return nil }
        self.entries[self.head] = nil
        self.head += 1
        self.byteCount -= entry.byteCount
        if self.head * 2 > self.entries.count {
            self.entries.removeFirst(self.head)
            self.head = 0
        }
        return entry
    }

    /// When the oldest message is dropped, unless it has gone out before.
    var nextDeadline: Duration? {
        self.head < self.entries.count ? self.entries[self.head]?.deadline : nil
    }

    /// Drops what is too old; returns how many that were.
    mutating func dropExpired(at now: Duration) -> Int {
        var dropped = 0
        while self.head < self.entries.count, let entry = self.entries[self.head], entry.deadline <= now {
            self.removeFirst()
            dropped += 1
        }
        return dropped
    }
}
