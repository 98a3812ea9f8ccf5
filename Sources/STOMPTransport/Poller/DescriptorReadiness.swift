// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// What the I/O thread knows of one registered descriptor.
final class DescriptorReadiness: Sendable {
    let readable = Readiness()
    let writable = Readiness()
    /// Finished by a hang-up: nobody comes back from it.
    let hungUp = Readiness()
    /// What an event will be reported for.
    let armed = Locked(EventQueue.Interest())

    func apply(_ event: EventQueue.Event) {
        // An event disarms everything, so those who wait for something else look again.
        let waited = self.armed.withLock { armed in
            defer { armed = [] }
            return armed
        }
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
