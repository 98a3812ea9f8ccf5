// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("The options of a failover address", .timeLimit(.minutes(5)))
struct FailoverOptionTests {
    private func list(_ options: String, _ dialect: STOMPServerList.Dialect = .activeMQ) throws -> STOMPServerList {
        try STOMPServerList("failover:(stomp://a:1,stomp://b:2)?\(options)", dialect: dialect)
    }

    private func policy(
        _ options: String,
        _ dialect: STOMPServerList.Dialect = .activeMQ
    ) throws -> STOMPReconnectPolicy {
        try #require(try self.list(options, dialect).reconnectPolicy)
    }

    @Test(
        "delays, without chance",
        arguments: [
            ("initialReconnectDelay=100", [100, 200, 400, 800]),
            ("initialReconnectDelay=100&maxReconnectDelay=300", [100, 200, 300, 300]),
            ("maxReconnectDelay=25", [10, 20, 25, 25]),
            ("useExponentialBackOff=true", [10, 20, 40, 80]),
            ("useExponentialBackOff=false&initialReconnectDelay=70", [70, 70, 70, 70]),
            ("useExponentialBackOff=false", [10, 10, 10, 10]),
            ("backOffMultiplier=3", [10, 30, 90, 270]), ("reconnectDelayExponent=1.5", [10, 15, 22.5, 33.75]),
            ("backOffMultiplier=1", [10, 10, 10, 10]),
            ("initialReconnectDelay=0&backOffMultiplier=10", [0, 10, 100, 1000]),
            ("maxReconnectAttempts=3", [10, 20, 40, 80]),
        ]
    )
    func delays(options: String, milliseconds: [Double]) throws {
        #expect(try self.policy(options).delay.milliseconds(milliseconds.count, share: 0) == milliseconds)
    }

    @Test(
        "B-7 attempts: what 0 means is the dialect's; -1 is no limit everywhere",
        arguments: [
            ("maxReconnectAttempts=0", .activeMQ, .limited(0), .limited(1)),
            ("maxReconnectAttempts=0", .activeMQBefore56, .unlimited, .unlimited),
            ("maxReconnectAttempts=0", .ruby, .unlimited, .unlimited),
            ("maxReconnectAttempts=-1", .activeMQ, .unlimited, .unlimited),
            ("maxReconnectAttempts=-1", .activeMQBefore56, .unlimited, .unlimited),
            ("maxReconnectAttempts=-1", .ruby, .unlimited, .unlimited),
            ("maxReconnectAttempts=5", .activeMQ, .limited(5), .limited(5)),
            ("maxReconnectAttempts=5", .ruby, .limited(5), .limited(5)),
            ("startupMaxReconnectAttempts=4", .activeMQ, .unlimited, .limited(4)),
            ("startupMaxReconnectAttempts=0", .activeMQ, .unlimited, .limited(1)),
            ("startupMaxReconnectAttempts=-1", .activeMQ, .unlimited, .unlimited),
            ("startupMaxReconnectAttempts=2&maxReconnectAttempts=7", .activeMQ, .limited(7), .limited(2)),
            ("startupMaxReconnectAttempts=0&maxReconnectAttempts=7", .activeMQBefore56, .limited(7), .limited(7)),
            // Neither is given: the client's own defaults.
            ("initialReconnectDelay=10", .activeMQ, .unlimited, .limited(1)),
        ] as [(String, STOMPServerList.Dialect, STOMPReconnectPolicy.Attempts, STOMPReconnectPolicy.Attempts)]
    )
    func attempts(
        options: String,
        dialect: STOMPServerList.Dialect,
        later: STOMPReconnectPolicy.Attempts,
        atStart: STOMPReconnectPolicy.Attempts
    ) throws {
        let policy = try self.policy(options, dialect)
        #expect(policy.maximumAttempts == later)
        #expect(policy.maximumAttemptsAtStart == atStart)
    }

