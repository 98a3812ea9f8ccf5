// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

@testable import STOMPTransport

@Suite(.timeLimit(.minutes(10)))
struct PauseTests {
    @Test
    func `many pauses at once all end`() async {
        for count in [1, 2, 50, 1_000] {
            for _ in 0..<10 {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<count { group.addTask { await IOThread.shared.pause() } }
                }
            }
        }
    }

    @Test
    func `pauses that follow on pauses all end, while the thread has jobs and events`() async throws {
        let (client, server) = try SmallSockets.makePair()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<300 { await IOThread.shared.pause() } }
            }
            group.addTask(executorPreference: IOThread.shared) {
                // On the thread that is to end it.
                for _ in 0..<300 { await IOThread.shared.pause() }
            }
            group.addTask(executorPreference: IOThread.shared) {
                for _ in 0..<5_000 { await Task.yield() }
            }
            group.addTask { try await client.writeSeries(500_000, from: 0) }
            group.addTask {
                let isWhole = try await server.readSeries(500_000, from: 0)
                #expect(isWhole)
            }
            try await group.waitForAll()
        }
    }

    @Test
    func `a cancelled task's pause ends too`() async {
        for round in 0..<200 {
            let task = Task {
                if round % 2 == 0 { withUnsafeCurrentTask { $0?.cancel() } }
                await IOThread.shared.pause()
            }
            if round % 4 == 1 { task.cancel() }
            await task.value
        }
    }
}
