// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore
import Synchronization
import Testing

@testable import STOMPTransport

/// A descriptor reports once and is then armed again by whoever waits on: nobody may be forgotten over that.
@Suite(.timeLimit(.minutes(10)))
struct ArmingTests {
    /// Set once by a task, looked at by the test.
    private final class Flag: Sendable {
        private let state = Locked(false)
        var isSet: Bool { self.state.withLock { $0 } }
        func set() { self.state.withLock { $0 = true } }
    }

    @Test(arguments: [0, 1, 2, 3])
    func `a reader and a writer wait on one socket, and each is woken by its own cause`(order: Int) async throws {
        let (client, server) = try SmallSockets.makePair()
        for round in 0..<1_000 {
            let filled = try client.fill()
            let byte = UInt8(truncatingIfNeeded: round)
            async let read = client.readSome(limit: 1)
            async let wrote: Void = client.writeAll([byte])
            for _ in 0..<round % 4 { await Task.yield() }
            switch order {
            case 0:
                // The reader's cause only: the writer waits on.
                try await server.writeAll([byte])
                #expect(try await read == [byte])
                _ = try await server.readExactly(filled)
            case 1:
                _ = try await server.readExactly(filled)
                try await wrote
                try await server.writeAll([byte])
            case 2:
                async let drained = server.readExactly(filled)
                try await server.writeAll([byte])
                _ = try await drained
            default:
                try await server.writeAll([byte])
                _ = try await server.readExactly(filled)
            }
            #expect(try await read == [byte])
            try await wrote
            #expect(try await server.readExactly(1) == [byte])
        }
    }

    @Test
    func `both directions full, for thousands of waits, while hang-ups are waited for`() async throws {
        for _ in 0..<3 {
            let (client, server) = try SmallSockets.makePair()
            let count = 2_000_000
            let hasReturned = Flag()
            let hangUps = [client, server].map { socket in
                Task {
                    await socket.waitUntilHangUp()
                    hasReturned.set()
                }
            }
            async let clientWrites: Void = client.writeSeries(count, from: 7)
            async let serverWrites: Void = server.writeSeries(count, from: 99)
            async let clientReads = client.readSeries(count, from: 99)
            async let serverReads = server.readSeries(count, from: 7)
            try await clientWrites
            try await serverWrites
            #expect(try await clientReads)
            #expect(try await serverReads)
            #expect(!hasReturned.isSet)
            server.close()
            for hangUp in hangUps { await hangUp.value }
            client.close()
        }
    }

    @Test
    func `a wait for the hang-up does not return early, whatever disarms it`() async throws {
        let (client, server) = try SmallSockets.makePair()
        let hasReturned = Flag()
        let hangUp = Task {
            await client.waitUntilHangUp()
            hasReturned.set()
        }
        for round in 0..<2_000 {
            let byte = UInt8(truncatingIfNeeded: round)
            async let read = client.readSome()
            if round % 3 == 0 { await Task.yield() }
            try await server.writeAll([byte])
            #expect(try await read == [byte])
            if round % 5 == 0 {
                let cancelled = client.startWaits()
                if round % 2 == 0 { await Task.yield() }
                for wait in cancelled { wait.cancel() }
                for wait in cancelled { await wait.value }
            }
            #expect(!hasReturned.isSet)
        }
        server.close()
        await hangUp.value
    }

