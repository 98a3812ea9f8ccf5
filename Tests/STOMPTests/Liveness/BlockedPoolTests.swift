// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import Foundation
import STOMPCore
import STOMPTransport
import TestSupport
import Testing

@testable import STOMP
@testable import STOMPTesting

@Suite("Heart-beats and handlers that block", .timeLimit(.minutes(5)))
struct BlockedPoolTests {
    /// In a process of its own, since no thread of the pool is left in it.
    @Test("Beats go on, over TCP, while handlers block every thread of the pool", .onOwnThread)
    func beatsGoOn() async {
        await #expect(processExitsWith: .success) {
            let clock = ManualClock()
            let (connection, transport) = try await Self.connected(.with(\.clock, clock), beats: 10_000)
            let running = Task { await connection.run() }
            try await clock.waitForSleepers(1)

            let blocked = Shared(0)
            // Not on the pool: plays the peer's part and moves the clock.
            Thread.detachNewThread {
                while blocked.withLock({ $0 }) < ProcessInfo.processInfo.activeProcessorCount { sched_yield() }
                for _ in 0..<5 {
                    while clock.sleeperCount == 0 { sched_yield() }
                    clock.advance(by: .seconds(5))
                    var byte: UInt8 = 0
                    while true {
                        let outcome = withUnsafeMutableBytes(of: &byte) { try? transport.read(into: $0) }
                        if outcome == .bytes(1), byte == 10 { break }
                        guard outcome == .wouldBlock else { exit(1) }
                        sched_yield()
                    }
                }
                exit(0)
            }
            Self.blockPool(counting: blocked)
            _ = await running.value
        }
    }

    /// As above, by the clock that is the default.
    ///
    /// That beats are also on time, a second earlier than by the clock's own way to sleep, is not looked at here.
    @Test("Beats go on by the real clock, too, while handlers block every thread of the pool", .onOwnThread)
    func beatsGoOnByTheRealClock() async {
        await #expect(processExitsWith: .success) {
            let beats = STOMPHeartBeat(outgoing: .milliseconds(2), incoming: .zero)
            let (connection, transport) = try await Self.connected(.patient(\.heartBeat, beats), beats: 2)
            let running = Task { await connection.run() }

            let blocked = Shared(0)
            // Not on the pool: plays the peer's part.
            Thread.detachNewThread {
                while blocked.withLock({ $0 }) < ProcessInfo.processInfo.activeProcessorCount { sched_yield() }
                var (byte, count, isFresh): (UInt8, Int, Bool) = (0, 0, false)
                while count < 20 {
                    let outcome = withUnsafeMutableBytes(of: &byte) { try? transport.read(into: $0) }
                    guard outcome == .wouldBlock || outcome == .bytes(1) else { exit(1) }
                    if outcome == .bytes(1), byte == 10, isFresh { count += 1 }
                    // What had come before the pool was blocked does not count. Only here, since on a busy machine more
                    // beats come during each yield.
                    if outcome == .wouldBlock {
                        isFresh = true
                        sched_yield()
                    }
                }
                exit(0)
            }
            Self.blockPool(counting: blocked)
            _ = await running.value
        }
    }

    /// A connection over TCP to a peer that wants a beat every so many milliseconds, and the peer's end.
    private static func connected(
        _ configuration: STOMPConfiguration,
        beats: Int
    ) async throws -> (STOMPConnection, any ByteTransport) {
        let listener = try TCPListener.bind()
        let opened = Task {
            try await STOMPConnection.open(
                to: STOMPServer(.tcp("127.0.0.1", port: listener.port)),
                configuration: configuration,
                time: TimeSource(configuration.clock),
                events: EventHub()
            )
        }
        let transport = try await listener.accept()
        let peer = ScriptedPeer.Connection(transport)
        _ = try await peer.receiveFrame()
        try await peer.send("CONNECTED\nversion:1.2\nheart-beat:0,\(beats)\n\n\0")
        return (try await opened.value, transport)
    }

    /// Starts handlers that do what some do and none should.
    private static func blockPool(counting blocked: Shared<Int>) {
        let handlers = DispatchSemaphore(value: 0)
        for _ in 0..<256 {
            Task {
                blocked.withLock { $0 += 1 }
                Self.block(handlers)
            }
        }
    }

    private static func block(_ semaphore: DispatchSemaphore) {
        semaphore.wait()
    }
}
