// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// The process's one I/O thread.
///
/// It waits for readiness, resumes who waits for it, and runs the tasks that prefer it. Those are few and never block:
/// heart-beats stay on time here while handlers hold every thread of the pool. Started by its first use, never ended.
package final class IOThread: TaskExecutor {
    package static let shared = IOThread()

    /// What a registered descriptor is armed and unregistered by.
    struct Registration {
        let queue: EventQueue
        let identifier: UInt64
    }

    private struct State {
        var queue: EventQueue?
        var lastIdentifier = EventQueue.timerIdentifier
        var registrations: [UInt64: DescriptorReadiness] = [:]
        var jobs: [UnownedJob] = []
        /// Who waits for the timer, which is set while there are any.
        var pauses: [CheckedContinuation<Void, Never>] = []
        /// Set from the first job of a batch until the thread takes the batch, so that a batch costs one wake.
        var isWakePending = false
    }

    private let state = Locked(State())

    private init() {}

    // MARK: - Descriptors

    /// What `descriptor` is armed for goes to `readiness` from now on.
    func register(_ descriptor: Int32, _ readiness: DescriptorReadiness) throws(SystemError) -> Registration {
        let (queue, identifier) = try self.state.withLock { state throws(SystemError) in
            let queue = try self.startedQueue(&state)
            state.lastIdentifier += 1
            // Before the kernel knows it, because the first event may come at once.
            state.registrations[state.lastIdentifier] = readiness
            return (queue, state.lastIdentifier)
        }
        do throws(SystemError) {
            try queue.register(descriptor, identifier: identifier)
        } catch {
            self.forget(identifier)
            throw error
        }
        return Registration(queue: queue, identifier: identifier)
    }

    /// No event of this registration is delivered to anybody once this has returned and the present batch has passed.
    func forget(_ identifier: UInt64) {
        let forgotten = self.state.withLock { $0.registrations.removeValue(forKey: identifier) }
        // Released here, outside the lock.
        _ = forgotten
    }

    // MARK: - Pauses

    /// How long a pause is at most.
    private static let pauseNanoseconds = 100_000

    /// Returns after 100 µs, or earlier if somebody else's pause ends; cancelling does not end it.
    func pause() async {
        await withCheckedContinuation { continuation in
            let queue = self.state.withLock { state -> EventQueue? in
                guard let queue = try? self.startedQueue(&state) else { return nil }
                state.pauses.append(continuation)
                // Under the lock, so that the list is never waiting for a timer that is not set; it does not wait.
                if state.pauses.count == 1 { queue.setTimer(nanoseconds: Self.pauseNanoseconds) }
                return queue
            }
            if queue == nil { continuation.resume() }
        }
    }

    // MARK: - Jobs

    /// Takes a job of a task that prefers this thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        enum Outcome {
            case wake(EventQueue)
            case awake
            case noThread
        }
        let outcome = self.state.withLock { state -> Outcome in
            guard let queue = try? self.startedQueue(&state) else { return .noThread }
            state.jobs.append(job)
            if state.isWakePending {
                return .awake
            }
            state.isWakePending = true
            return .wake(queue)
        }
        switch outcome {
        case .wake(let queue): queue.wake()
        case .awake: break
        // A process out of descriptors or threads: late on the pool is better than never.
        case .noThread: globalConcurrentExecutor.enqueue(job)
        }
    }

    // MARK: - The thread

    private func startedQueue(_ state: inout State) throws(SystemError) -> EventQueue {
        if let queue = state.queue {
            return queue
        }
        let queue = try EventQueue()
        do throws(SystemError) {
            try System.startThread { self.run(queue) }
        } catch {
            queue.destroy()
            throw error
        }
        state.queue = queue
        return queue
    }

    private func run(_ queue: EventQueue) {
        var events: [EventQueue.Event] = []
        while true {
            queue.wait { events.append($0) }
            self.deliver(events, queue)
            events.removeAll(keepingCapacity: true)
        }
    }

    private func deliver(_ events: [EventQueue.Event], _ queue: EventQueue) {
        if events.contains(where: { $0.identifier == EventQueue.wakeIdentifier }) {
            // First the wake, then the jobs: a job that comes in between wakes again.
            queue.acknowledgeWake()
        }
        let isTime = events.contains { $0.identifier == EventQueue.timerIdentifier }
        if isTime { queue.acknowledgeTimer() }
        let (targets, jobs, pauses) = self.state.withLock { state in
            state.isWakePending = false
            let (jobs, pauses) = (state.jobs, isTime ? state.pauses : [])
            state.jobs = []
            if isTime { state.pauses = [] }
            return (events.map { state.registrations[$0.identifier] }, jobs, pauses)
        }
        for pause in pauses {
            pause.resume()
        }
        for (event, target) in zip(events, targets) {
            target?.apply(event)
        }
        for job in jobs {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
    }
}