    @Test(
        "randomize is true unless said otherwise, for Ruby false",
        arguments: [
            ("timeout=1", .activeMQ, true), ("timeout=1", .activeMQBefore56, true), ("timeout=1", .ruby, false),
            ("randomize=false", .activeMQ, false), ("randomize=true", .ruby, true),
        ] as [(String, STOMPServerList.Dialect, Bool)]
    )
    func randomize(options: String, dialect: STOMPServerList.Dialect, isRandomized: Bool) throws {
        let list = try self.list(options, dialect)
        #expect(list.isRandomized == isRandomized)
        #expect(list.reconnectPolicy == nil)
    }

    @Test("timeout is how long a call waits while there is no connection, as for ActiveMQ's senders")
    func timeout() throws {
        #expect(try self.list("randomize=true").connectionWaitTimeout == nil)
        #expect(try self.list("timeout=3000").connectionWaitTimeout == .seconds(3))
        #expect(try self.list("timeout=-1").connectionWaitTimeout == .seconds(3_000_000_000))
        #expect(try self.list("timeout=3000").reconnectPolicy == nil)
    }

    @Test("warnAfterReconnectAttempts")
    func warnings() throws {
        #expect(try self.policy("warnAfterReconnectAttempts=3").warnAfterReconnectAttempts == 3)
        #expect(try self.policy("initialReconnectDelay=1").warnAfterReconnectAttempts == 10)
    }

    @Test(
        "priorityBackup prefers the first server, or those of priorityURIs",
        arguments: [
            ("randomize=false", []), ("priorityBackup=false", []), ("priorityBackup=true", ["a:1"]),
            ("priorityBackup=true&priorityURIs=stomp://b:2", ["b:2"]),
            ("priorityURIs=tcp://B:2,tcp://a:1&priorityBackup=true", ["B:2", "a:1"]),
            ("priorityBackup=true,priorityURIs=tcp://a:1,tcp://b:2,randomize=false", ["a:1", "b:2"]),
        ]
    )
    func priority(options: String, endpoints: [String]) throws {
        let list = try self.list(options)
        #expect(list.priorityEndpoints.map(\.description) == endpoints)
        #expect(list.servers.indices.filter(list.isPriority).count == endpoints.count)
    }

    @Test("priorityURIs without parentheses")
    func priorityWithoutParentheses() throws {
        let list = try STOMPServerList(
            "failover:tcp://a:1,tcp://b:2?priorityBackup=true&priorityURIs=tcp://a:1,tcp://b:2&randomize=false"
        )
        #expect(list.description == "a:1, b:2")
        #expect(list.priorityEndpoints.map(\.description) == ["a:1", "b:2"])
    }

