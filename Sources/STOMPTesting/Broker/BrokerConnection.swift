// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
import STOMPTransport

/// One connection of a client: the tasks that move its bytes.
///
/// | Task | ends when | then |
/// |---|---|---|
/// | writer (the scope's own) | the outbox is finished and written, write error, cancellation | the transport is closed, the others cancelled |
/// | `stomp.broker.reader` | the stream ends, cancellation | the outbox is finished |
/// | `stomp.broker.heart-beat` | cancellation; silence | the connection is cut |
/// | `stomp.broker.closer` | cancellation; the last bytes were not taken in time | the connection is cut |
final class BrokerConnection: Sendable {
    /// How long a client may take to read what is left when its connection is being closed.
    private static let flushTimeout = Duration.seconds(5)

    let id: UInt64
    let configuration: STOMPBroker.Configuration
    let time: TimeSource
    let outbox: BrokerOutbox
    private let agreement = OneShot<HeartBeatSchedule>()
    private let transport: any ByteTransport
    private let engine: BrokerEngine
    private let room = Signal()
    private let closing = Signal()
    private let lastReadTime: Locked<Duration>
    private let versionInUse = Locked<STOMPVersion?>(nil)

    init(id: UInt64, transport: any ByteTransport, engine: BrokerEngine, configuration: STOMPBroker.Configuration) {
        self.id = id
        self.transport = transport
        self.engine = engine
        self.configuration = configuration
        self.time = TimeSource(configuration.clock)
        self.outbox = BrokerOutbox(limit: configuration.maximumConnectionBacklog, now: self.time.now)
        self.lastReadTime = Locked(self.time.now)
    }

    /// How frames to this client are written; before CONNECTED without knowing its version.
    var serializer: FrameSerializer {
        FrameSerializer(version: self.versionInUse.withLock { $0 } ?? .v12)
    }

    /// The session is open.
    func agree(_ version: STOMPVersion, _ schedule: HeartBeatSchedule) {
        self.versionInUse.withLock { $0 = version }
        self.agreement.resolve(.success(schedule))
    }

    /// Serves the client until the connection has ended.
    func run() async {
        await self.engine.opened(self)
        await withDiscardingTaskGroup { group in
            group.addTask(name: "stomp.broker.reader") { await self.read() }
            group.addTask(name: "stomp.broker.heart-beat") { await self.keepAlive() }
            group.addTask(name: "stomp.broker.closer") { await self.closeInTime() }
            await self.write()
            self.cut()
            group.cancelAll()
        }
        await self.engine.closed(self.id)
    }

    /// Says something to the client.
    func send(_ frame: STOMPFrame) {
        var output = OutputBuffer()
        self.serializer.appendOrReduce(frame, to: &output)
        self.outbox.append(output.bytes)
    }

    /// Hands a message to the client.
    ///
    /// - Returns: whether so much waits for the client now that it must get no more.
    func deliver(_ delivery: Delivery, for subscription: BrokerState.Subscription) -> Bool {
        var output = OutputBuffer()
        self.serializer.append(delivery, for: subscription, to: &output)
        return self.outbox.append(output.bytes)
    }

    /// Nothing more will be said; the connection ends when the client has what is left.
    func finish() {
        self.outbox.finish()
        self.closing.raise()
    }

    /// Ends the connection at once.
    func cut() {
        self.outbox.finish()
        self.transport.close()
        self.room.raise()
    }

    private func closeInTime() async {
        await self.closing.wait()
        guard !Task.isCancelled else { return }
        await self.time.sleep(until: self.time.now + Self.flushTimeout)
        self.cut()
    }

    // MARK: - Reading

    private func read() async {
        await self.readAll()
        // Before the last bytes are written, which may take long: what was unsettled is for others now.
        await self.engine.closed(self.id)
        self.finish()
    }

    private func readAll() async {
        var reader = BrokerReader(self.configuration, connection: self.id)
        do throws(TransportError) {
            while !Task.isCancelled {
                switch try self.transport.read(into: reader.freeSpace()) {
                case .bytes(let count):
                    self.lastReadTime.withLock { $0 = self.time.now }
                    let step = reader.received(count)
                    guard await self.engine.received(step, from: self.id) else {
                        return try await self.discard(&reader)
                    }
                    while self.outbox.isFull, !Task.isCancelled { await self.room.wait() }
                case .wouldBlock:
                    reader.releaseMemory()
                    await self.transport.waitUntilReadable()
                case .endOfStream:
                    return
                }
            }
        } catch {
            // The stream has failed: for us that is its end.
        }
    }

    /// Goes on reading, for nothing: a socket that is closed with unread bytes is reset, and the client might never see
    /// the ERROR.
    private func discard(_ reader: inout BrokerReader) async throws(TransportError) {
        while !Task.isCancelled {
            switch try self.transport.read(into: reader.freeSpace()) {
            case .bytes: await Task.yield()
            case .wouldBlock: await self.transport.waitUntilReadable()
            case .endOfStream: return
            }
        }
    }

    // MARK: - Writing

    private func write() async {
        while !Task.isCancelled {
            switch self.outbox.next() {
            case .write(let bytes):
                guard await self.write(bytes) else { return }
            case .wait:
                await self.outbox.wait()
            case .end:
                return
            }
        }
    }

    /// Returns whether all of it was written.
    private func write(_ bytes: [UInt8]) async -> Bool {
        var written = 0
        while written < bytes.count {
            // Not after the write: by then the client may have the bytes, and count from an earlier time than we.
            let now = self.time.now
            let count = bytes.withUnsafeBytes { all in
                try? self.transport.write(UnsafeRawBufferPointer(rebasing: all[written...]))
            }
            guard let count, !Task.isCancelled else { return false }
            if count == 0 {
                await self.transport.waitUntilWritable()
                continue
            }
            written += count
            if self.outbox.wrote(count, now: now) {
                self.room.raise()
                await self.engine.hasRoom(self.id)
            }
        }
        return true
    }
}

extension BrokerConnection {
    /// Keeps the promises of both sides, once there are any.
    private func keepAlive() async {
        guard let schedule = try? await self.agreement.value() else { return }
        await withDiscardingTaskGroup { group in
            group.addTask(name: "stomp.broker.beat") { await self.beat(schedule) }
            group.addTask(name: "stomp.broker.watchdog") { await self.watch(schedule) }
        }
    }

    private func beat(_ schedule: HeartBeatSchedule) async {
        var lastBeat = Duration.zero
        while !Task.isCancelled {
            // Counted from the last beat as well: while a client does not read, the last write stands still.
            let last = max(lastBeat, self.outbox.lastWrite)
            guard let deadline = schedule.beatDeadline(lastWrite: last) else { return }
            await self.time.sleep(until: deadline)
            let now = self.time.now
            guard let due = schedule.beatDeadline(lastWrite: self.outbox.lastWrite), due <= now else { continue }
            self.outbox.appendHeartBeat()
            lastBeat = now
        }
    }

    private func watch(_ schedule: HeartBeatSchedule) async {
        while !Task.isCancelled {
            let lastRead = self.lastReadTime.withLock { $0 }
            guard let deadline = schedule.silenceDeadline(lastRead: lastRead, tolerance: 2) else { return }
            await self.time.sleep(until: deadline)
            guard !Task.isCancelled, self.lastReadTime.withLock({ $0 }) == lastRead else { continue }
            // Bytes that we have not read yet are no silence.
            guard self.transport.unreadByteCount > 0 else { return self.cut() }
            self.lastReadTime.withLock { $0 = self.time.now }
        }
    }
}
