// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore

/// The bytes that wait for one client, filled by whoever has something for it, emptied by its writer task.
///
/// Its bound is kept by those who fill it: they are told when it is reached, and told again when there is room.
final class BrokerOutbox: Sendable {
    /// What the writer is to do next.
    enum Next {
        case write([UInt8])
        case wait
        case end
    }

    private struct State {
        var pending: [UInt8] = []
        /// Taken by the writer and not written yet.
        var underWay = 0
        var isFinished = false
        var wantsRoom = false
        var lastWrite: Duration

        var byteCount: Int {
            self.pending.count + self.underWay
        }
    }

    private let limit: Int
    private let state: Locked<State>
    private let filled = Signal()

    init(limit: Int, now: Duration) {
        self.limit = max(limit, 1)
        self.state = Locked(State(lastWrite: now))
    }

    /// When the client was last written to.
    var lastWrite: Duration {
        self.state.withLock { $0.lastWrite }
    }

    /// Whether the bound is reached; if so, ``wrote(_:now:)`` will tell when there is room again.
    var isFull: Bool {
        self.state.withLock { self.checkFull(&$0) }
    }

    private func checkFull(_ state: inout State) -> Bool {
        guard state.byteCount >= self.limit else { return false }
        state.wantsRoom = true
        return true
    }

    /// Adds bytes, unless the outbox is finished.
    ///
    /// - Returns: whether the bound is reached now; see ``isFull``.
    @discardableResult
    func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let isFull = self.state.withLock { state in
            guard !state.isFinished else { return false }
            state.pending.append(contentsOf: bytes)
            return self.checkFull(&state)
        }
        self.filled.raise()
        return isFull
    }

    /// An EOL, if nothing else is on its way.
    func appendHeartBeat() {
        let isAppended = self.state.withLock { state in
            guard !state.isFinished, state.byteCount == 0 else { return false }
            state.pending.append(UInt8(ascii: "\n"))
            return true
        }
        if isAppended { self.filled.raise() }
    }

    /// Nothing can be added any more; the writer ends when it has written what is there.
    func finish() {
        self.state.withLock { $0.isFinished = true }
        self.filled.raise()
    }

    // MARK: - The writer's side

    /// Waits for something to do.
    func wait() async {
        await self.filled.wait()
    }

    func next() -> Next {
        self.state.withLock { state in
            guard !state.pending.isEmpty else { return state.isFinished ? .end : .wait }
            let bytes = state.pending
            state.pending = []
            state.underWay = bytes.count
            return .write(bytes)
        }
    }

    /// So many bytes are with the client.
    ///
    /// - Returns: whether somebody has to be told that there is room again.
    func wrote(_ count: Int, now: Duration) -> Bool {
        self.state.withLock { state in
            state.underWay -= count
            state.lastWrite = now
            guard state.wantsRoom, state.byteCount <= self.limit / 2 else { return false }
            state.wantsRoom = false
            return true
        }
    }
}
