// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// Seam: the one file that knows how the kernel reports readiness. Linux is what is built and tested; the Darwin half
// has the same few functions over kqueue.

#if canImport(Darwin)
import Darwin
#else
import CSystem
#endif

/// The kernel's queue of readiness events, and the means to wake the thread that waits on it.
///
/// A descriptor is armed by whoever is about to wait for it, and reports once: a busy one wakes no thread. Events carry
/// an identifier, never a pointer, so one that is late for a closed descriptor names nobody. The one in use is never
/// closed.
struct EventQueue: Sendable {
    /// What happened to one descriptor.
    struct Event {
        var identifier: UInt64
        var isReadable: Bool
        var isWritable: Bool
        var isHungUp: Bool
        var isFailed: Bool
    }

    /// What to be told about a descriptor.
    struct Interest: OptionSet {
        static let reading = Interest(rawValue: 1)
        static let writing = Interest(rawValue: 2)
        static let hangUp = Interest(rawValue: 4)

        let rawValue: UInt8
    }

    /// The identifier of the wake itself.
    static let wakeIdentifier: UInt64 = 0
    /// The identifier of the timer; registrations start above it.
    static let timerIdentifier: UInt64 = 1

    private let queue: Int32
    #if !canImport(Darwin)
    private let wakeDescriptor: Int32
    private let timerDescriptor: Int32
    #endif

    /// The longest wait with a limit: the time that it goes by stands still while the machine sleeps, so that the one who
    /// waits has to look at the clock from time to time.
    private static let longestWait: Duration = .seconds(10)

    /// Below a second, and not zero, which would be no timer at all.
    private static func nanoseconds(_ time: Duration) -> Int {
        let (seconds, attoseconds) = time.components
        return seconds < 0 || attoseconds < 1_000_000_000 ? 1 : Int(attoseconds / 1_000_000_000)
    }

    /// Whole milliseconds, none of them too early.
    private static func milliseconds(_ limit: Duration) -> Int {
        let (seconds, attoseconds) = min(max(limit, .zero), Self.longestWait).components
        return Int(seconds) * 1_000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}

#if canImport(Darwin)

extension EventQueue {
    init() throws(SystemError) {
        self.queue = try System.check("kqueue") { kqueue() }
        do throws(SystemError) {
            try self.change(0, EVFILT_USER, EV_ADD | EV_CLEAR, Self.wakeIdentifier)
        } catch {
            System.close(self.queue)
            throw error
        }
    }

    func register(_ descriptor: Int32, identifier: UInt64) throws(SystemError) {
        try self.change(UInt(descriptor), EVFILT_READ, EV_ADD | EV_CLEAR, identifier)
        try self.change(UInt(descriptor), EVFILT_WRITE, EV_ADD | EV_CLEAR, identifier)
    }

    /// Edges are reported whether somebody waits or not.
    func arm(_ descriptor: Int32, identifier: UInt64, for interest: Interest) {}

    func unregister(_ descriptor: Int32) {
        try? self.change(UInt(descriptor), EVFILT_READ, EV_DELETE, 0)
        try? self.change(UInt(descriptor), EVFILT_WRITE, EV_DELETE, 0)
    }

    func wake() {
        try? self.change(0, EVFILT_USER, 0, Self.wakeIdentifier, NOTE_TRIGGER)
    }

    /// The wake needs no acknowledgement: `EV_CLEAR` resets it.
    func acknowledgeWake() {}

    /// Reports ``timerIdentifier`` once, after less than a second; returns whether it will.
    func setTimer(after time: Duration) -> Bool {
        var event = kevent(
            ident: UInt(Self.timerIdentifier),
            filter: Int16(EVFILT_TIMER),
            flags: UInt16(EV_ADD | EV_ONESHOT),
            fflags: UInt32(NOTE_NSECONDS),
            data: Self.nanoseconds(time),
            udata: UnsafeMutableRawPointer(bitPattern: UInt(Self.timerIdentifier)),
        )
        return kevent(self.queue, &event, 1, nil, 0, nil) == 0
    }

    /// Reported once, it is gone.
    func acknowledgeTimer() {}

    /// Waits for events, at most so long (nil: without limit), and hands over what came.
    func wait(atMost limit: Duration?, _ body: (Event) -> Void) {
        withUnsafeTemporaryAllocation(of: kevent.self, capacity: 256) { events in
            var time = timespec(tv_sec: 0, tv_nsec: 0)
            if let milliseconds = limit.map(Self.milliseconds) {
                time = timespec(tv_sec: milliseconds / 1_000, tv_nsec: milliseconds % 1_000 * 1_000_000)
            }
            let count = withUnsafePointer(to: &time) { time in
                kevent(self.queue, nil, 0, events.baseAddress, 256, limit == nil ? nil : time)
            }
            for index in 0..<max(Int(count), 0) {
                let event = events[index]
                let isWriteFilter = event.filter == Int16(EVFILT_WRITE)
                let isAtEnd = event.flags & UInt16(EV_EOF) != 0
                body(
                    Event(
                        identifier: UInt64(UInt(bitPattern: event.udata)),
                        isReadable: !isWriteFilter,
                        isWritable: isWriteFilter,
                        isHungUp: isAtEnd,
                        isFailed: isAtEnd && isWriteFilter,
                    )
                )
            }
        }
    }

