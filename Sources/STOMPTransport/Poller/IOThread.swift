// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization

/// The process's one I/O thread.
///
/// It waits for readiness and for times, resumes who waits for them, and runs the tasks that prefer it. Those are few and
/// never block: heart-beats stay on time here while handlers hold every thread of the pool. Started by its first use, never ended.
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
        var pauses = PauseQueue<OnceContinuation<Void>>()
        /// Who sleeps until when.
        var alarms = AlarmQueue<OnceContinuation<Bool>>()
        /// The thread looks at jobs and alarms before it waits again: it is at work, or somebody is about to wake it.
        var isAwake = false

        /// Called when there is something new for the thread.
        ///
        /// - Returns: what to wake once the lock is released, by the first only: a batch costs one wake.
        mutating func rouse(_ queue: EventQueue) -> EventQueue? {
            defer { self.isAwake = true }
            return self.isAwake ? nil : queue
        }
    }

    private let state = Locked(State())
    private let ticketCount = Atomic<UInt64>(0)

    /// Another one than ``shared`` is for tests.
    init() {}

    /// How many sleep until a time.
    var sleeperCount: Int { self.state.withLock { $0.alarms.count } }

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

    /// Returns after 100 µs, or after no less than 50 with somebody else's pause; cancelling does not end it.
    func pause() async {
        await withOnceContinuation { continuation in
            let stranded = self.state.withLock { state -> [OnceContinuation<Void>] in
                guard let queue = try? self.startedQueue(&state) else { return [continuation] }
                let time = state.pauses.append(continuation, at: Self.now)
                return Self.set(queue, time, &state)
            }
            for pause in stranded { pause.resume() }
        }
    }

    /// Sets the timer, under the lock, so that nobody ever waits for one that is not set; it does not wait.
    ///
    /// - Returns: whom it cannot be set for.
    private static func set(
        _ queue: EventQueue,
        _ time: Duration?,
        _ state: inout State
    ) -> [OnceContinuation<Void>] {
        guard let time, !queue.setTimer(after: time) else { return [] }
        return state.pauses.takeAll()
    }

    // MARK: - Alarms

    private enum Outcome {
        /// It is the thread's, which may have to be woken.
        case taken(waking: EventQueue?)
        case isOver
        /// A process out of descriptors or threads.
        case noThread
    }

    private static let start = ContinuousClock.now

    /// How long ago the process began to count, by the usual clock; goes on while the machine sleeps.
    package static var now: Duration {
        self.start.duration(to: .now)
    }

    /// One sleep.
    ///
    /// An object, since who sleeps for months should have little to remember.
    private final class Alarm: Sendable {
        let ticket: UInt64
        let deadline: Duration

        init(_ ticket: UInt64, _ deadline: Duration) {
            self.ticket = ticket
            self.deadline = deadline
        }
    }

    /// Returns at the deadline, a time of ``now``, or, since the thread counts in milliseconds, a few after it; at once
    /// when the task is cancelled.
    ///
    /// Needs no task of its own, and no thread of the pool: so it is also on time when handlers block them all.
    ///
    /// - Returns: whether there was a thread to wait for.
    package func sleep(until deadline: Duration) async -> Bool {
        let alarm = Alarm(self.ticketCount.add(1, ordering: .relaxed).newValue, deadline)
        return await withTaskCancellationHandler {
            await withOnceContinuation { self.keep($0, alarm) }
        } onCancel: {
            self.state.withLock { $0.alarms.remove(alarm.ticket) }?.resume(returning: true)
        }
    }

    /// Whoever takes it out of the alarms resumes it: the thread, or the cancellation.
    private func keep(_ continuation: OnceContinuation<Bool>, _ alarm: Alarm) {
        switch self.state.withLock({ self.begin(&$0, continuation, alarm) }) {
        case .taken(let queue): queue?.wake()
        case .isOver: continuation.resume(returning: true)
        case .noThread: continuation.resume(returning: false)
        }
    }

    private func begin(
        _ state: inout State,
        _ continuation: OnceContinuation<Bool>,
        _ alarm: Alarm
    ) -> Outcome {
        // Cancelled before this is stored: the handler has run and found nobody.
        if Task.isCancelled || alarm.deadline <= Self.now { return .isOver }
        guard let queue = try? self.startedQueue(&state) else { return .noThread }
        let isFirst = state.alarms.next.map { alarm.deadline < $0 } ?? true
        state.alarms.insert(continuation, alarm.ticket, until: alarm.deadline)
        // The thread waits for the first one in any case.
        return .taken(waking: isFirst ? state.rouse(queue) : nil)
    }

    // MARK: - Jobs

    /// Takes a job of a task that prefers this thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let outcome = self.state.withLock { state -> Outcome in
            guard let queue = try? self.startedQueue(&state) else { return .noThread }
            state.jobs.append(job)
            return .taken(waking: state.rouse(queue))
        }
        switch outcome {
        case .taken(let queue): queue?.wake()
        case .isOver: break
        // Late on the pool is better than never.
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
            let limit = self.runJobs()
            queue.wait(atMost: limit) { events.append($0) }
            self.deliver(events, queue)
            events.removeAll(keepingCapacity: true)
        }
    }

    /// Runs the jobs that are there, once.
    ///
    /// - Returns: how long the thread may then wait for events; nil: without limit.
    private func runJobs() -> Duration? {
        let (jobs, limit) = self.state.withLock { state -> ([UnownedJob], Duration?) in
            // Events come in between, also if each job leaves another one behind.
            guard state.jobs.isEmpty else {
                defer { state.jobs = [] }
                return (state.jobs, .zero)
            }
            // From here on, who has something new wakes the thread.
            state.isAwake = false
            return ([], state.alarms.next.map { $0 - Self.now })
        }
        for job in jobs {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
        }
        return limit
    }

    /// Wakes those who wait for these events, or for this time.
    private func deliver(_ events: [EventQueue.Event], _ queue: EventQueue) {
        if events.contains(where: { $0.identifier == EventQueue.wakeIdentifier }) {
            // First the wake, then the jobs: a job that comes in between is run without one.
            queue.acknowledgeWake()
        }
        let isTime = events.contains { $0.identifier == EventQueue.timerIdentifier }
        if isTime { queue.acknowledgeTimer() }
        let (targets, pauses, sleepers) = self.state.withLock { state in
            // What is resumed below and comes back as a job needs no wake.
            state.isAwake = true
            var pauses: [OnceContinuation<Void>] = []
            if isTime {
                let due = state.pauses.takeDue(at: Self.now)
                pauses = due.waiters + Self.set(queue, due.next, &state)
            }
            let sleepers = state.alarms.next == nil ? [] : state.alarms.takeDue(at: Self.now)
            return (events.map { state.registrations[$0.identifier] }, pauses, sleepers)
        }
        for pause in pauses {
            pause.resume()
        }
        for (event, target) in zip(events, targets) {
            target?.apply(event)
        }
        for sleeper in sleepers {
            sleeper.resume(returning: true)
        }
    }
}
