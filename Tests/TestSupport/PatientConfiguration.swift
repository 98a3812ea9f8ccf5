// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMP

extension STOMPConfiguration {
    /// For tests that go by the real clock, on processors that all other tests and the brokers use too: no wait of the
    /// client's ends before something is really stuck.
    public static let patient = {
        var configuration = STOMPConfiguration()
        configuration.connectTimeout = .seconds(300)
        configuration.connectionWaitTimeout = .seconds(300)
        configuration.receiptTimeout = .seconds(300)
        configuration.outboxTimeout = .seconds(300)
        configuration.shutdownTimeout = .seconds(300)
        return configuration
    }()

    /// As ``patient``, but for one value.
    public static func patient<Value>(
        _ path: WritableKeyPath<STOMPConfiguration, Value>,
        _ value: Value
    ) -> STOMPConfiguration {
        var configuration = Self.patient
        configuration[keyPath: path] = value
        return configuration
    }
}
