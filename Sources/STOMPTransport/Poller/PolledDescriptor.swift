// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization

/// Owns a socket's number: registered with the I/O thread, closed exactly once, and never while a call uses it.
///
/// A closed number may be another socket's a moment later. So each call on it is counted, `close()` refuses new ones,
/// and whoever leaves last closes the number. The count and the closed mark are one atomic, two cheap steps per call.
final class PolledDescriptor: Sendable {
    private static let closedMark: UInt64 = 1 << 63

    let readiness: DescriptorReadiness
    private let number: Int32
    private let registration: IOThread.Registration
    private let uses = Atomic<UInt64>(0)

    /// Takes the descriptor over, also when it throws.
    init(adopting number: Int32) throws(SystemError) {
        let readiness = DescriptorReadiness()
        do throws(SystemError) {
            self.registration = try IOThread.shared.register(number, readiness)
        } catch {
            System.close(number)
            throw error
        }
        self.number = number
        self.readiness = readiness
    }

    deinit {
        self.close()
    }

    /// Lends the number to a call that does not wait; nil after `close()`.
    @inline(__always)
    func use<Value>(_ body: (Int32) throws(SystemError) -> Value) throws(SystemError) -> Value? {
        guard self.enter(marking: 0) else { return nil }
        defer { self.leave() }
        return try body(self.number)
    }

    /// Idempotent; the waiters return at once, the number is closed when the last call has left it.
    func close() {
        guard self.enter(marking: Self.closedMark) else { return }
        IOThread.shared.forget(self.registration.identifier)
        // Ends the connection even if a forked child holds a copy of the descriptor.
        System.shutDown(self.number)
        self.readiness.finish()
        self.leave()
    }

    // MARK: - Waiting

    /// Returns when a read may succeed or tell the end, when closed, or when the task is cancelled; also early.
    func waitUntilReadable() async {
        await self.readiness.readable.wait { self.arm(.reading) }
    }

    /// Returns when a write may succeed or tell the end, when closed, or when the task is cancelled; also early.
    func waitUntilWritable() async {
        await self.readiness.writable.wait { self.arm(.writing) }
    }

    /// Returns when the peer has hung up, when closed, or when the task is cancelled; not early.
    func waitUntilHangUp() async {
        let hungUp = self.readiness.hungUp
        while !hungUp.isFinished, !Task.isCancelled {
            hungUp.exhausted(since: hungUp.mark)
            await hungUp.wait { self.arm(.hangUp) }
        }
    }

    private func arm(_ interest: EventQueue.Interest) {
        guard self.enter(marking: 0) else { return }
        defer { self.leave() }
        var wanted = self.readiness.armed.bitwiseOr(interest.rawValue, ordering: .sequentiallyConsistent).newValue
        while true {
            let all = EventQueue.Interest(rawValue: wanted)
            self.registration.queue.arm(self.number, identifier: self.registration.identifier, for: all)
            // This may have replaced what somebody else has armed meanwhile; what was reported is not wanted any more.
            let now = self.readiness.armed.load(ordering: .sequentiallyConsistent)
            guard now & ~wanted != 0 else { return }
            wanted = now
        }
    }

    // MARK: - Uses

    private func enter(marking mark: UInt64) -> Bool {
        var seen = self.uses.load(ordering: .relaxed)
        while seen & Self.closedMark == 0 {
            let result = self.uses.weakCompareExchange(
                expected: seen,
                desired: (seen + 1) | mark,
                ordering: .acquiringAndReleasing,
            )
            if result.exchanged {
                return true
            }
            seen = result.original
        }
        return false
    }

    private func leave() {
        // After the mark nobody enters, so exactly one call brings the count to zero.
        guard self.uses.subtract(1, ordering: .acquiringAndReleasing).newValue == Self.closedMark else { return }
        self.registration.queue.unregister(self.number)
        System.close(self.number)
    }
}
