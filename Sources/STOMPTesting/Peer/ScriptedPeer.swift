// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMP
import STOMPCore
package import STOMPTransport

/// The other end of a client's connections, played by a script that says and expects exact bytes.
///
/// Nothing of this package's parser or serializer is behind it: what a script writes is what the client gets, also
/// where it breaks the protocol. Its methods act on the connection that was accepted last; a script that needs several
/// at once keeps what ``accept()`` returns.
///
/// ```swift
/// try await withScriptedPeer { peer in
///     try await peer.accept()
///     try await peer.expect("CONNECT\naccept-version:1.2\nhost:localhost\n\n\u{0}")
///     try await peer.send("CONNECTED\nversion:1.2\n\n\u{0}")
///     peer.hangUp()
/// } client: { peer in
///     …
/// }
/// ```
public final class ScriptedPeer: Sendable {
    /// Where clients in this process connect.
    package let inMemoryListener: InMemoryListener
    private let outerListener: BoundListener?
    private let current = Locked<Connection?>(nil)

    init(listening: STOMPBroker.Listening) throws(STOMPError) {
        self.inMemoryListener = InMemoryListener()
        let listeners = try listening.bind()
        self.outerListener = listeners.first
        for listener in listeners.dropFirst() { listener.close() }
    }

    /// The TCP port at 127.0.0.1; `nil` if there is none.
    public var port: Int? {
        self.outerListener?.port
    }

    /// Waits for the next connection; from outside, if the peer listens there.
    ///
    /// What comes before STOMP, such as the opening of a WebSocket, is done when it returns: the script says and expects
    /// what is within.
    ///
    /// - Throws: ``Mismatch`` if the client's part has ended, or the task was cancelled.
    @discardableResult
    public func accept() async throws(Mismatch) -> Connection {
        let bound = self.outerListener ?? BoundListener(self.inMemoryListener)
        do throws(TransportError) {
            let stream = try await bound.listener.accept()
            let connection = Connection(try await bound.opening?(stream) ?? stream)
            self.current.withLock { $0 = connection }
            return connection
        } catch {
            throw Mismatch("a connection", received: error.message)
        }
    }

    /// Refuses further connections; those that are open stay so.
    public func stopListening() {
        self.inMemoryListener.close()
        self.outerListener?.close()
    }

    func hangUpEverywhere() {
        self.stopListening()
        self.current.withLock { $0 }?.hangUp()
    }

    private func connection() throws(Mismatch) -> Connection {
        guard let connection = self.current.withLock({ $0 }) else {
            throw Mismatch("a connection", received: "nothing: the script has not called accept()")
        }
        return connection
    }
}

extension ScriptedPeer {
    /// See ``Connection/receiveFrame()``.
    public func receiveFrame() async throws(Mismatch) -> String {
        try await self.connection().receiveFrame()
    }

    /// See ``Connection/receiveBytes(count:)``.
    public func receiveBytes(count: Int) async throws(Mismatch) -> [UInt8] {
        try await self.connection().receiveBytes(count: count)
    }

    /// See ``Connection/expect(_:)``.
    public func expect(_ expected: String) async throws(Mismatch) {
        try await self.connection().expect(expected)
    }

    /// See ``Connection/expectHangUp()``.
    public func expectHangUp() async throws(Mismatch) {
        try await self.connection().expectHangUp()
    }

    /// See ``Connection/send(_:)-(String)``.
    public func send(_ text: String) async throws(Mismatch) {
        try await self.connection().send(text)
    }

    /// See ``Connection/send(_:)-([UInt8])``.
    public func send(_ bytes: [UInt8]) async throws(Mismatch) {
        try await self.connection().send(bytes)
    }

    /// See ``Connection/hangUp()``.
    public func hangUp() {
        self.current.withLock { $0 }?.hangUp()
    }

    /// See ``Connection/hasReceivedNothing``.
    public var hasReceivedNothing: Bool {
        self.current.withLock { $0 }?.hasReceivedNothing ?? true
    }

    /// What a script expected and what came instead.
    public struct Mismatch: Error, CustomStringConvertible {
        /// What the script wanted.
        public let expected: String
        /// What there was.
        public let received: String

        init(_ expected: String, received: String) {
            self.expected = expected
            self.received = received
        }

        /// Both of them, on lines of their own.
        public var description: String {
            "The client did not follow the script.\nExpected: \(self.expected)\nReceived: \(self.received)"
        }
    }
}

/// Runs a client against a scripted peer; both at the same time.
///
/// The script goes on when the client has ended; then it can accept no more connections, but can still read what the
/// client has sent. The first of the two to fail cancels the other one, and its error is thrown.
public func withScriptedPeer<Value: Sendable>(
    listening: STOMPBroker.Listening = .inMemory,
    _ script: @escaping @Sendable (ScriptedPeer) async throws -> Void,
    client: @escaping @Sendable (ScriptedPeer) async throws -> Value
) async throws -> Value {
    let peer = try ScriptedPeer(listening: listening)
    defer { peer.hangUpEverywhere() }
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask(name: "stomp.peer.script") {
            do {
                try await script(peer)
            } catch {
                // A client that waits for an answer must not wait for ever.
                peer.hangUpEverywhere()
                throw error
            }
            return nil
        }
        group.addTask(name: "stomp.peer.client") {
            defer { peer.stopListening() }
            return try await client(peer)
        }
        var result: Value?
        for try await part in group { result = part ?? result }
        guard let result else { throw STOMPError.cancelled }
        return result
    }
}
