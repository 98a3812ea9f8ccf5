// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Synchronization

/// Owns a socket's number: registered with the I/O thread, closed exactly once, and never while a call uses it.
///
/// A closed number may be another socket's a moment later. So each call on it is counted, `close()` refuses new ones,
/// and whoever leaves last closes the number. The count and the closed mark are one atomic, two cheap steps per call.
final class PolledDescriptor: Sendable {
    private static let closedMark: UInt64 = 1 << 63

    let readiness: DescriptorReadiness
    private let number: Int32
    private let identifier: UInt64
    private let uses = Atomic<UInt64>(0)

    /// Takes the descriptor over, also when it throws.
    init(adopting number: Int32) throws(SystemError) {
        let readiness = DescriptorReadiness()
        do throws(SystemError) {
            self.identifier = try IOThread.shared.register(number, readiness)
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
        IOThread.shared.forget(self.identifier)
        // Ends the connection even if a forked child holds a copy of the descriptor.
        System.shutDown(self.number)
        self.readiness.finish()
        self.leave()
    }

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
        IOThread.shared.unregister(self.number)
        System.close(self.number)
    }
}
