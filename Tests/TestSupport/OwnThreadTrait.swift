// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import Testing

/// Runs a test on threads of its own instead of the cooperative pool; see ``OwnThreadExecutor``.
public struct OwnThreadTrait: TestTrait, TestScoping {
    @concurrent
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(OwnThreadExecutor()) { try await function() }
    }
}

extension Trait where Self == OwnThreadTrait {
    /// For tests with `#expect(processExitsWith:)`.
    public static var onOwnThread: OwnThreadTrait { OwnThreadTrait() }
}
