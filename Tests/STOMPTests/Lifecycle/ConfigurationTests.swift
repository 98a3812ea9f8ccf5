// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("Configuration")
struct ConfigurationTests {
    @Test("The defaults, which lose nothing and hang nowhere")
    func defaults() {
        let configuration = STOMPConfiguration()
        #expect(configuration.versions == [.v10, .v11, .v12])
        #expect(configuration.heartBeat.outgoing == .seconds(10))
        #expect(configuration.heartBeat.incoming == .seconds(10))
        #expect(configuration.heartBeat.tolerance == 3.0)
        #expect(configuration.heartBeat.legacyKeepAlive == nil)
        #expect(configuration.connectTimeout == .seconds(10))
        #expect(configuration.connectionWaitTimeout == .seconds(30))
        #expect(configuration.receiptTimeout == .seconds(30))
        #expect(configuration.outboxTimeout == .seconds(30))
        #expect(configuration.shutdownTimeout == .seconds(5))
        #expect(configuration.maximumPause == .seconds(5))
        #expect(configuration.slowConsumerTimeout == .seconds(30))
        #expect(configuration.subscription.messageCredit == 100)
        #expect(configuration.subscription.overflow == .failSubscription)
        #expect(configuration.subscription.softLimit < configuration.subscription.hardLimit)
        #expect(configuration.outboxLimit > 0)
        #expect(configuration.dialect == nil)
        #expect(configuration.livenessExecutor != nil)
    }

    @Test(
        "The heart-beat header, in whole milliseconds",
        arguments: [
            (Duration.zero, 0), (.seconds(10), 10_000), (.milliseconds(1), 1), (.milliseconds(2_500), 2_500),
            (.microseconds(1), 1), (.nanoseconds(1), 1), (.microseconds(1_999), 1), (.seconds(-1), 0),
            (.milliseconds(999_999_999), 999_999_999), (.seconds(2_000_000), 1_000_000_000),
            (.seconds(Int64.max), 1_000_000_000),
        ]
    )
    func header(interval: Duration, milliseconds: Int) {
        let out = STOMPHeartBeat(outgoing: interval, incoming: .zero).header
        #expect(out == HeartBeatHeader(outgoing: milliseconds, incoming: 0))
        let both = STOMPHeartBeat(outgoing: .seconds(1), incoming: interval).header
        #expect(both.description == "1000,\(milliseconds)")
    }

    @Test("None is 0,0, and the default asks for what it offers")
    func presets() {
        #expect(STOMPHeartBeat.none.header.description == "0,0")
        #expect(STOMPHeartBeat().header.description == "10000,10000")
    }
}
