// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMPTransport

/// A WebSocket of ours, and the other end of the stream that it goes over, where bytes are written by hand.
private struct Hostile {
    let socket: WebSocketTransport
    let peer: any ByteTransport

    init(
        _ role: WebSocketRole = .client,
        capacity: Int = 256 * 1024,
        _ configure: (inout WebSocketOptions) -> Void = { _ in }
    ) {
        let (one, other) = InMemoryPipe.makePair(capacity: capacity)
        var options = WebSocketOptions()
        options.random = FixedNumber(value: 0)
        configure(&options)
        self.socket = WebSocketTransport(over: one, role: role, options: options)
        self.peer = other
    }

    /// What the socket says when it reads on, and what it has answered by then.
    func endOfReading() async throws -> (payload: [UInt8], error: TransportError?, answer: [UInt8]) {
        var payload: [UInt8] = []
        var failure: TransportError?
        do {
            while let bytes = try await self.socket.readSome() { payload += bytes }
        } catch let error as TransportError {
            failure = error
        }
        self.socket.close()
        return (payload, failure, try await self.peer.readToEnd())
    }
}

private let noMask: [UInt8] = [0, 0, 0, 0]

@Suite("A WebSocket as a stream", .timeLimit(.minutes(10)))
struct WebSocketTransportTests {
    @Test("Every Ping has its answer between frames, and no payload")
    func ping() async throws {
        let hostile = Hostile()
        try await hostile.peer.writeAll(frame(9, [1, 2, 3]) + frame(2, [7]) + frame(10, [9]))
        #expect(try await hostile.socket.readSome() == [7])
        #expect(try hostile.socket.readOnce() == .wouldBlock)
        let pong = frame(10, [1, 2, 3], mask: noMask)
        #expect(try await hostile.peer.readExactly(pong.count) == pong)
    }

    @Test("A flood of Pings that nobody takes the answers of grows nothing, and ends with the last one answered")
    func pingFlood() async throws {
        let hostile = Hostile(capacity: 4_096)
        // No room for an answer.
        let filled = try hostile.socket.fill()
        for round in 0..<2_000 {
            try await hostile.peer.writeAll(frame(9, [UInt8](repeating: UInt8(round & 255), count: 125)))
            _ = try hostile.socket.readOnce()
        }
        #expect(hostile.socket.outgoing.withLock { $0.waitingByteCount } < 300 * 1024)
        // Now somebody reads: the frame that was begun, then one Pong.
        async let read = hostile.socket.readSome()
        var received: [UInt8] = []
        let pong = frame(10, [UInt8](repeating: UInt8(1_999 & 255), count: 125), mask: noMask)
        while !received.suffix(pong.count).elementsEqual(pong) {
            if let more = try await hostile.peer.readSome() { received += more }
        }
        try await hostile.peer.writeAll(frame(2, [1]))
        #expect(try await read == [1])
        let decoded = Decoded.decode(received, sender: .client)
        #expect(decoded.payload.count > filled && decoded.payload.allSatisfy { $0 == 120 })
        #expect(decoded.end == nil && decoded.pings.isEmpty)
    }

    @Test("A peer that sends nothing but control frames cannot keep the reader")
    func controlFlood() throws {
        let hostile = Hostile()
        let flood = [UInt8]((0..<100).flatMap { _ in frame(10, []) })
        _ = try hostile.peer.writeOnce(flood[...])
        var buffer = [UInt8](repeating: 0, count: 2)
        var outcomes: [ReadOutcome] = []
        while hostile.socket.unreadByteCount > 0 {
            outcomes.append(
                try buffer.withUnsafeMutableBytes { space in
                    Result { () throws(TransportError) in try hostile.socket.read(into: space) }
                }.get()
            )
        }
        #expect(outcomes.count > 5)
        #expect(outcomes.allSatisfy { $0 == .wouldBlock })
    }

    @Test("A wait after a flood returns, for another look")
    func waitAfterFlood() async throws {
        let hostile = Hostile()
        try await hostile.peer.writeAll([UInt8]((0..<500).flatMap { _ in frame(10, [1]) }) + frame(2, [5]))
        #expect(try await hostile.socket.readSome(limit: 3) == [5])
    }

    @Test("A Close ends the stream after its bytes, and is answered with the same code")
    func close() async throws {
        let hostile = Hostile()
        try await hostile.peer.writeAll(frame(2, [1, 2]) + frame(8, hex("03e8")) + frame(2, [3]))
        let (payload, error, answer) = try await hostile.endOfReading()
        #expect(payload == [1, 2])
        #expect(error == nil)
        #expect(answer == frame(8, hex("03e8"), mask: noMask))
    }

    @Test(
        "A Close with something to say is told",
        arguments: [("03f3", "", "code 1011"), ("03e8", "STOMP died", "code 1000")]
    )
    func closeWithReason(code: String, reason: String, expected: String) async throws {
        let hostile = Hostile()
        try await hostile.peer.writeAll(frame(8, hex(code) + Array(reason.utf8)))
        let (_, error, answer) = try await hostile.endOfReading()
        #expect(error?.kind == .closed)
        #expect(error?.message.contains(expected) == true)
        #expect(error?.message.contains(reason) == true || reason.isEmpty)
        #expect(answer == frame(8, hex(code), mask: noMask))
    }

    @Test("After a Close nothing more is written, and closing twice says it once")
    func writeAfterClose() async throws {
        let hostile = Hostile()
        try await hostile.peer.writeAll(frame(8))
        #expect(try await hostile.socket.readSome() == nil)
        let kind = await errorKind { () throws(TransportError) in _ = try hostile.socket.writeOnce([1]) }
        #expect(kind == .closed)
        hostile.socket.close()
        hostile.socket.close()
        #expect(try await hostile.peer.readToEnd() == frame(8, mask: noMask))
    }

