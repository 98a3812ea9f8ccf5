// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Credentials that are asked for", .timeLimit(.minutes(5)))
struct CredentialsTests {
    private struct Oops: Error {}

    @Test("B-6 At each attempt, with its number, its server and why the one before failed")
    func asked() async throws {
        let requests = Shared<[String]>([])
        try await EpochRun.with { configuration in
            configuration.credentials = { request in
                requests.withLock {
                    $0.append("\(request.attempt) \(request.previousError.map { "\($0.code)" } ?? "none")")
                    return STOMPLogin("user", passcode: "secret \($0.count)")
                }
            }
        } _: { (run) async throws in
            let first = try await run.accept()
            #expect(try await first.receiveFrame().header("passcode") == "secret 1")
            try await first.send("CONNECTED\nversion:1.2\n\n\0")
            first.hangUp()
            await run.pass(.seconds(1))
            let second = try await run.accept()
            #expect(try await second.receiveFrame().header("passcode") == "secret 2")
            try await second.refuse()
            await run.pass(.seconds(2))
            let third = try await run.accept()
            #expect(try await third.receiveFrame().header("passcode") == "secret 3")
            #expect(requests.withLock { $0 } == ["1 none", "1 connectionLost", "2 connectRefused"])
        }
    }

    @Test("B-6 An answer of nil means those of the server")
    func none() async throws {
        try await EpochRun.with { configuration in
            configuration.credentials = { _ in nil }
        } list: { list in
            list.servers[0].login = STOMPLogin("its own", passcode: "p")
        } _: { (run) async throws in
            #expect(try await run.accept().receiveFrame().header("login") == "its own")
        }
    }

    @Test("B-6 A provider that throws makes the attempt fail, without a connection; the next attempt asks again")
    func throwing() async throws {
        let count = Shared(0)
        try await EpochRun.with { configuration in
            configuration.reconnect.maximumAttemptsAtStart = .unlimited
            configuration.credentials = { _ in
                let isFirst = count.withLock { count in
                    count += 1
                    return count == 1
                }
                if isFirst { throw Oops() }
                return nil
            }
        } _: { (run) async throws in
            await eventually { run.state == "waiting 1.0 connectFailed" }
            await run.pass(.seconds(1))
            _ = try await run.session()
            await run.untilConnected()
        }
    }

    /// That it was cancelled is the provider's own affair.
    @Test("B-6 A provider that throws CancellationError does not end the client")
    func throwingCancellation() async throws {
        let count = Shared(0)
        try await EpochRun.with { configuration in
            configuration.reconnect.maximumAttemptsAtStart = .unlimited
            configuration.credentials = { _ in
                if count.withLock({ count in
                    count += 1
                    return count == 1
                }) {
                    throw CancellationError()
                }
                return nil
            }
        } _: { (run) async throws in
            await run.pass(.seconds(1))
            _ = try await run.session()
            await run.untilConnected()
        }
    }

    @Test("B-6 A provider that hangs is given up at the connect deadline", arguments: [true, false])
    func hanging(isStubborn: Bool) async throws {
        try await EpochRun.with { configuration in
            configuration.reconnect.maximumAttemptsAtStart = .unlimited
            configuration.credentials = { request in
                guard request.attempt == 1 else { return nil }
                do {
                    try await Completion().value()
                } catch  where !isStubborn {
                    throw error
                } catch {}
                return STOMPLogin("too", passcode: "late")
            }
        } _: { (run) async throws in
            await run.pass(.seconds(10))
            await eventually { run.state == "waiting 1.0 connectTimedOut" }
            await run.pass(.seconds(1))
            #expect(try await run.accept().receiveFrame().header("login") == nil)
        }
    }

    /// Nothing of a client outlives `run()`, and nobody can end what does not want to.
    @Test("B-6 B-28 A provider that ignores cancellation holds up run() until it returns, and no other call")
    func ignoresCancellation() async throws {
        let hasBegun = Completion()
        let answer = Completion()
        try await EpochRun.with { configuration in
            configuration.credentials = { _ in
                hasBegun.resolve(.success(()))
                // As one does that waits for a lock, or has caught its cancellation.
                try await answer.value(onCancel: {})
                return nil
            }
        } _: { (run) async throws in
            try await hasBegun.value()
            let send = Task { try await run.client.send("x", to: "/q", receipt: .required) }
            await eventually { run.clock.sleeperCount == 2 }
            await run.pass(.seconds(10))
            #expect(run.state == "connecting 1")
            await run.pass(.seconds(20))
            #expect(await failure { try await send.value }?.code == .notConnected)
            run.cancel()
            for _ in 0..<100 { await Task.yield() }
            #expect(run.state == "connecting 1")
            answer.resolve(.success(()))
            #expect(try await run.end.value()?.code == .cancelled)
        }
    }
}
