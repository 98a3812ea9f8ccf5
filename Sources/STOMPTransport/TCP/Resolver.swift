// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// Turns names into addresses on a few threads of its own, since the system's resolver blocks.
///
/// At most `threadLimit` threads, started when there is work and ended when there is none. A cancelled wait takes its
/// request out of the queue, so the queue is as long as there are waiters.
final class Resolver: Sendable {
    static let shared = Resolver(threadLimit: 4)

    /// One name to resolve; `done` finishes when `result` is there.
    private final class Request: Sendable {
        let name: HostAndPort
        let done = Readiness()
        let result = Locked<Result<[SocketAddress], TransportError>?>(nil)

        init(_ name: HostAndPort) {
            self.name = name
        }

        func finish(_ result: Result<[SocketAddress], TransportError>) {
            self.result.withLock { $0 = result }
            self.done.finish()
        }
    }

    private struct State {
        var queue: [Request] = []
        var threadCount = 0
    }

    private let threadLimit: Int
    private let state = Locked(State())

    init(threadLimit: Int) {
        self.threadLimit = threadLimit
    }

    /// The addresses in the order to try; cancellation throws `.closed` at once.
    func resolve(_ name: HostAndPort) async throws(TransportError) -> [SocketAddress] {
        if let address = try name.literalAddress() {
            return [address]
        }
        let request = Request(name)
        self.submit(request)
        await request.done.wait()
        let result = request.result.withLock { $0 }
        guard let result else {
            self.withdraw(request)
            throw TransportError(kind: .closed, message: "Looking up \(name.host) was cancelled.")
        }
        return try result.get()
    }

    private func submit(_ request: Request) {
        let needsThread = self.state.withLock { state in
            state.queue.append(request)
            guard state.threadCount < self.threadLimit else { return false }
            state.threadCount += 1
            return true
        }
        guard needsThread else { return }
        do throws(SystemError) {
            try System.startThread { self.work() }
        } catch {
            // Without any thread nobody would ever answer; with one, it will.
            let stranded = self.state.withLock { state -> [Request] in
                state.threadCount -= 1
                guard state.threadCount == 0 else { return [] }
                let stranded = state.queue
                state.queue = []
                return stranded
            }
            for request in stranded {
                request.finish(.failure(error.transportError("Could not look up \(request.name.host)")))
            }
        }
    }

    private func withdraw(_ request: Request) {
        self.state.withLock { state in
            state.queue.removeAll { $0 === request }
        }
    }

    private func work() {
        while let request = self.nextRequest() {
            request.finish(Self.lookUp(request.name))
        }
    }

    private static func lookUp(_ name: HostAndPort) -> Result<[SocketAddress], TransportError> {
        switch System.lookUp(host: name.host, port: name.port, isLiteral: false) {
        case .success(let addresses) where !addresses.isEmpty:
            return .success(addresses)
        case .success:
            let message = "Could not find \(name.host): it has no address."
            return .failure(TransportError(kind: .resolution, message: message))
        case .failure(let failure):
            let message = "Could not find \(name.host): \(failure.reason)."
            return .failure(TransportError(kind: .resolution, errno: failure.number, message: message))
        }
    }

    /// Nil ends the thread; decided under the lock that counts threads, so no request is left behind.
    private func nextRequest() -> Request? {
        self.state.withLock { state in
            guard state.queue.isEmpty else { return state.queue.removeFirst() }
            state.threadCount -= 1
            return nil
        }
    }
}
