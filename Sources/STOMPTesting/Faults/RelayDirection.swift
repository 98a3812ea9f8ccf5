// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTransport

/// Passes on the bytes of one direction, with what goes wrong on the way.
package final class RelayDirection: Sendable {
    /// Why nothing is passed on any more.
    enum End: Sendable {
        /// The stream has ended, or the task was cancelled.
        case sourceEnded
        /// The receiver takes no more.
        case sinkEnded
        /// As planned.
        case cut
    }

    private enum Step {
        case move(count: Int, delay: Duration, time: Duration)
        case pause(Duration)
        case stall
        case cut
    }

    private struct State {
        var faults: FaultPlan.Direction
        var random: SplitMix64
        var passedCount = 0
    }

    private static let readLimit = 16 * 1024

    private let time: TimeSource
    private let state: Locked<State>
    private let changed = Signal()

    init(_ faults: FaultPlan.Direction, seed: UInt64, time: TimeSource) {
        self.time = time
        self.state = Locked(State(faults: faults, random: SplitMix64(seed: seed)))
    }

    /// How many bytes have been passed on.
    package var passedCount: Int {
        self.state.withLock { $0.passedCount }
    }

    /// Changes what goes wrong from now on; a piece that is under way is not hurried.
    package func change(_ body: (_ faults: inout FaultPlan.Direction, _ passedCount: Int) -> Void) {
        self.state.withLock { state in body(&state.faults, state.passedCount) }
        self.changed.raise()
    }

    /// Passes on until the end.
    func run(from source: any ByteTransport, to sink: any ByteTransport, _ frames: FaultPlan.Frames) async -> End {
        var filter = FrameFaults(frames)
        while !Task.isCancelled {
            // Before reading, so that what is not read presses back on the sender.
            if case .cut? = await self.nextStep(of: Self.readLimit) { return .cut }
            switch Self.read(from: source) {
            case .some(let bytes) where bytes.isEmpty:
                await source.waitUntilReadable()
            case .some(let bytes):
                if let end = await self.pass(filter.pass(bytes[...]), to: sink) { return end }
            case nil:
                return .sourceEnded
            }
        }
        return .sourceEnded
    }

    /// - Returns: none if there are none now, `nil` at the end.
    private static func read(from source: any ByteTransport) -> [UInt8]? {
        var hasEnded = false
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.readLimit) { buffer, count in
            // A stream that failed has ended.
            switch (try? source.read(into: UnsafeMutableRawBufferPointer(buffer))) ?? .endOfStream {
            case .bytes(let read): count = read
            case .wouldBlock: break
            case .endOfStream: hasEnded = true
            }
        }
        return hasEnded ? nil : bytes
    }

    /// - Returns: the end, if it has come to that.
    private func pass(_ bytes: [UInt8], to sink: any ByteTransport) async -> End? {
        var position = 0
        while position < bytes.count {
            guard case .move(let count, let delay, let time)? = await self.nextStep(of: bytes.count - position) else {
                return Task.isCancelled ? .sourceEnded : .cut
            }
            if delay > .zero { await self.sleep(delay) }
            guard await self.write(bytes[position..<position + count], to: sink) else {
                return Task.isCancelled ? .sourceEnded : .sinkEnded
            }
            position += count
            self.state.withLock { $0.passedCount += count }
            if time > .zero { await self.sleep(time) }
        }
        return nil
    }

    private func write(_ piece: ArraySlice<UInt8>, to sink: any ByteTransport) async -> Bool {
        var rest = piece
        while !rest.isEmpty, !Task.isCancelled {
            guard let count = rest.withUnsafeBytes({ bytes in try? sink.write(bytes) }) else { return false }
            rest = rest.dropFirst(count)
            if count == 0 { await sink.waitUntilWritable() }
        }
        return rest.isEmpty
    }

    private func sleep(_ duration: Duration) async {
        await self.time.sleep(until: self.time.now + duration)
    }

    // MARK: - What happens next

    /// Waits through pauses and stalls.
    ///
    /// - Returns: a move or a cut; `nil` if the task was cancelled.
    private func nextStep(of count: Int) async -> Step? {
        while !Task.isCancelled {
            let step = self.state.withLock { Self.step(&$0, of: count) }
            switch step {
            case .pause(let duration): await self.sleep(duration)
            case .stall: await self.changed.wait()
            case .move, .cut: return step
            }
        }
        return nil
    }

    private static func step(_ state: inout State, of available: Int) -> Step {
        let passed = state.passedCount
        if let limit = state.faults.cutAfter, passed >= limit { return .cut }
        if let limit = state.faults.stallAfter, passed >= limit { return .stall }
        if let limit = state.faults.pauseAfter, passed >= limit {
            state.faults.pauseAfter = nil
            return .pause(state.faults.pause)
        }
        // Each fault happens at exactly its byte.
        let limits = [state.faults.cutAfter, state.faults.stallAfter, state.faults.pauseAfter].compactMap(\.self)
        var count = limits.map { $0 - passed }.reduce(available, min)
        if let limit = state.faults.pieceLimit { count = min(count, state.random.number(in: 1...max(limit, 1))) }
        var time = Duration.zero
        if let rate = state.faults.bytesPerSecond {
            // Some ten pieces in a second.
            count = min(count, max(rate / 10, 1))
            time = .seconds(1) / max(rate, 1) * count
        }
        return .move(count: count, delay: state.faults.delay, time: time)
    }
}
