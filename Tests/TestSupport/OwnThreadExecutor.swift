// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

/// Runs each job on a thread of its own.
///
/// For `#expect(processExitsWith:)`, which blocks its thread until the child process has ended: two children that run
/// for long would take the whole cooperative pool of a machine with two cores, and stop all other tests.
public final class OwnThreadExecutor: TaskExecutor {
    public init() {}

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
