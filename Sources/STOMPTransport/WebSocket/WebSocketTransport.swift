// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization

/// A WebSocket as a byte stream, over any other stream.
///
/// What is read is the payload of the messages, one after the other; what is written goes out in messages of its own
/// cutting. Reading answers Pings and Closes, so both directions write: one lock keeps whole frames in one order, and is
/// held over the lower layer's write, which never waits.
package final class WebSocketTransport: ByteTransport {
    struct Incoming {
        var decoder: WebSocketDecoder
        /// What came along with the handshake.
        var leftover: [UInt8]
        /// Found by the last read; told by the next one.
        var end: End?
        /// So much came without a byte of payload that others shall have their turn.
        var isBusy = false
    }

    enum End {
        case endOfStream
        case failed(TransportError)
    }

    /// How often one call reads without getting payload.
    private static let emptyReads = 16

    let lower: any ByteTransport
    let role: WebSocketRole
    let kind: WebSocketFrameKind
    /// What was agreed on in the handshake.
    package let subprotocol: String?
    let incoming: Locked<Incoming>
    let outgoing: Locked<WebSocketOutgoing>
    let isClosed = Atomic(false)

    /// Made after the handshake; `leftover` is what came with its last bytes.
    init(
        over lower: any ByteTransport,
        role: WebSocketRole,
        options: WebSocketOptions,
        subprotocol: String? = nil,
        leftover: [UInt8] = []
    ) {
        self.lower = lower
        self.role = role
        self.kind = options.kind
        self.subprotocol = subprotocol
        let decoder = WebSocketDecoder(
            sender: role == .client ? .server : .client,
            messageLimit: options.messageLimit,
            checksText: options.checksText
        )
        self.incoming = Locked(Incoming(decoder: decoder, leftover: leftover))
        let encoder = WebSocketEncoder(
            role: role,
            kind: options.kind,
            messageSize: options.outgoingMessageSize,
            random: options.random
        )
        self.outgoing = Locked(WebSocketOutgoing(encoder: encoder))
    }

    deinit {
        self.close()
    }

    package var peerDescription: String { self.lower.peerDescription }

    package var security: TLSFacts? { self.lower.security }

    /// A server sends what is not UTF-8 in binary messages.
    package var carriesTextOnly: Bool { self.kind == .text && self.role == .client }

    // MARK: - Reading

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> ReadOutcome {
        guard !self.isClosed.load(ordering: .acquiring) else { throw self.closedError() }
        guard !buffer.isEmpty else { return .bytes(0) }
        return try self.incoming.withLock { state throws(TransportError) in try self.read(&state, into: buffer) }
    }

    private func read(
        _ state: inout Incoming,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(TransportError) -> ReadOutcome {
        state.isBusy = false
        var filled = 0
        var readCount = 0
        while state.end == nil, readCount < Self.emptyReads {
            let space = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            guard let count = self.receive(&state, into: space) else { break }
            readCount += 1
            filled += self.decode(&state, UnsafeMutableRawBufferPointer(rebasing: space[..<count]))
            // The caller goes by whether a read fills its buffer: as long as there is more, it is filled to its end.
            if filled == buffer.count || (filled > 0 && count < space.count) { break }
        }
        if filled > 0 { return .bytes(filled) }
        switch state.end {
        case .failed(let error): throw error
        case .endOfStream: return .endOfStream
        case nil:
            state.isBusy = readCount == Self.emptyReads
            return .wouldBlock
        }
    }

    /// Nil: nothing is there now, or never again.
    private func receive(_ state: inout Incoming, into space: UnsafeMutableRawBufferPointer) -> Int? {
        guard state.leftover.isEmpty else {
            let count = min(space.count, state.leftover.count)
            space.copyBytes(from: state.leftover[..<count])
            state.leftover.removeFirst(count)
            return count
        }
        do throws(TransportError) {
            switch try self.lower.read(into: space) {
            case .bytes(let count):
                return count
            case .wouldBlock:
                return nil
            case .endOfStream where state.decoder.isBetweenMessages:
                // Without a Close, as many peers go.
                state.end = .endOfStream
            case .endOfStream:
                state.end = .failed(self.lost("ended within a WebSocket message"))
            }
        } catch {
            state.end = .failed(error)
        }
        return nil
    }

    private func decode(_ state: inout Incoming, _ bytes: UnsafeMutableRawBufferPointer) -> Int {
        let count = state.decoder.decode(bytes)
        let ping = state.decoder.takePing()
        var answer: WebSocketClose?
        switch state.decoder.end {
        case .close(let close):
            state.end =
                close.isOrdinary ? .endOfStream : .failed(self.lost("was closed by the peer with \(close.text)"))
            answer = WebSocketClose(code: close.code)
        case .violation(let violation):
            let message = "The WebSocket to \(self.peerDescription) was ended: the peer sent \(violation.reason)."
            state.end = .failed(TransportError(kind: .violation, message: message))
            answer = WebSocketClose(code: violation.closeCode)
        case nil:
            break
        }
        if ping != nil || answer != nil {
            self.outgoing.withLock { outgoing in
                outgoing.answer(ping: ping, close: answer)
                // A failed write is the writer's to report.
                _ = try? outgoing.flush(self.lower)
            }
        }
        return count
    }

    package var unreadByteCount: Int {
        guard !self.isClosed.load(ordering: .acquiring) else { return 0 }
        return self.incoming.withLock { $0.leftover.count } + self.lower.unreadByteCount
    }

    // MARK: - Writing

    package func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
        guard !self.isClosed.load(ordering: .acquiring) else { throw self.closedError() }
        return try self.outgoing.withLock { state throws(TransportError) in
            guard !state.isClosing else { throw self.lost("is being closed") }
            return try state.write(bytes, to: self.lower)
        }
    }

    // MARK: - Waiting

    package func waitUntilReadable() async {
        let (isReady, isBusy) = self.incoming.withLock { state in
            (!state.leftover.isEmpty || state.end != nil, state.isBusy)
        }
        if isBusy { await Task.yield() }
        guard !isReady, !isBusy else { return }
        guard self.outgoing.withLock({ $0.hasAnswer }) else { return await self.lower.waitUntilReadable() }
        // An answer waits for room, and perhaps nobody writes.
        await withTaskGroup { group in
            group.addTask(name: "stomp.websocket.readable") { await self.lower.waitUntilReadable() }
            group.addTask(name: "stomp.websocket.answer") {
                await self.lower.waitUntilWritable()
                self.outgoing.withLock { _ = try? $0.flush(self.lower) }
            }
            await group.next()
            group.cancelAll()
        }
    }

    package func waitUntilWritable() async {
        // What was begun may have been finished by an answer.
        guard !self.outgoing.withLock({ $0.hasProgress }) else { return }
        await self.lower.waitUntilWritable()
    }

    package func waitUntilHangUp() async {
        await self.lower.waitUntilHangUp()
    }

    package func waitForMore() async {
        await self.lower.waitForMore()
    }

    // MARK: - Ending

    /// Says so with a Close, as far as there is room for it.
    package func close() {
        guard !self.isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        self.outgoing.withLock { state in
            state.answer(ping: nil, close: .normal)
            _ = try? state.flush(self.lower)
        }
        self.lower.close()
    }

    package func reset() {
        self.isClosed.store(true, ordering: .releasing)
        self.lower.reset()
    }

    private func closedError() -> TransportError {
        TransportError(
            kind: .closed,
            message: "The WebSocket to \(self.peerDescription) has been closed on this side."
        )
    }

    private func lost(_ reason: String) -> TransportError {
        TransportError(kind: .closed, message: "The WebSocket to \(self.peerDescription) \(reason).")
    }
}