    @Test
    func `a hang-up that happened while nothing was armed is seen, with bytes unread and without`() async throws {
        for round in 0..<300 {
            let (client, server) = try SmallSockets.makePair()
            if round % 3 == 1 {
                // Something was armed once, and has reported.
                try await server.writeAll([1])
                #expect(try await client.readSome() == [1])
            }
            if round % 2 == 0 { try await server.writeAll([2, 3]) }
            server.close()
            if round % 2 == 1 {
                // Loopback delivers the end at once: it is there before anybody waits.
                var outcome = ReadOutcome.wouldBlock
                while outcome == .wouldBlock { outcome = try client.readOnce() }
                #expect(outcome == .endOfStream)
            }
            await client.waitUntilHangUp()
            await client.waitUntilHangUp()
            if round % 2 == 0 { #expect(try await client.readToEnd() == [2, 3]) }
        }
    }

    @Test
    func `several wait for one hang-up`() async throws {
        for _ in 0..<100 {
            let (client, server) = try SmallSockets.makePair()
            let waits = (0..<5).map { _ in Task { await client.waitUntilHangUp() } }
            async let read = client.readSome()
            waits[2].cancel()
            await waits[2].value
            try await server.writeAll([1])
            #expect(try await read == [1])
            server.close()
            for wait in waits { await wait.value }
        }
    }

    @Test
    func `cancelling one armed wait leaves the others armed`() async throws {
        let (client, server) = try SmallSockets.makePair()
        for round in 0..<500 {
            let filled = try client.fill()
            let byte = UInt8(truncatingIfNeeded: round)
            let hangUp = Task { await client.waitUntilHangUp() }
            if round % 2 == 0 {
                let reading = Task { await client.waitUntilReadable() }
                async let wrote: Void = client.writeAll([byte])
                for _ in 0..<round % 5 { await Task.yield() }
                reading.cancel()
                hangUp.cancel()
                _ = try await server.readExactly(filled)
                try await wrote
                await reading.value
                #expect(try await server.readExactly(1) == [byte])
            } else {
                let writing = Task { await client.waitUntilWritable() }
                async let read = client.readSome(limit: 1)
                for _ in 0..<round % 5 { await Task.yield() }
                writing.cancel()
                hangUp.cancel()
                try await server.writeAll([byte])
                #expect(try await read == [byte])
                await writing.value
                _ = try await server.readExactly(filled)
            }
            await hangUp.value
        }
    }

    @Test
    func `closing races with waits that arm, and with bytes that come`() async throws {
        for round in 0..<400 {
            let (client, server) = try SmallSockets.makePair()
            _ = try client.fill()
            let waits = client.startWaits()
            async let bytes: Void? = try? server.writeAll([1, 2, 3])
            async let closing: Void = client.close()
            for _ in 0..<round % 5 { await Task.yield() }
            await closing
            await bytes
            for wait in waits { await wait.value }
            await client.waitUntilHangUp()
            server.close()
        }
    }

    // MARK: - What an event does

    private static let all: EventQueue.Interest = [.reading, .writing, .hangUp]

    private func event(
        readable: Bool = false,
        writable: Bool = false,
        hungUp: Bool = false,
        failed: Bool = false
    )
        -> EventQueue.Event
    {
        EventQueue.Event(
            identifier: 9,
            isReadable: readable,
            isWritable: writable,
            isHungUp: hungUp,
            isFailed: failed
        )
    }

    /// Who was signalled by this event: reader, writer, waiter for the hang-up; and whether that one will not wait again.
    private func signalled(by event: EventQueue.Event, armed: EventQueue.Interest) -> [Bool] {
        let readiness = DescriptorReadiness()
        readiness.armed.store(armed.rawValue, ordering: .relaxed)
        let marks = [readiness.readable.mark, readiness.writable.mark, readiness.hungUp.mark]
        readiness.apply(event)
        let after = [readiness.readable.mark, readiness.writable.mark, readiness.hungUp.mark]
        #expect(readiness.armed.load(ordering: .relaxed) == 0)
        return zip(marks, after).map { $0 != $1 } + [readiness.hungUp.isFinished]
    }

    @Test
    func `an event wakes everybody who was armed, since it disarms all, and nobody else`() {
        #expect(self.signalled(by: self.event(readable: true), armed: .reading) == [true, false, false, false])
        #expect(self.signalled(by: self.event(writable: true), armed: .writing) == [false, true, false, false])
        #expect(self.signalled(by: self.event(readable: true), armed: Self.all) == [true, true, true, false])
        #expect(
            self.signalled(by: self.event(writable: true), armed: [.reading, .writing]) == [true, true, false, false]
        )
        #expect(self.signalled(by: self.event(readable: true), armed: []) == [true, false, false, false])
        #expect(self.signalled(by: self.event(hungUp: true), armed: .hangUp) == [true, false, false, true])
        #expect(self.signalled(by: self.event(hungUp: true, failed: true), armed: []) == [true, true, false, true])
        #expect(self.signalled(by: self.event(hungUp: true), armed: Self.all) == [true, true, false, true])
    }
}
