// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation

/// Gives the jobs that a simulation's thread would hand to the global pool to the simulation instead.
///
/// An actor goes there, in spite of its jobs' executor preference, when it is left while others of them wait for it; and
/// so do unstructured tasks.
enum GlobalJobs {
    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// Set once for the process; jobs of all other threads take their usual way.
    private static let isInstalled: Bool = {
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook") else { return false }
        _ = Self.key
        symbol.assumingMemoryBound(to: Hook?.self).pointee = { job, original in
            guard let executor = GlobalJobs.current else { return original(job) }
            executor.take(job)
        }
        return true
    }()

    private static var current: SimulationExecutor? {
        guard let pointer = pthread_getspecific(Self.key) else { return nil }
        return Unmanaged<SimulationExecutor>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Runs `body` with the calling thread's global jobs in the hands of this executor.
    static func redirected<Value>(to executor: SimulationExecutor, _ body: () -> Value) -> Value {
        precondition(Self.isInstalled, "This runtime has no hook for global jobs.")
        pthread_setspecific(Self.key, Unmanaged.passUnretained(executor).toOpaque())
        defer { pthread_setspecific(Self.key, nil) }
        return body()
    }
}
