// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTransport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("How the reader paces itself", .timeLimit(.minutes(5)))
struct ReadPaceTests {
    @Test("A turn ends with its bytes or its reads, whichever comes first")
    func turn() {
        var pace = ReadPace()
        _ = pace.noteRead(ReadPace.bytesPerTurn - 1, isFull: false)
        #expect(!pace.isTurnOver)
        _ = pace.noteRead(1, isFull: false)
        #expect(pace.isTurnOver)
        pace.endTurn()
        for _ in 1..<ReadPace.readsPerTurn { _ = pace.noteRead(1, isFull: false) }
        #expect(!pace.isTurnOver)
        _ = pace.noteRead(1, isFull: false)
        #expect(pace.isTurnOver)
    }

    @Test("Work begins with a full read, once, and ends when the reader rests for long")
    func work() {
        var pace = ReadPace()
        let begins = [false, true, false, true].map { pace.noteRead(1, isFull: $0) }
        #expect(begins == [false, true, false, false])
        pace.endTurn()
        #expect(pace.isAtWork)
        let ends = (0..<2).map { _ in pace.endWork() }
        #expect(ends == [true, false])
        #expect(!pace.isAtWork)
        let beginsAgain = pace.noteRead(ReadPace.bytesPerTurn, isFull: true)
        #expect(beginsAgain)
        // A turn that goes on after that has no more than others.
        _ = pace.endWork()
        #expect(pace.isTurnOver)
    }

    /// Whether the reader pauses each time that the socket has no more, after reads of these sizes.
    private func looks(after reads: Int..., large: Bool = true, waitBeforeLast: Bool = false) -> [Bool] {
        var pace = ReadPace()
        return reads.enumerated().map { index, byteCount in
            if waitBeforeLast, index == reads.count - 1 { pace.noteWait() }
            _ = pace.noteRead(byteCount, isFull: false)
            pace.endTurn()
            return pace.takePause(hasLargeFrames: large)
        }
    }

    private let before = ReadPace.bytesBeforePause
    private let each = ReadPace.bytesPerPause

    @Test("A stream of large frames that goes on is looked at again after a pause; any other is waited for")
    func pause() {
        #expect(self.looks(after: 0, self.before - 1, 1) == [false, false, true])
        #expect(self.looks(after: self.before, large: false) == [false])
    }

    @Test("One pause follows another while each brings enough; then the reader waits")
    func nextPause() {
        #expect(self.looks(after: 4 * self.before, self.each, self.each, 0) == [true, true, true, false])
        #expect(self.looks(after: 4 * self.before, self.each - 1) == [true, false])
    }

    @Test("After a wait it begins anew")
    func wait() {
        #expect(self.looks(after: self.before, self.each, waitBeforeLast: true) == [true, false])
        #expect(self.looks(after: 0, self.before, waitBeforeLast: true) == [false, true])
    }

    // MARK: - The reader

    /// Waits and pauses of a reader that finds these bytes, and between them nothing.
    private func rests(_ pieces: [String], besideFullBuffer: Bool = false) async throws -> [ScriptedStream.Rest] {
        let stream = ScriptedStream(["CONNECTED\nversion:1.2\n\n\0"] + pieces)
        let attempt = ConnectionAttempt(
            to: [STOMPServer(.inMemory(InMemoryListener()))],
            configuration: SharedConfiguration(STOMPConfiguration()),
            time: TimeSource(ManualClock()),
            events: EventHub()
        )
        var handshake = Handshake(
            transport: stream,
            server: attempt.server,
            configuration: attempt.configuration
        )
        let session = try await handshake.run()
        stream.forgetRests()
        let connection = STOMPConnection(handshake, session: session, of: attempt)
        if besideFullBuffer {
            try await connection.subscribe("full", softLimit: 1, isWaiting: false)
            try await connection.subscribe("waiting", softLimit: 1_000, isWaiting: true)
        }
        let error = await connection.run()
        #expect(error?.code == .connectionLost)
        return stream.rests
    }

    private static func frames(_ count: Int, bodyOf byteCount: Int) -> String {
        String(repeating: ConnectedPair.message(String(repeating: "x", count: byteCount)), count: count)
    }

    @Test("The reader pauses between large frames that keep coming, and waits for any others")
    func reader() async throws {
        let large = Self.frames(5, bodyOf: 60_000)
        let small = Self.frames(300, bodyOf: 1_000)
        let one = Self.frames(1, bodyOf: 70_000)
        #expect(try await self.rests([large]) == [.wait, .pause])
        #expect(try await self.rests([small, small]) == [.wait, .wait, .wait])
        #expect(try await self.rests([large, one, "\n"]) == [.wait, .pause, .pause, .wait])
        // Between these there are waits.
        #expect(try await self.rests([one, one, one, one]) == [.wait, .wait, .wait, .wait, .wait])
        // It goes by the last frame.
        #expect(try await self.rests([large + small]) == [.wait, .wait])
    }

    @Test("While a buffer is full the reader waits: only then does it look for consumers that are stuck")
    func fullBuffer() async throws {
        let large = Self.frames(5, bodyOf: 60_000)
        let message = ConnectedPair.message("x", to: "full")
        #expect(try await self.rests([message, large]) == [.wait, .wait, .pause])
        #expect(try await self.rests([message, large], besideFullBuffer: true) == [.wait, .wait, .wait])
    }

    @Test("Large frames in pieces of any size: all, in their order, and then the end", arguments: [64, 100, 300])
    func largeFrames(kibibytes: Int) async throws {
        let count = 40
        try await ConnectedPair.with(capacity: kibibytes * 1024) { pair in
            let subscription = try await pair.subscribe()
            async let numbers = subscription.reduce(into: [Int]()) { numbers, message in
                numbers.append(message.withBody { Int(String(decoding: $0.prefix { $0 != 32 }, as: UTF8.self)) ?? -1 })
            }
            // In the middle of the stream a frame of ordinary size, and one that is larger than a chunk.
            for number in 0..<count {
                let size = number == count / 2 ? 10 : number == count - 5 ? 200_000 : 65_536
                let body = "\(number) " + String(repeating: "x", count: size)
                try await pair.peer.send(ConnectedPair.message(body, number: number))
            }
            await pair.waitUntilRead()
            async let gone: Void = pair.connection.disconnect()
            #expect(try await pair.confirmFrame().hasPrefix("DISCONNECT\n"))
            await gone
            #expect(try await numbers == Array(0..<count))
        }
    }
}

extension STOMPConnection {
    /// Without a frame: a subscription that nobody takes from.
    fileprivate func subscribe(_ id: String, softLimit: Int, isWaiting: Bool) throws {
        var options = STOMPSubscriptionOptions()
        options.softLimit = softLimit
        let owner = self.outbox.openDeliveries(subscriptionID: id, mode: .auto, session: self.context)
        let storage = SubscriptionStorage(id: id, destination: "/q", options: options, owner: owner, headers: [:])
        storage.delivery.withLock { $0.isWaiting = isWaiting }
        try self.demultiplexer.insert(storage, owner)
    }
}
