// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPCore
import STOMPTesting
import Testing

@testable import STOMPTransport

/// Attempts that end when the test says so, on a clock that the test moves.
private final class Track: Sendable {
    enum Sign: Equatable, Sendable {
        case started(Int, at: Duration)
        case cancelled(Int)
    }

    private struct State {
        var gates: [Int: Readiness] = [:]
        var results: [Int: Result<String, SystemError>] = [:]
        var discarded: [String] = []
    }

    let clock = ManualClock()
    let signs: AsyncStream<Sign>
    private let sink: AsyncStream<Sign>.Continuation
    private let addresses: [SocketAddress]
    private let state = Locked(State())
    /// These succeed although they are cancelled, as if both had come at the same moment.
    private let stubborn: Set<Int>

    init(count: Int, stubborn: Set<Int> = []) throws {
        self.addresses = try (0..<count).map { try address("10.0.0.1", $0 + 1) }
        self.stubborn = stubborn
        (self.signs, self.sink) = AsyncStream.makeStream()
        self.state.withLock { state in
            for index in 0..<count { state.gates[index] = Readiness() }
        }
    }

    func race(isPaused: Bool = true) -> AddressRace<String> {
        let clock = self.clock
        let pause: @Sendable (Duration) async -> Void = { delay in try? await clock.sleep(for: delay) }
        return AddressRace(
            addresses: self.addresses,
            pause: isPaused ? pause : nil,
            attempt: { address in await self.attempt(address.port - 1) },
            discard: { winner in self.state.withLock { $0.discarded.append(winner) } }
        )
    }

    private func attempt(_ index: Int) async -> Result<String, SystemError>? {
        self.sink.yield(.started(index, at: self.clock.now.offset))
        await self.state.withLock { $0.gates[index] }?.wait()
        if let result = self.state.withLock({ $0.results[index] }) { return result }
        self.sink.yield(.cancelled(index))
        return self.stubborn.contains(index) ? .success("late \(index)") : nil
    }

    func end(_ index: Int, _ result: Result<String, SystemError>) {
        let gate = self.state.withLock { state in
            state.results[index] = result
            return state.gates[index]
        }
        gate?.finish()
    }

    func fail(_ index: Int, _ number: Int32 = ECONNREFUSED) {
        self.end(index, .failure(SystemError(call: "connect", number: number)))
    }

    /// The signs that have come and were not taken.
    func rest() async -> [Sign] {
        self.sink.finish()
        return await self.signs.reduce(into: []) { $0.append($1) }
    }

    var discarded: [String] { self.state.withLock { $0.discarded } }
}

extension AddressRace<String>.Outcome {
    fileprivate var text: String {
        switch self {
        case .won(let winner): "won \(winner)"
        case .lost(let errors): "lost \(errors.map(\.number))"
        }
    }
}

@Suite("The race of addresses", .timeLimit(.minutes(5)))
struct AddressRaceTests {
    @Test("250 ms after each start the next address is tried, the others go on; the winner ends them")
    func delays() async throws {
        let track = try Track(count: 4)
        var signs = track.signs.makeAsyncIterator()
        async let outcome = track.race().run()
        #expect(await signs.next() == .started(0, at: .zero))
        try await track.clock.waitForSleepers(1)
        track.clock.advance(by: .milliseconds(249))
        #expect(track.clock.sleeperCount == 1)
        track.clock.advance(by: .milliseconds(1))
        #expect(await signs.next() == .started(1, at: .milliseconds(250)))
        try await track.clock.waitForSleepers(1)
        track.clock.advance(by: .milliseconds(250))
        #expect(await signs.next() == .started(2, at: .milliseconds(500)))
        track.end(1, .success("second"))
        #expect(await outcome?.text == "won second")
        // All have ended, and nobody sleeps any more.
        let cancelled = await track.rest().sorted { "\($0)" < "\($1)" }
        #expect(cancelled == [.cancelled(0), .cancelled(2)])
        #expect(track.clock.sleeperCount == 0)
        #expect(track.discarded == [])
    }

