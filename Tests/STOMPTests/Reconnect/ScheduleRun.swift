// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

@testable import STOMP

/// Plays the supervisor of a schedule by a script, and writes down what it is told to do.
///
/// Servers are called a, b, c, …. The script's words, one for each attempt:
/// `f` fails at once, `f5` after 5 s, `r` is refused, `n` cannot work at all, `c60` connects and is lost after 60 s,
/// `p60` connects and then asks where to look for a priority server, `m60` the same, finds it and moves back.
/// The answers: `a` connect to a, `b+20` connect to b after 20 ms, `?b+1000` look for b after 1 s, `-` nowhere to look,
/// `a!` with a warning, `end CODE` give up.
struct ScheduleRun {
    private var schedule: ReconnectSchedule
    private(set) var now: Duration = .zero
    private(set) var answers: [String] = []
    private(set) var warnings: [String] = []
    private(set) var failure: STOMPError?

    init(_ list: STOMPServerList, _ policy: STOMPReconnectPolicy, chance: any RandomNumberGenerator & Sendable) {
        self.schedule = ReconnectSchedule(list, policy: policy, random: chance)
        self.take(self.schedule.start(at: self.now))
    }

    static func answers(
        _ script: String,
        _ list: STOMPServerList,
        _ policy: STOMPReconnectPolicy,
        chance: any RandomNumberGenerator & Sendable = SameShare(share: 0)
    ) -> String {
        var run = ScheduleRun(list, policy, chance: chance)
        run.play(script)
        return run.answers.joined(separator: " ")
    }

    mutating func play(_ script: String) {
        for word in script.split(separator: " ") where self.failure == nil {
            let time = Duration.milliseconds(Int((Double(word.dropFirst()) ?? 0) * 1_000))
            switch word.first {
            case "c": self.connect(for: time)
            case "p":
                self.connect(for: .zero, isLost: false)
                self.probe()
                self.now += time
                self.lose()
            case "m":
                self.connect(for: time, isLost: false)
                if let probe = self.probe() {
                    self.take(.attempt(self.schedule.moveBack(to: probe, at: self.now)))
                }
            default:
                self.now += time
                let error = STOMPError(word.first.flatMap { Self.codes[$0] } ?? .connectFailed, "No way.")
                self.take(self.schedule.attemptFailed(error, at: self.now))
            }
        }
    }

    private static let codes: [Character: STOMPError.Code] = [
        "r": .connectRefused, "n": .notSupported, "t": .tlsFailed, "u": .tlsUnavailable,
    ]

    private mutating func connect(for time: Duration, isLost: Bool = true) {
        self.schedule.connected(at: self.now)
        self.now += time
        if isLost { self.lose() }
    }

    private mutating func lose() {
        self.take(self.schedule.lost(STOMPError(.connectionLost, "Cut."), at: self.now))
    }

    @discardableResult
    private mutating func probe() -> Int? {
        guard let probe = self.schedule.nextProbe(at: self.now) else {
            self.answers.append("-")
            return nil
        }
        self.answers.append("?" + Self.describe(probe))
        return probe.server
    }

    private mutating func take(_ decision: ReconnectSchedule.Decision) {
        switch decision {
        case .attempt(let attempt):
            self.now += attempt.delay
            self.answers.append(Self.describe(attempt))
            if let warning = attempt.warning { self.warnings.append(warning) }
        case .giveUp(let error):
            self.failure = error
            self.answers.append("end \(error.code)")
        }
    }

    private static func describe(_ attempt: ReconnectSchedule.Attempt) -> String {
        let name = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(attempt.server)))
        let milliseconds = attempt.delay / .milliseconds(1)
        let delay = milliseconds == milliseconds.rounded() ? "\(Int(milliseconds))" : "\(milliseconds)"
        return name + (attempt.delay == .zero ? "" : "+\(delay)") + (attempt.warning == nil ? "" : "!")
    }

    static func servers(_ count: Int) -> STOMPServerList {
        STOMPServerList((0..<count).map { STOMPServer(.tcp("server-\($0)", port: $0 + 1)) })
    }
}
