// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Testing

/// Runs `body`, and fails with the broker's log if it throws or does not end in time.
///
/// What is stuck is left behind: waiting for it would make the test stuck too.
func withLimit(
    _ limit: Duration,
    log: @Sendable () -> String,
    _ body: @escaping @Sendable () async throws -> Void
) async {
    let (ends, continuation) = AsyncStream<Result<Void, any Error>>.makeStream()
    let work = Task {
        do {
            try await body()
            continuation.yield(.success(()))
        } catch {
            continuation.yield(.failure(error))
        }
    }
    let timer = Task {
        try await RealTime.pass(limit)
        continuation.yield(.failure(LimitPassed(limit: limit)))
    }
    var iterator = ends.makeAsyncIterator()
    let end = await iterator.next()
    timer.cancel()
    work.cancel()
    if case .failure(let error) = end {
        Issue.record(error, "The broker's log ends:\n\(log())")
    }
}

struct LimitPassed: Error, CustomStringConvertible {
    let limit: Duration

    var description: String { "the test did not end within \(self.limit)" }
}
