// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPTransport

/// A stream that gives pieces of bytes, after each of them nothing until somebody rests, and then its end.
///
/// No rest takes long; it remembers which there were.
final class ScriptedStream: ByteTransport {
    enum Rest: Equatable {
        case wait
        case pause
    }

    private struct State {
        var pieces: [[UInt8]]
        var position = 0
        var hasRested = true
        var rests: [Rest] = []
    }

    private let state: Shared<State>

    init(_ pieces: [String]) {
        self.state = Shared(State(pieces: pieces.map { Array($0.utf8) }))
    }

    var rests: [Rest] {
        self.state.withLock { $0.rests }
    }

    func forgetRests() {
        self.state.withLock { $0.rests = [] }
    }

    private func rest(_ rest: Rest) {
        self.state.withLock { state in
            state.rests.append(rest)
            state.hasRested = true
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> ReadOutcome {
        // Never filled: a full read would say that there is more.
        let room = max(buffer.count - 1, 1)
        let (bytes, hasEnded) = self.state.withLock { state -> (ArraySlice<UInt8>, Bool) in
            guard state.hasRested else { return ([], false) }
            guard let piece = state.pieces.first else { return ([], true) }
            let bytes = piece[state.position...].prefix(room)
            state.position += bytes.count
            if state.position == piece.count {
                state.pieces.removeFirst()
                state.position = 0
                state.hasRested = false
            }
            return (bytes, false)
        }
        if bytes.isEmpty { return hasEnded ? .endOfStream : .wouldBlock }
        buffer.copyBytes(from: bytes)
        return .bytes(bytes.count)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int { bytes.count }
    func waitUntilReadable() async { self.rest(.wait) }
    func waitUntilWritable() async {}
    func waitUntilHangUp() async {}
    func waitForMore() async { self.rest(.pause) }
    func close() {}
    var unreadByteCount: Int { 0 }
    var peerDescription: String { "scripted" }
}
