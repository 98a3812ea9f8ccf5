// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import STOMPTesting
import Testing

@testable import STOMP

@Suite("withDeadline and withCleanup", .timeLimit(.minutes(5)))
struct WithDeadlineTests {
    private let timeout = STOMPError(.outboxFull, "late")

    private func code(of body: () async throws -> Void) async -> STOMPError.Code? {
        await #expect(throws: STOMPError.self) { try await body() }?.code
    }

    @Test("In time: the value, and the timer is gone")
    func inTime() async throws {
        let clock = ManualClock()
        let value = try await withDeadline(.seconds(1), of: TimeSource(clock), timeout: self.timeout) { 1 }
        #expect(value == 1)
        #expect(clock.sleeperCount == 0)
    }

    @Test("In time: the operation's own error")
    func ownError() async {
        let code = await self.code {
            try await withDeadline(.seconds(1), of: TimeSource(ManualClock()), timeout: self.timeout) {
                () throws(STOMPError) in throw STOMPError(.rejected, "no")
            }
        }
        #expect(code == .rejected)
    }

    @Test("Too late: the operation is cancelled and waited for, then the timeout is thrown")
    func late() async throws {
        let clock = ManualClock()
        let ended = Shared(false)
        let shot = OneShot<Int>()
        let timeout = self.timeout
        let task = Task {
            try await withDeadline(.seconds(1), of: TimeSource(clock), timeout: timeout) { () throws(STOMPError) in
                defer { ended.withLock { $0 = true } }
                return try await shot.value()
            }
        }
        try await clock.waitForSleepers(1)
        clock.advance(by: .seconds(1))
        #expect(await self.code { _ = try await task.value } == .outboxFull)
        #expect(ended.withLock { $0 })
    }

    @Test("A value at the very deadline counts, whoever is first")
    func bothAtOnce() async throws {
        for _ in 0..<500 {
            let clock = ManualClock()
            let shot = OneShot<Int>()
            let timeout = self.timeout
            let task = Task {
                try await withDeadline(.seconds(1), of: TimeSource(clock), timeout: timeout) { () throws(STOMPError) in
                    try await shot.value()
                }
            }
            try await clock.waitForSleepers(1)
            let wasFirst = shot.resolve(.success(1))
            clock.advance(by: .seconds(1))
            #expect(wasFirst)
            #expect(try await task.value == 1)
        }
    }

    @Test("The deadline and the value race: one outcome, the one that the giver was told")
    func races() async throws {
        for _ in 0..<1_000 {
            let clock = ManualClock()
            let shot = OneShot<Int>()
            let timeout = self.timeout
            let task = Task { () -> Int? in
                try? await withDeadline(.seconds(1), of: TimeSource(clock), timeout: timeout) { () throws(STOMPError) in
                    try await shot.value()
                }
            }
            try await clock.waitForSleepers(1)
            let giver = Task { shot.resolve(.success(1)) }
            clock.advance(by: .seconds(1))
            let won = await giver.value
            #expect(await task.value == (won ? 1 : nil))
        }
    }

    @Test("The caller's cancellation is not a timeout")
    func cancelled() async throws {
        let clock = ManualClock()
        let shot = OneShot<Int>()
        let timeout = self.timeout
        let task = Task {
            try await withDeadline(.seconds(1), of: TimeSource(clock), timeout: timeout) { () throws(STOMPError) in
                try await shot.value()
            }
        }
        try await clock.waitForSleepers(1)
        task.cancel()
        #expect(await self.code { _ = try await task.value } == .cancelled)
        #expect(clock.sleeperCount == 0)
    }

    @Test("Cleanup follows a value, an error and a cancellation, is told which, and is itself not cancelled")
    func cleanup() async throws {
        struct Oops: Error {}
        let log = Shared<[String]>([])
        let note: @Sendable (Bool) async -> Void = { failed in
            log.withLock { $0.append("\(failed) \(Task.isCancelled)") }
        }
        #expect(await withCleanup({ 1 }, cleanup: note) == 1)
        await #expect(throws: Oops.self) { try await withCleanup({ throw Oops() }, cleanup: note) }
        let task = Task {
            try await withCleanup(
                {
                    await eventually { Task.isCancelled }
                    try Task.checkCancellation()
                },
                cleanup: note
            )
        }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(log.withLock { $0 } == ["false false", "true false", "true false"])
    }
}