    private func change(
        _ descriptor: UInt,
        _ filter: Int32,
        _ flags: Int32,
        _ identifier: UInt64,
        _ filterFlags: UInt32 = 0,
    ) throws(SystemError) {
        var event = kevent(
            ident: descriptor,
            filter: Int16(filter),
            flags: UInt16(flags),
            fflags: filterFlags,
            data: 0,
            udata: UnsafeMutableRawPointer(bitPattern: UInt(identifier)),
        )
        try System.check("kevent") { kevent(self.queue, &event, 1, nil, 0, nil) }
    }

    /// Only for a queue that no thread waits on yet.
    func destroy() {
        System.close(self.queue)
    }
}

#else

extension EventQueue {
    init() throws(SystemError) {
        self.queue = try System.check("epoll_create") { csystem_epoll_create() }
        do throws(SystemError) {
            self.wakeDescriptor = try System.check("eventfd") { csystem_eventfd_create() }
        } catch {
            System.close(self.queue)
            throw error
        }
        do throws(SystemError) {
            self.timerDescriptor = try System.check("timerfd_create") { csystem_timer_create() }
        } catch {
            System.close(self.wakeDescriptor)
            System.close(self.queue)
            throw error
        }
        do throws(SystemError) {
            try System.check("epoll_ctl") {
                csystem_epoll_add_wake(self.queue, self.wakeDescriptor, Self.wakeIdentifier)
            }
            try System.check("epoll_ctl") {
                csystem_epoll_add_wake(self.queue, self.timerDescriptor, Self.timerIdentifier)
            }
        } catch {
            self.destroy()
            throw error
        }
    }

    func register(_ descriptor: Int32, identifier: UInt64) throws(SystemError) {
        try System.check("epoll_ctl") { csystem_epoll_add(self.queue, descriptor, identifier) }
    }

    /// Reports the next time that any of this holds, or at once; replaces what was armed before.
    func arm(_ descriptor: Int32, identifier: UInt64, for interest: Interest) {
        var flags: UInt32 = 0
        // Who reads or writes is also to be told that there is no point in it any more.
        if interest.contains(.reading) { flags |= CSYSTEM_READABLE | CSYSTEM_HUNG_UP }
        if interest.contains(.writing) { flags |= CSYSTEM_WRITABLE }
        if interest.contains(.hangUp) { flags |= CSYSTEM_HUNG_UP }
        // It is registered, and not closed while this call uses it: nothing that could fail.
        _ = csystem_epoll_arm(self.queue, descriptor, identifier, flags)
    }

    /// Before the close, because a copy of the descriptor in a forked child would keep the registration alive.
    func unregister(_ descriptor: Int32) {
        _ = csystem_epoll_remove(self.queue, descriptor)
    }

    /// Makes the present or the next `wait` return; callable from any thread.
    func wake() {
        System.addToCounter(self.wakeDescriptor)
    }

    /// Resets the wake; to be called before looking at what it was for.
    func acknowledgeWake() {
        System.resetCounter(self.wakeDescriptor)
    }

    /// Reports ``timerIdentifier`` once, after less than a second; returns whether it will.
    func setTimer(after time: Duration) -> Bool {
        csystem_timer_set(self.timerDescriptor, Self.nanoseconds(time)) == 0
    }

    /// To be called before looking at whom the timer was for.
    func acknowledgeTimer() {
        System.resetCounter(self.timerDescriptor)
    }

    /// Waits for events, at most so long (nil: without limit), and hands over what came; after a signal handler's
    /// interruption nothing.
    func wait(atMost limit: Duration?, _ body: (Event) -> Void) {
        withUnsafeTemporaryAllocation(of: csystem_event.self, capacity: Int(CSYSTEM_EVENT_LIMIT)) { events in
            let milliseconds = limit.map { Int32(Self.milliseconds($0)) } ?? -1
            let count = csystem_epoll_wait(self.queue, events.baseAddress, milliseconds)
            // Only for a descriptor that somebody else has closed: nothing would ever be delivered again.
            precondition(count >= 0, "The process has closed the I/O thread's event queue.")
            for index in 0..<Int(count) {
                let event = events[index]
                body(
                    Event(
                        identifier: event.identifier,
                        isReadable: event.flags & CSYSTEM_READABLE != 0,
                        isWritable: event.flags & CSYSTEM_WRITABLE != 0,
                        isHungUp: event.flags & CSYSTEM_HUNG_UP != 0,
                        isFailed: event.flags & CSYSTEM_FAILED != 0,
                    )
                )
            }
        }
    }

    /// Only for a queue that no thread waits on yet.
    func destroy() {
        System.close(self.timerDescriptor)
        System.close(self.wakeDescriptor)
        System.close(self.queue)
    }
}

#endif
