// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
public import STOMPCore
package import STOMPTransport
import Synchronization

/// A STOMP broker that lives in this process, for tests, examples and development.
///
/// It speaks STOMP 1.0, 1.1 and 1.2 with queues, topics, acknowledgements, redelivery, transactions, receipts and
/// heart-beats, keeps everything in memory and within bounds, and is as strict as the specification: a client's mistake
/// is answered with an ERROR and the end of the connection.
///
/// - `/queue/NAME`, or any other name: each message goes to one subscriber, in turn. What is not acknowledged comes
///   back in front of the queue and is delivered again with `redelivered:true`.
/// - `/topic/NAME`: each subscriber gets a copy. A subscription may have wildcards as in RabbitMQ: in a name of words
///   with dots between them, `*` is one word and `#` is any number of them.
///
/// ```swift
/// try await withSTOMPBroker { broker in
///     try await withSTOMPClient(connectedTo: broker) { client in try await OrderWorker(client).handleNext() }
///     #expect(await broker.settled(in: "/queue/orders") == [.acknowledged("order-1")])
/// }
/// ```
public final class STOMPBroker: Sendable {
    /// What the broker was made with.
    public let configuration: Configuration
    /// Where clients in this process connect.
    package let inMemoryListener: InMemoryListener
    let engine: BrokerEngine
    private let listeners: [BoundListener]
    private let isStarted = Atomic<Bool>(false)
    private let lastConnection = Atomic<UInt64>(0)
    /// Ports that were given up on purpose.
    private let stoppedPorts = Locked<Set<Int>>([])

    /// A broker that listens, and serves nobody before ``run()``.
    ///
    /// - Throws: ``STOMPError/Code/connectFailed`` if the port or path cannot be had, ``STOMPError/Code/tlsFailed`` if the
    ///   certificate or key for TLS cannot be used.
    public init(_ configuration: Configuration = Configuration(), listening: Listening = .inMemory) throws(STOMPError) {
        self.configuration = configuration
        self.engine = BrokerEngine(configuration)
        self.inMemoryListener = InMemoryListener()
        self.listeners = try listening.bind()
    }

    /// The TCP port at 127.0.0.1, of several the first; `nil` if there is none.
    public var port: Int? {
        self.listeners.first?.port
    }

    /// The TCP ports at 127.0.0.1, in the order in which they were asked for.
    public var ports: [Int] {
        self.listeners.compactMap(\.port)
    }

    /// Lets nobody in by this port any more, and cuts the connections that came by it, as the death of one node of a
    /// cluster would.
    ///
    /// When it returns the port refuses connections; those there were end at once. The broker serves on by its other
    /// ports, and in memory. For a port that is not one of ``ports`` it does nothing.
    public func stopListening(at port: Int) {
        for listener in self.listeners where listener.port == port {
            // Before it is closed: it must not look like a failure.
            self.stoppedPorts.withLock { _ = $0.insert(port) }
            listener.close()
        }
    }

    /// Serves clients until the task is cancelled, then cuts their connections.
    ///
    /// All tasks of the broker are children of this call.
    ///
    /// - Throws: ``STOMPError/Code/alreadyRunning`` on a second call, ``STOMPError/Code/connectFailed`` if the system
    ///   lets no more clients in.
    public func run() async throws(STOMPError) {
        guard !self.isStarted.exchange(true, ordering: .relaxed) else {
            throw STOMPError(.alreadyRunning, "A broker runs once. Make another one.")
        }
        let failure = await self.serveAll()
        self.inMemoryListener.close()
        for listener in self.listeners { listener.close() }
        await self.engine.stop()
        if let failure { throw failure }
    }

    private func serveAll() async -> STOMPError? {
        await withTaskGroup(of: STOMPError?.self) { group in
            group.addTask(name: "stomp.broker.in-memory") { await self.serve(BoundListener(self.inMemoryListener)) }
            for listener in self.listeners {
                group.addTask(name: "stomp.broker.listener") {
                    let failure = await self.serve(listener)
                    guard let port = listener.port else { return failure }
                    return self.stoppedPorts.withLock { $0.contains(port) } ? nil : failure
                }
            }
            // A listener ends without a failure when it is stopped, or, like all, by cancellation.
            for await failure in group {
                guard let failure else { continue }
                group.cancelAll()
                return failure
            }
            return nil
        }
    }

    private func serve(_ listener: BoundListener) async -> STOMPError? {
        await withDiscardingTaskGroup { connections in
            do throws(TransportError) {
                while !Task.isCancelled {
                    let stream = try await listener.listener.accept()
                    let id = self.lastConnection.add(1, ordering: .relaxed).newValue
                    connections.addTask(name: "stomp.broker.connection") {
                        // Not in the loop: a client that is slow to shake hands keeps nobody else out.
                        guard let transport = await self.open(stream, listener.opening) else { return }
                        let connection = BrokerConnection(
                            id: id,
                            transport: transport,
                            engine: self.engine,
                            configuration: self.configuration
                        )
                        await connection.run()
                    }
                }
                return nil
            } catch {
                connections.cancelAll()
                return Task.isCancelled ? nil : STOMPError(.connectFailed, error.message, cause: error)
            }
        }
    }
}

extension STOMPBroker {
    /// How long a client may take for what comes before STOMP: so long since it may be one of a thousand tests.
    private static let openingTimeout: Duration = .seconds(60)

    /// Nil if it came to nothing; then the stream is closed.
    private func open(
        _ stream: any ByteTransport,
        _ opening: BoundListener.Opening?
    ) async -> (any ByteTransport)? {
        guard let opening else { return stream }
        let time = TimeSource(self.configuration.clock)
        let late = STOMPError(.connectTimedOut, "The client did not finish its handshake.")
        return try? await withDeadline(time.now + Self.openingTimeout, of: time, timeout: late) {
            () throws(STOMPError) in
            do throws(TransportError) {
                return try await opening(stream)
            } catch {
                throw STOMPError(.connectFailed, error.message, cause: error)
            }
        }
    }
}

/// Runs a broker while `body` runs.
///
/// When `body` ends, so does the broker: connections that are still open are cut.
///
/// - Throws: what `body` throws; ``STOMPError/Code/connectFailed`` if the port or path cannot be had.
public func withSTOMPBroker<Value>(
    _ configuration: STOMPBroker.Configuration = STOMPBroker.Configuration(),
    listening: STOMPBroker.Listening = .inMemory,
    _ body: (STOMPBroker) async throws -> Value
) async throws -> Value {
    let broker = try STOMPBroker(configuration, listening: listening)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(name: "stomp.broker") { try await broker.run() }
        let result = try await body(broker)
        group.cancelAll()
        try await group.waitForAll()
        return result
    }
}