    @Test("Closing says so, and a reset does not")
    func closing() async throws {
        let polite = Hostile(.server)
        polite.socket.close()
        #expect(try await polite.peer.readToEnd() == frame(8, hex("03e8")))
        let rude = Hostile(.server)
        rude.socket.reset()
        #expect(try await rude.peer.readToEnd() == [])
    }

    @Test("The end of the stream without a Close is the end, but not within a message")
    func endOfStream() async throws {
        for (bytes, isWhole) in [
            (frame(2, [1]), true), ([], true), ([0x82], false), (Array(frame(2, [1, 2]).dropLast()), false),
            (frame(2, [1], final: false), false),
        ] {
            let hostile = Hostile()
            try await hostile.peer.writeAll(bytes)
            hostile.peer.close()
            var error: TransportError?
            do {
                while try await hostile.socket.readSome() != nil {}
            } catch let thrown as TransportError {
                error = thrown
            }
            #expect((error == nil) == isWhole, "\(bytes)")
            if !isWhole { #expect(error?.message.contains("ended within a WebSocket message") == true) }
        }
    }

    @Test(
        "What breaks the rules ends the stream after what came before, and is answered with its code",
        arguments: [
            ("c1 00", 1002), ("83 00", 1002), ("81 80 00 00 00 00", 1002), ("82 7f 80 00 00 00 00 00 00 00", 1002),
            ("89 7e 00 ff", 1002), ("80 00", 1002), ("81 01 ff", 1007), ("82 7e 10 00", 1009), ("88 02 03 ed", 1002),
        ] as [(String, UInt16)]
    )
    func violations(bytes: String, code: UInt16) async throws {
        let hostile = Hostile { options in
            options.messageLimit = 1_000
            options.checksText = true
        }
        try await hostile.peer.writeAll(frame(2, [42]) + hex(bytes))
        let (payload, error, answer) = try await hostile.endOfReading()
        #expect(payload == [42])
        #expect(error?.kind == .violation)
        #expect(answer == frame(8, WebSocketClose(code: code).payload, mask: noMask))
    }

    @Test("A server ends what is not masked")
    func unmasked() async throws {
        let hostile = Hostile(.server)
        try await hostile.peer.writeAll(frame(2, [1], mask: [1, 2, 3, 4]) + frame(2, [2]))
        let (payload, error, answer) = try await hostile.endOfReading()
        #expect(payload == [1])
        #expect(error?.kind == .violation)
        #expect(answer == frame(8, hex("03ea")))
    }

    @Test("Endless fragments end at the limit, with and without bytes")
    func endlessFragments() async throws {
        for payload in [[], [1, 2, 3]] as [[UInt8]] {
            let hostile = Hostile { $0.messageLimit = 10_000 }
            let sender = Task {
                var opcode: UInt8 = 2
                while true {
                    try await hostile.peer.writeAll(frame(opcode, payload, final: false))
                    opcode = 0
                }
            }
            var error: TransportError?
            do {
                while try await hostile.socket.readSome() != nil {}
            } catch let thrown as TransportError {
                error = thrown
            }
            #expect(error?.kind == .violation)
            hostile.socket.close()
            _ = await sender.result
        }
    }

    @Test("What is not taken whole is not sent twice, whatever comes in between", arguments: [1, 2, 3, 7, 64, 1_000])
    func shortWrites(capacity: Int) async throws {
        let hostile = Hostile(.client, capacity: capacity) { $0.outgoingMessageSize = 100 }
        let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        async let written: Void = hostile.socket.writeAll(bytes)
        var received: [UInt8] = []
        var payload: [UInt8] = []
        var pings: UInt8 = 0
        var decoder = WebSocketDecoder(sender: .client, messageLimit: 1_000, checksText: false)
        while payload.count < bytes.count, var more = try await hostile.peer.readSome() {
            received += more
            let count = more.withUnsafeMutableBytes { decoder.decode($0) }
            payload += more[..<count]
            // Pings come at any time, and their answers go between frames.
            pings &+= 1
            if capacity > 6 {
                _ = try hostile.peer.writeOnce(frame(9, [pings])[...])
                _ = try hostile.socket.readOnce()
            }
            #expect(decoder.end == nil)
            if decoder.end != nil { break }
        }
        try await written
        #expect(payload == bytes)
    }

    @Test("Text that is not UTF-8 fails the write, and no byte of it goes out")
    func text() async throws {
        let hostile = Hostile { $0.kind = .text }
        #expect(hostile.socket.carriesTextOnly)
        let kind = await errorKind { () throws(TransportError) in
            _ = try hostile.socket.writeOnce([97, 0xFF])
        }
        #expect(kind == .unsendable)
        try await hostile.socket.writeAll(Array("grün".utf8))
        let expected = frame(1, Array("grün".utf8), mask: noMask)
        #expect(try await hostile.peer.readExactly(expected.count) == expected)
    }

    @Test("Reading fills the buffer when there is more, as a socket does")
    func fullReads() async throws {
        let hostile = Hostile()
        let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
        for start in stride(from: 0, to: 1_000, by: 10) {
            try await hostile.peer.writeAll(frame(2, Array(bytes[start..<start + 10])))
        }
        var received: [UInt8] = []
        for _ in 0..<10 {
            let some = try #require(try await hostile.socket.readSome(limit: 100))
            #expect(some.count == 100)
            received += some
        }
        #expect(received == bytes)
    }
}
