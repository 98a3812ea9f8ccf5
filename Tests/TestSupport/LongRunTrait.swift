// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPCore
public import Testing

/// Runs tests that compute for seconds without a pause, one after the other on one thread.
///
/// On the cooperative pool of a machine with two cores they would keep all others waiting, also those that look at real
/// time; on a thread each they would take the processor from them. That thread has the lowest priority.
public struct LongRunTrait: TestTrait, SuiteTrait, TestScoping {
    public var isRecursive: Bool { true }

    @concurrent
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(LongRunExecutor.shared) { try await function() }
    }
}

extension Trait where Self == LongRunTrait {
    /// For tests that compute for long without a pause.
    public static var longRun: LongRunTrait { LongRunTrait() }
}

private final class LongRunExecutor: TaskExecutor {
    static let shared = LongRunExecutor()

    private let jobs = Locked<[UnownedJob]>([])
    private let count = DispatchSemaphore(value: 0)

    private init() {
        Thread.detachNewThread {
            #if canImport(Glibc)
            // Of this thread: whoever looks at real time goes first.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
            #endif
            while true {
                self.count.wait()
                self.jobs.withLock { $0.removeFirst() }.runSynchronously(on: self.asUnownedTaskExecutor())
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.jobs.withLock { $0.append(job) }
        self.count.signal()
    }
}
