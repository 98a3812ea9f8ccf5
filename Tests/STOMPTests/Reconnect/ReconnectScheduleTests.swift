// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP

@Suite("The schedule of attempts", .timeLimit(.minutes(5)))
struct ReconnectScheduleTests {
    private static func policy(_ change: (inout STOMPReconnectPolicy) -> Void = { _ in }) -> STOMPReconnectPolicy {
        var policy = STOMPReconnectPolicy(.exponential(jitter: 0))
        change(&policy)
        return policy
    }

    @Test(
        "at the start each server is tried once, then the error comes",
        arguments: [
            (1, "f", "a end connectFailed"), (3, "f f f", "a b c end connectFailed"), (3, "f f", "a b c"),
            (0, "", "end invalidArgument"),
        ]
    )
    func start(count: Int, script: String, answers: String) {
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(count), Self.policy()) == answers)
    }

    @Test(
        "after a loss there is no end; each round tries all, the delays double",
        arguments: [
            (1, "c60 f f f f", "a a+10 a+20 a+40 a+80 a+160"),
            (2, "c60 f f f f", "a b+10 a b+20 a b+40"),
            // B-10: the server that failed goes to the end of the order.
            (3, "f c60 f c60 f", "a b c+10 a b+10 c"),
            (3, "c60 c60 c60 c60", "a b+10 c+10 a+10 b+10"),
            (1, "c60 f f c60 f", "a a+10 a+20 a+40 a+10 a+20"),
        ]
    )
    func afterLoss(count: Int, script: String, answers: String) {
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(count), Self.policy()) == answers)
    }

    @Test("B-10 a dead host is not tried first each time, also after a hundred losses")
    func deadHost() {
        var run = ScheduleRun(ScheduleRun.servers(3), Self.policy(), chance: SameShare(share: 0))
        run.play("f")
        for _ in 0..<100 {
            let isDead = run.answers.last?.hasPrefix("a") == true
            run.play(isDead ? "f" : "c60")
        }
        #expect(run.answers.count { $0.hasPrefix("a") } <= 35)
        #expect(run.answers.count { $0 == "a+10" } <= 34)
    }

    @Test(
        "B-4 the delays start again only after a stable connection",
        arguments: [
            // Accepted and killed at once: the delays grow on.
            ("c0 c0 c0 c0", "a a+10 a+20 a+40 a+80"), ("c4.999 c4.999 c5 f", "a a+10 a+20 a+10 a+20"),
            ("c60 c0 c0 c60 c0", "a a+10 a+20 a+40 a+10 a+20"),
            // Stable is what lived for longer than the delay before it, if that was more than 5 s.
            (
                "c60 f f f f f f f f f f c9 f",
                "a a+10 a+20 a+40 a+80 a+160 a+320 a+640 a+1280 a+2560 a+5120 a+10240! "
                    + "a+20480 a+30000"
            ),
            (
                "c60 f f f f f f f f f f c10.24 f",
                "a a+10 a+20 a+40 a+80 a+160 a+320 a+640 a+1280 a+2560 a+5120 a+10240! "
                    + "a+10 a+20"
            ),
        ]
    )
    func stability(script: String, answers: String) {
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(1), Self.policy()) == answers)
    }

    @Test(
        "limits count rounds, also those that led to a connection that did not last",
        arguments: [
            (1, .limited(0), "c60", "a end connectionLost"), (1, .limited(0), "c0", "a end connectionLost"),
            (1, .limited(1), "c60 f", "a a+10 end connectFailed"),
            (1, .limited(2), "c0 f f", "a a+10 a+20 end connectFailed"),
            (2, .limited(2), "c60 f f f f", "a b+10 a b+20 a end connectFailed"),
            (1, .limited(2), "c60 f c60 f f", "a a+10 a+20 a+10 a+20 end connectFailed"),
            (1, .limited(2), "c60 c0 c0", "a a+10 a+20 end connectionLost"),
            (1, .limited(1), "c60 c0", "a a+10 end connectionLost"),
        ] as [(Int, STOMPReconnectPolicy.Attempts, String, String)]
    )
    func limits(count: Int, maximum: STOMPReconnectPolicy.Attempts, script: String, answers: String) {
        let policy = Self.policy { $0.maximumAttempts = maximum }
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(count), policy) == answers)
    }

    @Test(
        "the limit at the start is another one",
        arguments: [
            (1, .limited(3), "f f f", "a a+10 a+20 end connectFailed"), (1, .limited(0), "f", "a end connectFailed"),
            (2, .limited(2), "f f f f", "a b a+10 b end connectFailed"),
            (1, .unlimited, "f f f f f", "a a+10 a+20 a+40 a+80 a+160"),
            (1, .limited(2), "f c60 f f f", "a a+10 a+10 a+20 a+40 a+80"),
        ] as [(Int, STOMPReconnectPolicy.Attempts, String, String)]
    )
    func limitsAtStart(count: Int, maximum: STOMPReconnectPolicy.Attempts, script: String, answers: String) {
        let policy = Self.policy { $0.maximumAttemptsAtStart = maximum }
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(count), policy) == answers)
    }

    @Test(
        "one server at a time: delays and limits are for each server",
        arguments: [
            (.rubyStomp, "f f f f", "a b+10 c+20 a+40 b+80"), (.rubyStomp, "c60 f f f", "a b+10 c+20 a+40 b+80"),
            (ReconnectScheduleTests.policy { $0.pace = .eachServer }, "f", "a end connectFailed"),
            (
                ReconnectScheduleTests.policy {
                    $0.pace = .eachServer
                    $0.maximumAttempts = .limited(4)
                }, "c60 f f f f", "a b+10 c+20 a+40 b+80 end connectFailed"
            ),
            // Each server three times.
            (.stompPy, "f f f f f f f f f", "a b c a+100 b c a+150 b c end connectFailed"),
        ] as [(STOMPReconnectPolicy, String, String)]
    )
    func pace(policy: STOMPReconnectPolicy, script: String, answers: String) {
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(3), policy) == answers)
    }

    @Test(
        "B-5 a refused login is final at the start, and retried later, unless said otherwise",
        arguments: [
            (.final, .retried, "r", "a end connectRefused"), (.final, .retried, "f r", "a b end connectRefused"),
            (.retried, .retried, "r r", "a b end connectRefused"), (.retried, .retried, "r c60 r", "a b a+10 b"),
            (.final, .retried, "c60 r r r", "a b+10 a b+20 a"),
            (.final, .final, "c60 f r", "a b+10 a end connectRefused"),
            (.retried, .final, "r c60 r", "a b a+10 end connectRefused"),
        ] as [(STOMPReconnectPolicy.Refusal, STOMPReconnectPolicy.Refusal, String, String)]
    )
    func refusals(
        atStart: STOMPReconnectPolicy.Refusal,
        later: STOMPReconnectPolicy.Refusal,
        script: String,
        answers: String
    ) {
        let policy = Self.policy {
            $0.refusalAtStart = atStart
            $0.refusalLater = later
        }
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(2), policy) == answers)
    }

    @Test(
        "a server that cannot work at all is not tried again; the others are",
        arguments: [
            (1, "n", "a end notSupported"), (2, "n c60 f f", "a b b+10 b+20 b+40"),
            (2, "c60 n c60 c60", "a b+10 a a+10 a+10"), (2, "n n", "a b end notSupported"),
            (2, "c60 n f n", "a b+10 a a+20 end notSupported"), (1, "u", "a end tlsUnavailable"),
            (2, "u u", "a b end tlsUnavailable"),
        ]
    )
    func impossible(count: Int, script: String, answers: String) {
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(count), Self.policy()) == answers)
    }

    @Test(
        "TLS that fails is final at the start if there is no other server, and an attempt like any other later",
        arguments: [
            (1, "t", "a end tlsFailed"), (2, "t t t", "a b a+10 b"), (1, "c60 t t", "a a+10 a+20 a+40"),
        ]
    )
    func tls(count: Int, script: String, answers: String) {
        let policy = Self.policy { $0.maximumAttemptsAtStart = .unlimited }
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(count), policy) == answers)
    }

    @Test(
        "the time limit counts from the start and from each loss",
        arguments: [
            ("f1 f1", "a a+10 a+20"), ("f1 f1.98", "a a+10 end connectFailed"), ("f3", "a end connectFailed"),
            ("f1 c60 f1 f1 f1", "a a+10 a+10 a+20 a+40 end connectFailed"),
            // A delay that would end later is not waited for.
            ("f1 f1.95", "a a+10 a+20"), ("f1 f1.97", "a a+10 end connectFailed"),
            // What does not last does not count.
            ("c60 c1 c1 c1", "a a+10 a+20 a+40 end connectionLost"),
        ]
    )
    func timeout(script: String, answers: String) {
        let policy = Self.policy {
            $0.timeout = .seconds(3)
            $0.maximumAttemptsAtStart = .unlimited
        }
        #expect(ScheduleRun.answers(script, ScheduleRun.servers(1), policy) == answers)
    }

    @Test("each attempt knows when it must have succeeded")
    func deadlines() {
        var schedule = ReconnectSchedule(
            ScheduleRun.servers(2),
            policy: Self.policy { $0.timeout = .seconds(3) },
            random: SameShare(share: 0)
        )
        guard case .attempt(let first) = schedule.start(at: .seconds(100)) else {
            Issue.record("There is a first attempt.")
            return
        }
        #expect(first == .init(server: 0, delay: .zero, number: 1, deadline: .seconds(103), warning: nil))
        schedule.connected(at: .seconds(101))
        guard case .attempt(let next) = schedule.lost(STOMPError(.connectionLost, ""), at: .seconds(200)) else {
            Issue.record("There is an attempt after a loss.")
            return
        }
        #expect(next == .init(server: 1, delay: .milliseconds(10), number: 1, deadline: .seconds(203), warning: nil))
    }

    @Test(
        "a warning comes after each so many attempts",
        arguments: [
            (3, "c60 f f f f f f f", "a b+10 a b+20 a! b+40 a b+80! a"), (nil, "c60 f f f", "a b+10 a b+20 a"),
            (1, "c60 f f", "a b+10 a! b+20!"),
        ] as [(Int?, String, String)]
    )
    func warnings(threshold: Int?, script: String, answers: String) {
        let policy = Self.policy { $0.warnAfterReconnectAttempts = threshold }
        var run = ScheduleRun(ScheduleRun.servers(2), policy, chance: SameShare(share: 0))
        run.play(script)
        #expect(run.answers.joined(separator: " ") == answers)
        for warning in run.warnings { #expect(warning.contains("No way.") && warning.contains("server-")) }
    }

    @Test("the error says how many attempts there were, which was the last, and keeps the last as its cause")
    func lastError() throws {
        var run = ScheduleRun(ScheduleRun.servers(3), Self.policy(), chance: SameShare(share: 0))
        run.play("f f f")
        let several = try #require(run.failure)
        #expect(several.code == .connectFailed)
        #expect(several.message == "Gave up after 3 attempts. The last, of server-2:3: No way.")
        #expect((several.cause as? STOMPError)?.message == "No way.")
        run = ScheduleRun(ScheduleRun.servers(1), Self.policy(), chance: SameShare(share: 0))
        run.play("f")
        #expect(run.failure?.message == "No way.")
    }

    @Test("a custom policy sees the situation and may give up")
    func custom() {
        let policy = STOMPReconnectPolicy(
            .custom { situation in
                situation.reason.code == .connectionLost && situation.elapsed == .zero
                    ? .seconds(1)
                    : situation.precedingDelays < 3 ? .seconds(2) : nil
            }
        )
        let answers = ScheduleRun.answers("c60 f f f", ScheduleRun.servers(1), policy)
        #expect(answers == "a a+1000 a+2000 a+2000 end connectFailed")
    }

    @Test("the list's policy wins over the client's")
    func policyOfTheList() {
        var list = ScheduleRun.servers(1)
        list.reconnectPolicy = .never
        #expect(ScheduleRun.answers("c60", list, Self.policy()) == "a end connectionLost")
    }
}