    @Test(
        "options that cannot be read are named, with their column",
        arguments: [
            ("failover:(stomp://a)?▸randomise=true", "randomise is not known; there are backOffMultiplier,"),
            ("failover:(stomp://a)?timeout=1&▸maxReconnectAttempt=1", "maxReconnectAttempt is not known"),
            ("failover:(stomp://a)?timeout=1,▸maxReconnectAttempt=1", "maxReconnectAttempt is not known"),
            ("failover:stomp://a,stomp://b?▸randomise=true", "randomise is not known"),
            ("failover:(stomp://a)?▸Randomize=true", "Randomize is not known"),
            ("failover:(stomp://a)?▸initialReconnectDelay=-1", "initialReconnectDelay needs a whole number"),
            ("failover:(stomp://a)?▸initialReconnectDelay=1s", "initialReconnectDelay needs a whole number"),
            ("failover:(stomp://a)?▸initialReconnectDelay=", "initialReconnectDelay needs a whole number"),
            ("failover:(stomp://a)?▸maxReconnectDelay=99999999999999999999", "maxReconnectDelay needs a whole number"),
            ("failover:(stomp://a)?▸maxReconnectDelay=3000000000001", "maxReconnectDelay is more than"),
            ("failover:(stomp://a)?▸useExponentialBackOff=yes", "useExponentialBackOff needs true or false"),
            ("failover:(stomp://a)?▸randomize=1", "randomize needs true or false"),
            ("failover:(stomp://a)?▸priorityBackup=", "priorityBackup needs true or false"),
            ("failover:(stomp://a)?▸backOffMultiplier=0.5", "backOffMultiplier needs a number from 1 to 1000"),
            ("failover:(stomp://a)?▸backOffMultiplier=nan", "backOffMultiplier needs a number"),
            ("failover:(stomp://a)?▸reconnectDelayExponent=1.", "reconnectDelayExponent needs a number"),
            ("failover:(stomp://a)?backOffMultiplier=2&▸reconnectDelayExponent=2", "two names of one option"),
            ("failover:(stomp://a)?▸maxReconnectAttempts=-2", "maxReconnectAttempts needs a whole number, or -1"),
            ("failover:(stomp://a)?▸startupMaxReconnectAttempts=x", "startupMaxReconnectAttempts needs a whole number"),
            ("failover:(stomp://a)?▸timeout=0", "timeout needs a whole number of milliseconds, 1 at least, or -1"),
            ("failover:(stomp://a)?▸timeout=-2", "timeout needs"),
            ("failover:(stomp://a)?▸warnAfterReconnectAttempts=0", "warnAfterReconnectAttempts needs a whole number"),
            ("failover:(stomp://a)?▸priorityURIs=stomp://a", "priorityURIs needs priorityBackup=true"),
            (
                "failover:(stomp://a)?priorityBackup=true&priorityURIs=▸stomp://x",
                "names a server that is not in the list"
            ),
            ("failover:(stomp://a)?priorityBackup=true&priorityURIs=stomp://a,▸stomp://a:2", "not in the list"),
            ("failover:(stomp://a)?priorityBackup=true&priorityURIs=▸", "no scheme"),
            ("failover:(stomp://a)?▸backup=true", "backup is ActiveMQ's and means nothing in STOMP"),
            ("failover:(stomp://a)?▸trackMessages=true", "means nothing in STOMP"),
            ("failover:(stomp://a)?▸maxCacheSize=1", "means nothing in STOMP"),
            ("failover:(stomp://a)?▸updateURIsSupported=false", "means nothing in STOMP"),
            ("failover:(stomp://a)?▸updateURIsURL=x", "means nothing in STOMP"),
            ("failover:(stomp://a)?▸reconnectSupported=true", "means nothing in STOMP"),
            ("failover:(stomp://a)?▸rebalanceUpdateURIs=true", "means nothing in STOMP"),
            ("failover:(stomp://a)?▸trackTransactionProducers=true", "means nothing in STOMP"),
            ("failover:(stomp://a)?▸backupPoolSize=1", "means nothing in STOMP"),
            ("failover:(stomp://a)?▸keepAlive=true", "belongs to one server; write nested.keepAlive"),
            ("failover:(stomp://a)?▸nested.randomize=true", "nested.randomize is not known for a server"),
            ("failover:(stomp://a)?▸nested.=true", "nested. is not known for a server"),
            ("failover:(stomp://a)?▸nested.keepAliveCount=x", "nested.keepAliveCount needs a whole number"),
            ("failover:(stomp://a?▸randomize=true,stomp://b)", "belongs to the list; write it after the parentheses"),
            ("failover:stomp://a?▸randomize=true,stomp://b", "belongs to the list"),
            ("failover:(stomp://a?▸x=true)", "x is not known for a server"),
            ("failover:(stomp://a)?▸randomize", "NAME=VALUE"), ("failover:(stomp://a)?▸", "NAME=VALUE"),
            ("failover:(stomp://a)?randomize=true&▸&timeout=1", "NAME=VALUE"),
            ("failover:(stomp://a)?randomize=true&timeout=1&▸randomize=true", "randomize is given twice"),
            ("failover:(stomp://a)?randomize=true,▸stomp://b", "NAME=VALUE"),
            ("failover:(stomp://a:1?▸keepAlive=maybe)", "keepAlive needs true or false"),
        ] as [(MarkedText, String)]
    )
    func unreadable(text: MarkedText, reason: String) {
        text.expectError(reason) { try STOMPServerList($0) }
    }
}
