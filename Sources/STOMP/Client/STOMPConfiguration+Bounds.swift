// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension Duration {
    /// As good as for ever, and far from where sums overflow: 95 years.
    static let longest = Duration.seconds(3_000_000_000)

    /// The same length, within what can be computed with; no time at all instead of less.
    var bounded: Duration {
        min(max(self, .zero), .longest)
    }
}

extension STOMPConfiguration {
    /// The same configuration, with durations that can be computed with.
    var bounded: STOMPConfiguration {
        var configuration = self
        for path in Self.durations { configuration[keyPath: path] = configuration[keyPath: path].bounded }
        if let interval = self.heartBeat.legacyKeepAlive { configuration.heartBeat.legacyKeepAlive = interval.bounded }
        return configuration
    }

    static var durations: [WritableKeyPath<STOMPConfiguration, Duration>] {
        [
            \.connectTimeout, \.connectionWaitTimeout, \.receiptTimeout, \.outboxTimeout, \.shutdownTimeout,
            \.handlerTimeout, \.maximumPause, \.slowConsumerTimeout, \.heartBeat.outgoing, \.heartBeat.incoming,
        ]
    }
}
