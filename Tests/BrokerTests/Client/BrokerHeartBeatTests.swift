// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMP
import TestSupport
import Testing

@Suite("Heart-beats with real brokers", .realBrokers)
struct BrokerHeartBeatTests {
    // In a process of its own: it takes every thread of the cooperative pool.
    @Test(
        "The connection is kept while handlers block every thread of the pool",
        arguments: BrokerKind.available.filter { $0 != .stompserver }
    )
    func blockedPool(kind: BrokerKind) async throws {
        try await BrokerSession(kind: kind, version: .v12).run { fixture in
            let queue = fixture.queue("blocked").rawValue
            let port = fixture.broker.port
            _ = await withTaskExecutorPreference(OwnThreadExecutor()) {
                await #expect(processExitsWith: .success) { [queue = queue as String, port = port as Int] in
                    try await BlockedPool(port: port, queue: STOMPDestination(queue)).run()
                }
            }
        }
    }

    @Test("ActiveMQ keeps a 1.0 session that was told to send EOLs", .realBroker(.activeMQ))
    func legacyKeepAlive() async throws {
        try await BrokerSession(kind: .activeMQ, version: .v10).run { fixture in
            var configuration = fixture.configuration
            configuration.heartBeat.legacyKeepAlive = .seconds(2)
            try await withSTOMPClient(self.impatient(fixture), configuration: configuration) { client in
                // It would be cut after 15 s at most.
                try await RealTime.pass(.seconds(18))
                await client.expectAlive(fixture.queue("keep-alive"))
            }
        }
    }

    @Test("ActiveMQ cuts a silent 1.0 session, and its stream says so", .realBroker(.activeMQ))
    func legacySilence() async throws {
        try await BrokerSession(kind: .activeMQ, version: .v10).run { fixture in
            await expectFailure(.connectionLost) {
                try await withSTOMPClient(self.impatient(fixture), configuration: fixture.configuration) { client in
                    let messages = try await client.subscribe(to: fixture.queue("silence"), ack: .auto)
                    for try await _ in messages {}
                }
            }
        }
    }

    /// The port at which ActiveMQ expects something of a 1.0 session every five seconds.
    private func impatient(_ fixture: BrokerFixture) -> STOMPServer {
        var server = fixture.server
        server.endpoint = .tcp(fixture.broker.host, port: fixture.broker.ports["default-heart-beat"] ?? 0)
        return server
    }
}

/// Ten seconds in which no task of the cooperative pool runs, on a connection with heart-beats of one second.
struct BlockedPool {
    let port: Int
    let queue: STOMPDestination

    private static let messageCount = 64
    private static let blockedTime: Duration = .seconds(10)

    func run() async throws {
        endProcess(after: .seconds(250))
        let server = STOMPServer(.tcp("127.0.0.1", port: self.port), login: STOMPLogin("guest", passcode: "guest"))
        var configuration = STOMPConfiguration.patient
        configuration.heartBeat = STOMPHeartBeat(outgoing: .seconds(1), incoming: .seconds(1))
        try await withSTOMPClient(server, configuration: configuration) { client in
            #expect(client.session?.outgoingHeartBeat == .seconds(1))
            #expect(client.session?.incomingHeartBeat == .seconds(1))
            try await client.withSubscription(to: self.queue) { messages in
                for number in 1...Self.messageCount {
                    try await client.send("\(number)", to: self.queue, receipt: .required)
                }
                try await self.block(try await messages.take(Self.messageCount))
                try await client.send("alive", to: self.queue, receipt: .required)
                try await messages.expectTexts(["alive"])
            }
        }
    }

    private func block(_ messages: [STOMPMessage]) async throws {
        let start = ContinuousClock.now
        let end = start + Self.blockedTime
        try await withThrowingTaskGroup(of: Void.self) { group in
            for message in messages {
                group.addTask {
                    // Until one time for all, so that any number of threads is blocked for as long.
                    while ContinuousClock.now < end { RealTime.block(.milliseconds(100)) }
                    try await message.ack(receipt: .required)
                }
            }
            group.addTask {
                // Shows that the pool really is blocked: else this sleep would end after a tenth of a second.
                try await RealTime.pass(.milliseconds(100))
                #expect(ContinuousClock.now - start > .seconds(9))
            }
            try await group.waitForAll()
        }
    }
}

/// Ends this process, a child of the tests, if it is stuck.
func endProcess(after limit: Duration) {
    Thread.detachNewThread {
        RealTime.block(limit)
        FileHandle.standardError.write(Data("the child process did not end within \(limit)\n".utf8))
        _exit(3)
    }
}
