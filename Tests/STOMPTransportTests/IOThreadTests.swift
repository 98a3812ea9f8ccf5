// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Dispatch
import Foundation
import STOMPTransport
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10)))
struct IOThreadTests {
    private static func currentThread() -> UInt {
        UInt(bitPattern: Int(truncatingIfNeeded: pthread_self()))
    }

    @Test
    func `tasks that prefer it share one thread`() async throws {
        let threads = await withTaskGroup(of: [UInt].self) { group in
            for _ in 0..<50 {
                group.addTask(executorPreference: IOThread.shared) {
                    var seen = [Self.currentThread()]
                    for _ in 0..<10 {
                        await Task.yield()
                        seen.append(Self.currentThread())
                    }
                    return seen
                }
            }
            return await group.reduce(into: Set<UInt>()) { $0.formUnion($1) }
        }
        #expect(threads.count == 1)
        #expect(!threads.contains(Self.currentThread()))
    }

    @Test(.onOwnThread)
    func `it runs while every thread of the pool is blocked`() async throws {
        // In a process of its own: it takes the whole pool.
        await #expect(processExitsWith: .success) {
            /// Lets the last of `count` callers resume who waits.
            final class Gate: Sendable {
                let missing: Mutex<Int>
                let opened: AsyncStream<Void>
                let opener: AsyncStream<Void>.Continuation

                init(count: Int) {
                    self.missing = Mutex(count)
                    (self.opened, self.opener) = AsyncStream.makeStream()
                }

                func arrive() {
                    let isLast = self.missing.withLock { missing in
                        missing -= 1
                        return missing == 0
                    }
                    if isLast {
                        self.opener.finish()
                    }
                }
            }
            func block(_ semaphore: DispatchSemaphore) {
                semaphore.wait()
            }
            let count = ProcessInfo.processInfo.activeProcessorCount
            let semaphore = DispatchSemaphore(value: 0)
            let gate = Gate(count: count)
            let listener = try TCPListener.bind()
            let client = try await TCPConnector(host: "127.0.0.1", port: listener.port).connect()
            let server = try await listener.accept()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        gate.arrive()
                        block(semaphore)
                    }
                }
                group.addTask(executorPreference: IOThread.shared) {
                    for await _ in gate.opened {}
                    // The pool is gone from here on; waiting for a socket or a time and yielding must do without it.
                    for round in 0..<UInt8(20) {
                        await Task.yield()
                        _ = await IOThread.shared.sleep(until: IOThread.now + .microseconds(100))
                        _ = try client.writeOnce([round])
                        #expect(try await server.readSome() == [round])
                    }
                    for _ in 0..<count {
                        semaphore.signal()
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
