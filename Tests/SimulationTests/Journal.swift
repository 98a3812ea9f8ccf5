// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTesting

/// What happened in a simulation, in one order, and what broke a promise.
final class Journal: Sendable {
    /// What a caller knows of what it has sent.
    enum Fate: Sendable, Hashable {
        /// The broker has confirmed it.
        case confirmed
        /// Not a byte of it went to the broker.
        case notSent
        /// It may have arrived, or not.
        case unknown
    }

    private struct State {
        var lines: [String] = []
        var violations: [String] = []
        var outstanding: [Int: String] = [:]
        var lastCall = 0
        var fates: [String: Fate] = [:]
        var received: [String: Int] = [:]
        /// What may have been sent twice.
        var repeated: Set<String> = []
        var fleeting: Set<String> = []
        /// What was told to whom by subscriptions that lose messages.
        var heard: Set<String> = []
    }

    private let clock: ManualClock
    private let state = Locked(State())

    init(_ clock: ManualClock) {
        self.clock = clock
    }

    var lines: [String] { self.state.withLock { $0.lines } }
    var violations: [String] { self.state.withLock { $0.violations } }
    /// The calls that have not returned.
    var outstanding: [String] { self.state.withLock { $0.outstanding.values.sorted() } }

    func note(_ line: String) {
        let now = self.clock.now
        self.state.withLock { $0.lines.append("\(now): \(line)") }
    }

    func violate(_ line: String) {
        self.note("BROKEN: \(line)")
        self.state.withLock { $0.violations.append(line) }
    }

    // MARK: - Calls

    /// What a call may do.
    struct Terms: Sendable {
        /// How long it may take at most.
        var limit: Duration
        /// How it may fail, apart from `.cancelled` when it was.
        var errors: Set<STOMPError.Code>
        /// After how long it is cancelled; `nil`: it is not.
        var cancelAfter: Duration?
        /// How long it may take to return when it was cancelled.
        var farewell: Duration = .zero

        /// A send that is repeated lasts until the client has a connection that lasts.
        static let repeatedLimit = Duration.seconds(400)
    }

    /// Makes a call and holds it to its terms.
    func call<Value: Sendable>(
        _ name: String,
        _ terms: Terms,
        _ body: @escaping @Sendable () async throws(STOMPError) -> Value
    ) async -> Result<Value, STOMPError> {
        let id = self.begin(name)
        let start = self.clock.now
        let (result, cancelled) = await self.run(terms, body)
        let end = self.clock.now
        self.state.withLock { $0.outstanding[id] = nil }
        switch result {
        case .success:
            self.note("\(name): done")
        case .failure(let error):
            self.note("\(name): \(error.code)\(cancelled == nil ? "" : ", cancelled")")
            let isAllowed = terms.errors.contains(error.code) || (error.code == .cancelled && cancelled != nil)
            if !isAllowed { self.violate("\(name) must not fail with \(error.code): \(error)") }
        }
        if let cancelled, end > cancelled.advanced(by: terms.farewell) {
            self.violate("\(name) returned \(cancelled.duration(to: end)) after it was cancelled")
        }
        if start.duration(to: end) > terms.limit {
            self.violate("\(name) took \(start.duration(to: end)), more than \(terms.limit)")
        }
        return result
    }

    private func begin(_ name: String) -> Int {
        self.state.withLock { state in
            state.lastCall += 1
            state.outstanding[state.lastCall] = name
            return state.lastCall
        }
    }

    private func run<Value: Sendable>(
        _ terms: Terms,
        _ body: @escaping @Sendable () async throws(STOMPError) -> Value
    ) async -> (Result<Value, STOMPError>, cancelled: ManualClock.Instant?) {
        await withTaskGroup(of: Result<Value, STOMPError>?.self) { group in
            group.addTask {
                do throws(STOMPError) {
                    return .success(try await body())
                } catch {
                    return .failure(error)
                }
            }
            if let cancelAfter = terms.cancelAfter {
                group.addTask {
                    try? await self.clock.sleep(for: cancelAfter)
                    return nil
                }
            }
            var result = await group.next() ?? nil
            let cancelled = result == nil ? self.clock.now : nil
            group.cancelAll()
            while let other = await group.next() { result = other ?? result }
            return (result ?? .failure(.cancelled), cancelled)
        }
    }

    // MARK: - Messages

    func sent(_ key: String, _ fate: Fate) {
        self.state.withLock { $0.fates[key] = fate }
    }

    func received(_ key: String, isRedelivered: Bool) {
        self.note("received \(key)\(isRedelivered ? ", again" : "")")
        let (count, isRepeated) = self.state.withLock { state in
            state.received[key, default: 0] += 1
            return (state.received[key, default: 0], state.repeated.contains(key))
        }
        if count > 1, !isRedelivered, !isRepeated { self.violate("\(key) came \(count) times and was not marked") }
    }

    func mayComeTwice(_ key: String) {
        self.state.withLock { _ = $0.repeated.insert(key) }
    }

    /// What is told by a subscription that loses messages: once at most, but perhaps never.
    func heard(_ key: String, by name: String) {
        self.note("\(name) hears \(key)")
        let count = self.state.withLock { state in
            state.received[key, default: 0] += 1
            return state.heard.insert("\(key) \(name)").inserted ? 1 : 2
        }
        if count > 1 { self.violate("\(name) heard \(key) twice") }
    }

    /// What was confirmed and has not come yet, of what is kept until it is acknowledged.
    var missing: [String] {
        self.state.withLock { state in
            state.fates.filter { key, fate in
                fate == .confirmed && state.received[key] == nil && !state.fleeting.contains(key)
            }.keys.sorted()
        }
    }

    /// A message that nobody has to get.
    func isFleeting(_ key: String) {
        self.state.withLock { _ = $0.fleeting.insert(key) }
    }

    func fate(of key: String) -> Fate? {
        self.state.withLock { $0.fates[key] }
    }

    /// What was said not to have been sent, and has come.
    var ghosts: [String] {
        self.state.withLock { state in
            state.fates.filter { $0.value == .notSent && state.received[$0.key] != nil }.keys.sorted()
        }
    }

    func hasReceived(_ key: String) -> Bool {
        self.state.withLock { $0.received[key] != nil }
    }

    func count(_ fate: Fate) -> Int {
        self.state.withLock { state in state.fates.values.count { $0 == fate } }
    }
}
