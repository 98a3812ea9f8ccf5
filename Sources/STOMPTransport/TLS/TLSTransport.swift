// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import CSystem
import STOMPCore

/// A byte stream through TLS, over any other.
///
/// The reader and the writer use one session: each of OpenSSL's calls is made under one lock. Reading and writing the
/// stream below are not. Whoever sends holds a token meanwhile, so that records go out in the order in which they were
/// made, also when the stream below takes a part of one.
package final class TLSTransport: ByteTransport {
    /// What is being sent.
    ///
    /// `@unchecked Sendable`: it lies in `State.block`, which nobody changes or frees but the holder of the token.
    fileprivate struct Piece: @unchecked Sendable {
        let bytes: UnsafeRawBufferPointer
    }

    /// Where the one reader puts what it reads.
    ///
    /// `@unchecked Sendable`: it lies in the session's chunk, which only the reader's calls let go of.
    private struct Space: @unchecked Sendable {
        let bytes: UnsafeMutableRawBufferPointer
    }

    /// `@unchecked Sendable`: the block's memory is its own, as the engine's is the engine's.
    fileprivate struct State: ~Copyable, @unchecked Sendable {
        var engine: TLSEngine
        /// Records that are being sent, and how far they are.
        var block = csystem_tls_io()
        var blockStart = 0
        /// The token.
        var isSending = false
        /// Bytes whose records are made but were not sent whole.
        ///
        /// The writer was not told that they are taken, and gives them again first: so nothing is left unsent without
        /// somebody who knows.
        var debt = 0
        var isClosed = false
        /// So much came without a byte of plain text that others shall have their turn.
        var isBusy = false

        init(_ engine: consuming TLSEngine) {
            self.engine = engine
        }

        deinit {
            var block = self.block
            csystem_tls_release(&block)
        }
    }

    package let facts: TLSFacts
    private let lower: any ByteTransport
    private let state: Locked<State>

    init(_ engine: consuming TLSEngine, over lower: any ByteTransport) {
        self.facts = engine.facts
        self.lower = lower
        self.state = Locked(State(engine))
    }

    deinit {
        self.close()
    }

    // MARK: - Reading

    /// How often one call reads without getting plain text.
    private static let emptyReads = 16

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> ReadOutcome {
        guard !buffer.isEmpty else { return .bytes(0) }
        var count = 0
        var received: Int?
        var emptyReads = 0
        while true {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let (outcome, mustAnswer, space) = try self.step(received, rest)
            // Such as new keys; if it cannot go out now, it goes before the next bytes that are written.
            if mustAnswer { self.flush() }
            switch outcome {
            case .bytes(let new): count += new
            case .ended: return count > 0 ? .bytes(count) : .endOfStream
            case .needsInput, .open: break
            }
            // Only after a read that was full is there probably more below.
            let isWorthwhile = count == 0 || received == space?.bytes.count
            guard count < buffer.count, isWorthwhile, let space else { return .bytes(count) }
            received = nil
            // A peer that sends nothing but tickets or new keys must not keep us here.
            guard emptyReads < Self.emptyReads else {
                self.state.withLock { $0.isBusy = true }
                return .wouldBlock
            }
            if count == 0 { emptyReads += 1 }
            do throws(TransportError) {
                switch try self.lower.read(into: space.bytes) {
                case .bytes(let new): received = new
                case .wouldBlock:
                    self.state.withLock { $0.engine.releaseInput() }
                    return count > 0 ? .bytes(count) : .wouldBlock
                case .endOfStream:
                    if count > 0 { return .bytes(count) }
                    throw self.truncated()
                }
            } catch {
                // It comes again with the next read.
                if count > 0 { return .bytes(count) }
                throw error
            }
        }
    }

    /// - Returns: what the session has, whether it wants to send something, and where the next input goes, if it has
    ///   none left.
    private func step(
        _ received: Int?,
        _ rest: UnsafeMutableRawBufferPointer
    ) throws(TransportError) -> (TLSEngine.Outcome, mustAnswer: Bool, Space?) {
        do throws(TransportError) {
            return try self.state.withLock { state throws(TransportError) in
                guard !state.isClosed else { throw self.closedError() }
                if let received { state.engine.received(received) }
                let outcome = try state.engine.read(into: rest)
                let space = state.engine.hasInput ? nil : Space(bytes: state.engine.inputSpace())
                return (outcome, state.engine.outputCount > 0, space)
            }
        } catch {
            // The other side learns why, if there is room.
            self.flush()
            throw error
        }
    }

    package func waitUntilReadable() async {
        let (isReady, isBusy) = self.state.withLock { state in
            defer { state.isBusy = false }
            return (state.engine.hasInput || state.isClosed, state.isBusy)
        }
        if isBusy { await Task.yield() }
        guard !isReady, !isBusy else { return }
        await self.lower.waitUntilReadable()
    }

    package var unreadByteCount: Int {
        self.state.withLock { $0.engine.unreadByteCount } + self.lower.unreadByteCount
    }

    // MARK: - Writing

    package func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
        guard !self.state.withLock({ $0.isClosed }) else { throw self.closedError() }
        return try self.transfer(bytes)
    }

    /// Sends what waits, then encrypts and sends these, piece by piece, as far as the stream below takes them.
    ///
    /// - Returns: how many of these have gone out.
    private func transfer(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
        var taken = 0
        var sent: Int?
        while true {
            let piece = try self.state.withLock { state throws(TransportError) -> Piece? in
                if let sent {
                    state.blockStart += sent
                    // There is no more room.
                    if state.blockStart < state.block.output_count {
                        state.isSending = false
                        return nil
                    }
                } else {
                    // Whoever sends now also sends what waits; the writer comes again.
                    guard !state.isSending else { return nil }
                    state.isSending = true
                }
                do throws(TransportError) {
                    return try state.nextPiece(bytes, &taken)
                } catch {
                    state.isSending = false
                    throw error
                }
            }
            guard let piece else { return taken }
            do throws(TransportError) {
                sent = try self.lower.write(piece.bytes)
            } catch {
                self.state.withLock { $0.isSending = false }
                throw error
            }
        }
    }

    /// Sends what waits, as far as there is room.
    ///
    /// That the stream below has failed is for whoever reads or writes next to find.
    func flush() {
        _ = try? self.transfer(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    package func waitUntilWritable() async {
        await self.lower.waitUntilWritable()
    }

    package func waitForMore() async {
        await self.lower.waitForMore()
    }

    // MARK: - Ending

    package func waitUntilHangUp() async {
        await self.lower.waitUntilHangUp()
    }

    package func close() {
        let isFirst = self.state.withLock { state in
            if !state.isClosed, !state.isSending { state.engine.end() }
            defer { state.isClosed = true }
            return !state.isClosed
        }
        // As far as there is room; nobody waits for it.
        if isFirst { self.flush() }
        self.lower.close()
    }

    package func reset() {
        self.state.withLock { $0.isClosed = true }
        self.lower.reset()
    }

    package var peerDescription: String { self.lower.peerDescription }

    package var security: TLSFacts? { self.facts }

    private func closedError() -> TransportError {
        TransportError(
            kind: .closed,
            message: "The connection to \(self.peerDescription) has been closed on this side."
        )
    }

    private func truncated() -> TransportError {
        TransportError(
            kind: .truncated,
            message:
                "The connection to \(self.peerDescription) was cut: it ended without the end of TLS (close_notify)."
        )
    }
}

extension TLSTransport.State {
    /// What the holder of the token sends next; nil gives the token back.
    fileprivate mutating func nextPiece(
        _ bytes: UnsafeRawBufferPointer,
        _ taken: inout Int
    ) throws(TransportError) -> TLSTransport.Piece? {
        if self.blockStart == self.block.output_count {
            self.blockStart = 0
            self.block.output_count = 0
            if self.engine.outputCount == 0 {
                let paid = min(self.debt, bytes.count - taken)
                self.debt -= paid
                taken += paid
                guard taken < bytes.count else {
                    self.isSending = false
                    // An idle connection keeps no large buffers.
                    if self.block.output_capacity > 4 * 1024 { csystem_tls_release(&self.block) }
                    return nil
                }
                let piece = bytes[taken..<min(taken + TLSEngine.pieceSize, bytes.count)]
                try self.engine.write(UnsafeRawBufferPointer(rebasing: piece))
                self.debt += piece.count
            }
            self.engine.swapOutput(&self.block)
        }
        let rest = UnsafeRawBufferPointer(start: self.block.output, count: self.block.output_count)
        return TLSTransport.Piece(bytes: UnsafeRawBufferPointer(rebasing: rest[self.blockStart...]))
    }
}
