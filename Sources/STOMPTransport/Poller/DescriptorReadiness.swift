// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Synchronization

/// What the I/O thread knows of one registered descriptor.
final class DescriptorReadiness: Sendable {
    let readable = Readiness()
    let writable = Readiness()
    /// Finished by a hang-up: nobody comes back from it.
    let hungUp = Readiness()
    /// What an event will be reported for: raw values of ``EventQueue/Interest``.
    ///
    /// No lock: an event may come while the call that armed it is still in the system, and would wait for it.
    let armed = Atomic<UInt8>(0)

    func apply(_ event: EventQueue.Event) {
        // An event disarms everything, so those who wait for something else look again.
        let waited = EventQueue.Interest(rawValue: self.armed.exchange(0, ordering: .sequentiallyConsistent))
        // A hang-up is also something to read: the end of the stream.
        if event.isReadable || event.isHungUp || waited.contains(.reading) {
            self.readable.signal()
        }
        if event.isWritable || event.isFailed || waited.contains(.writing) {
            self.writable.signal()
        }
        if event.isHungUp {
            self.hungUp.finish()
        } else if waited.contains(.hangUp) {
            self.hungUp.signal()
        }
    }

    func finish() {
        self.readable.finish()
        self.writable.finish()
        self.hungUp.finish()
    }
}