    @Test("a failure starts the next one at once, and the delay counts from there")
    func failures() async throws {
        let track = try Track(count: 3)
        var signs = track.signs.makeAsyncIterator()
        async let outcome = track.race().run()
        #expect(await signs.next() == .started(0, at: .zero))
        try await track.clock.waitForSleepers(1)
        track.clock.advance(by: .milliseconds(100))
        track.fail(0)
        #expect(await signs.next() == .started(1, at: .milliseconds(100)))
        // The old delay, which starts nothing, and the new one.
        try await track.clock.waitForSleepers(2)
        track.clock.advance(by: .milliseconds(150))
        #expect(track.clock.nextDeadline?.offset == .milliseconds(350))
        track.clock.advance(by: .milliseconds(100))
        #expect(await signs.next() == .started(2, at: .milliseconds(350)))
        // The last one has no delay after it.
        #expect(track.clock.sleeperCount == 0)
        track.end(2, .success("third"))
        #expect(await outcome?.text == "won third")
        #expect(await track.rest() == [.cancelled(1)])
    }

    @Test("when all have failed the reasons come in the order of the addresses, without waiting for a delay")
    func allFail() async throws {
        let track = try Track(count: 3)
        var signs = track.signs.makeAsyncIterator()
        async let outcome = track.race().run()
        #expect(await signs.next() == .started(0, at: .zero))
        try await track.clock.waitForSleepers(1)
        track.clock.advance(by: .milliseconds(250))
        #expect(await signs.next() == .started(1, at: .milliseconds(250)))
        track.fail(1, ENETUNREACH)
        #expect(await signs.next() == .started(2, at: .milliseconds(250)))
        track.fail(2, EHOSTUNREACH)
        track.fail(0, ECONNREFUSED)
        #expect(await outcome?.text == "lost \([ECONNREFUSED, ENETUNREACH, EHOSTUNREACH])")
        #expect(track.clock.sleeperCount == 0)
    }

    @Test("of two that succeed at the same moment one is discarded")
    func twoWinners() async throws {
        let track = try Track(count: 2, stubborn: [0])
        var signs = track.signs.makeAsyncIterator()
        async let outcome = track.race().run()
        #expect(await signs.next() == .started(0, at: .zero))
        try await track.clock.waitForSleepers(1)
        track.clock.advance(by: .milliseconds(250))
        #expect(await signs.next() == .started(1, at: .milliseconds(250)))
        track.end(1, .success("second"))
        #expect(await outcome?.text == "won second")
        #expect(track.discarded == ["late 0"])
    }

    @Test("a cancelled race ends with its attempts, discards what still connects, and starts nothing more")
    func cancellation() async throws {
        let track = try Track(count: 4, stubborn: [1])
        var signs = track.signs.makeAsyncIterator()
        let racing = Task { await track.race().run() }
        #expect(await signs.next() == .started(0, at: .zero))
        try await track.clock.waitForSleepers(1)
        track.clock.advance(by: .milliseconds(250))
        #expect(await signs.next() == .started(1, at: .milliseconds(250)))
        racing.cancel()
        #expect(await racing.value?.text == nil)
        let cancelled = await track.rest().sorted { "\($0)" < "\($1)" }
        #expect(cancelled == [.cancelled(0), .cancelled(1)])
        #expect(track.clock.sleeperCount == 0)
        #expect(track.discarded == ["late 1"])
    }

    @Test("without a time source each address waits for the failure of the one before")
    func oneByOne() async throws {
        let track = try Track(count: 3)
        var signs = track.signs.makeAsyncIterator()
        async let outcome = track.race(isPaused: false).run()
        #expect(await signs.next() == .started(0, at: .zero))
        track.fail(0)
        #expect(await signs.next() == .started(1, at: .zero))
        track.end(1, .success("second"))
        #expect(await outcome?.text == "won second")
        #expect(await track.rest() == [])
        #expect(track.clock.sleeperCount == 0)
    }

    @Test("no address, no race")
    func none() async throws {
        #expect(try await Track(count: 0).race().run()?.text == "lost []")
    }
}
