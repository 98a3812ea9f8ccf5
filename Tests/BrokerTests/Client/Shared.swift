// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A value that two tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let storage: Locked<Value>

    init(_ value: Value) {
        self.storage = Locked(value)
    }

    var value: Value { self.storage.withLock { $0 } }

    func set(_ value: Value) {
        self.storage.withLock { $0 = value }
    }

    func update(_ body: @Sendable (inout Value) -> Void) {
        self.storage.withLock { body(&$0) }
    }
}
