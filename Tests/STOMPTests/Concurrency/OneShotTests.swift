// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("OneShot", .timeLimit(.minutes(5)))
struct OneShotTests {
    @Test("A value that came before the wait is there")
    func resolvedBefore() async throws {
        let shot = OneShot<Int>()
        #expect(shot.resolve(.success(1)))
        #expect(try await shot.value() == 1)
    }

    @Test("A value that comes during the wait ends it")
    func resolvedAfter() async throws {
        let shot = OneShot<Int>()
        async let value = shot.value()
        await Task.yield()
        #expect(shot.resolve(.success(2)))
        #expect(try await value == 2)
    }

    @Test("An error is thrown")
    func failed() async {
        let shot = OneShot<Int>()
        shot.resolve(.failure(STOMPError(.rejected, "no")))
        let error = await #expect(throws: STOMPError.self) { try await shot.value() }
        #expect(error?.code == .rejected)
    }

    @Test("Only the first resolution counts")
    func firstOnly() async throws {
        let shot = OneShot<Int>()
        #expect(shot.resolve(.success(1)))
        #expect(!shot.resolve(.success(2)))
        #expect(!shot.resolve(.failure(.cancelled)))
        #expect(try await shot.value() == 1)
    }

    @Test("A task that is cancelled before it waits does not wait")
    func cancelledBefore() async {
        let shot = OneShot<Int>()
        let task = Task {
            await eventually { Task.isCancelled }
            return try await shot.value()
        }
        task.cancel()
        let error = await #expect(throws: STOMPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(!shot.resolve(.success(1)))
    }

    @Test("A task that is cancelled while it waits returns")
    func cancelledAfter() async {
        let shot = OneShot<Int>()
        let started = Completion()
        let task = Task {
            started.resolve(.success(()))
            return try await shot.value()
        }
        try? await started.value()
        task.cancel()
        let error = await #expect(throws: STOMPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test("10,000 races between a value and a cancellation have one winner each")
    func races() async {
        for round in 0..<10_000 {
            let shot = OneShot<Int>()
            let waiter = Task { () -> Int? in try? await shot.value() }
            let resolver = Task { shot.resolve(.success(round)) }
            if round.isMultiple(of: 2) { await Task.yield() }
            waiter.cancel()
            let (won, value) = (await resolver.value, await waiter.value)
            // What the resolver is told is what the waiter saw.
            #expect(value == (won ? round : nil))
        }
    }

    // MARK: - Without a value

    @Test("Only the first end counts, and only that one stores")
    func completionStoresOnce() async throws {
        let (completion, stored) = (Completion(), Shared<[Int]>([]))
        #expect(!completion.hasSucceeded)
        #expect(completion.resolve(.success(())) { stored.withLock { $0.append(1) } })
        #expect(!completion.resolve(.success(())) { stored.withLock { $0.append(2) } })
        #expect(!completion.resolve(.failure(.cancelled)) { stored.withLock { $0.append(3) } })
        try await completion.value()
        #expect(completion.hasSucceeded)
        #expect(stored.withLock { $0 } == [1])
    }

    @Test("10,000 races between an end, an error and a cancellation: one of them is what the waiter sees")
    func completionRaces() async {
        for round in 0..<10_000 {
            let completion = Completion()
            let waiter = Task { () -> STOMPError.Code? in
                do throws(STOMPError) {
                    try await completion.value()
                    return nil
                } catch {
                    return error.code
                }
            }
            let success = Task { completion.resolve(.success(())) }
            let failure = Task { completion.resolve(.failure(STOMPError(.rejected, "no"))) }
            if round.isMultiple(of: 2) { await Task.yield() }
            waiter.cancel()
            let (hasSucceeded, hasFailed) = (await success.value, await failure.value)
            let seen = await waiter.value
            #expect(seen == (hasSucceeded ? nil : hasFailed ? .rejected : .cancelled))
            #expect(!(hasSucceeded && hasFailed))
        }
    }
}
