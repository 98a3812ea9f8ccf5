// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// What the I/O thread knows of one registered descriptor.
final class DescriptorReadiness: Sendable {
    let readable = Readiness()
    let writable = Readiness()
    /// Never cleared: nobody comes back from a hang-up.
    let hungUp = Readiness()

    func apply(_ event: EventQueue.Event) {
        // A hang-up is also something to read: the end of the stream.
        if event.isReadable || event.isHungUp {
            self.readable.signal()
        }
        if event.isWritable || event.isFailed {
            self.writable.signal()
        }
        if event.isHungUp {
            self.hungUp.finish()
        }
    }

    func finish() {
        self.readable.finish()
        self.writable.finish()
        self.hungUp.finish()
    }
}
