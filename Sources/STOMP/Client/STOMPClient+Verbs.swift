// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMPCore

extension STOMPClient: Sending {
    /// Sends a text, as UTF-8 (STOMP 1.2, SEND).
    ///
    /// Waits for a connection if there is none.
    ///
    /// Without a receipt it returns when the frame is in the bounded outbox: waiting for room there is the
    /// back-pressure, and a frame that is still there when the connection ends is lost, which is an event. Cancelled,
    /// the frame is not sent, or sent whole.
    ///
    /// - Parameters:
    ///   - text: the body.
    ///   - destination: where it goes to.
    ///   - contentType: the `content-type` header; `nil`: none.
    ///   - headers: further headers, which the broker passes on.
    ///   - contentLength: whether to send `content-length`; `nil`: as configured.
    ///   - receipt: whether to wait until the broker has confirmed it.
    /// - Throws: not sent: ``STOMPError/Code/notConnected``, ``STOMPError/Code/closed``,
    ///   ``STOMPError/Code/outboxFull``, ``STOMPError/Code/invalidArgument``. With a receipt also
    ///   ``STOMPError/Code/rejected``, and, with an unknown outcome, ``STOMPError/Code/receiptTimedOut``,
    ///   ``STOMPError/Code/connectionLost`` and ``STOMPError/Code/cancelled``.
    @inlinable
    public nonisolated(nonsending) func send(
        _ text: String,
        to destination: STOMPDestination,
        contentType: STOMPContentType? = .plainText,
        headers: STOMPHeaders = [:],
        contentLength: STOMPContentLength? = nil,
        receipt: STOMPReceipt = .none
    ) async throws(STOMPError) {
        try await self.send(.text(text), destination, contentType, headers, contentLength, receipt)
    }

    /// Sends bytes; otherwise as ``send(_:to:contentType:headers:contentLength:receipt:)-(String,_,_,_,_,_)``.
    @inlinable
    public nonisolated(nonsending) func send(
        _ body: [UInt8],
        to destination: STOMPDestination,
        contentType: STOMPContentType? = .octetStream,
        headers: STOMPHeaders = [:],
        contentLength: STOMPContentLength? = nil,
        receipt: STOMPReceipt = .none
    ) async throws(STOMPError) {
        try await self.send(.bytes(body), destination, contentType, headers, contentLength, receipt)
    }

    /// Sends without waiting for anything.
    ///
    /// Returns `false` if that needs a wait.
    @usableFromInline
    func sendNow(
        _ body: UnsafeRawBufferPointer,
        _ destination: STOMPDestination,
        _ contentType: STOMPContentType?,
        _ headers: STOMPHeaders,
        _ contentLength: STOMPContentLength?
    ) throws(STOMPError) -> Bool {
        guard let connection = self.current else { return false }
        do throws(STOMPError) {
            return try connection.sendNow(body, destination, contentType, headers, contentLength)
        } catch  where Self.mayTryNext(error, after: connection) {
            // It has ended, and there may be another one.
            return false
        }
    }

    /// A connection for a call that has sent nothing yet.
    func currentConnection(
        after previous: STOMPConnection? = nil,
        until deadline: Duration? = nil
    ) async throws(STOMPError) -> STOMPConnection {
        if let connection = self.current, connection !== previous { return connection }
        do throws(STOMPError) {
            let deadline = deadline ?? self.time.now + self.configuration.connectionWaitTimeout
            return try await self.connection(after: previous, until: deadline)
        } catch {
            throw Self.refusal(error)
        }
    }

    /// Subscribes to a destination (STOMP 1.2, SUBSCRIBE).
    ///
    /// Waits for a connection if there is none.
    ///
    /// - Throws: as ``STOMPConnection/subscribe(to:ack:id:headers:options:)``.
    public func subscribe(
        to destination: STOMPDestination,
        ack: STOMPAckMode = .clientIndividual,
        id: String? = nil,
        headers: STOMPHeaders = [:],
        options: STOMPSubscriptionOptions? = nil
    ) async throws(STOMPError) -> STOMPSubscription {
        let deadline = self.time.now + self.configuration.connectionWaitTimeout
        var connection = try await self.currentConnection(until: deadline)
        while true {
            do throws(STOMPError) {
                return try await connection.subscribe(
                    to: destination,
                    ack: ack,
                    id: id,
                    headers: headers,
                    options: options
                )
            } catch  where error.code == .connectionLost || Self.mayTryNext(error, after: connection) {
                // It ended with its connection; the next one may have more luck.
                let lost = error
                do throws(STOMPError) {
                    connection = try await self.currentConnection(after: connection, until: deadline)
                } catch {
                    throw error.code == .cancelled ? error : lost
                }
            }
        }
    }

    /// Subscribes, runs `body`, and unsubscribes, also when `body` throws or the task is cancelled.
    ///
    /// What was received and not answered goes back to the broker at once.
    ///
    /// - Throws: what `body` throws; else as ``subscribe(to:ack:id:headers:options:)``.
    public nonisolated(nonsending) func withSubscription<Value>(
        to destination: STOMPDestination,
        ack: STOMPAckMode = .clientIndividual,
        id: String? = nil,
        headers: STOMPHeaders = [:],
        options: STOMPSubscriptionOptions? = nil,
        _ body: (STOMPSubscription) async throws -> Value
    ) async throws -> Value {
        let subscription = try await self.subscribe(
            to: destination,
            ack: ack,
            id: id,
            headers: headers,
            options: options
        )
        return try await subscription.withUnsubscribing(body)
    }

    /// Acknowledges by id; see ``STOMPConnection/ack(id:subscription:receipt:)``.
    public func ack(id: String, subscription: String, receipt: STOMPReceipt = .none) async throws(STOMPError) {
        try await self.currentConnection().ack(id: id, subscription: subscription, receipt: receipt)
    }

    /// Refuses by id; see ``STOMPConnection/nack(id:subscription:headers:receipt:)``.
    public func nack(
        id: String,
        subscription: String,
        headers: STOMPHeaders = [:],
        receipt: STOMPReceipt = .none
    ) async throws(STOMPError) {
        let connection = try await self.currentConnection()
        try await connection.nack(id: id, subscription: subscription, headers: headers, receipt: receipt)
    }

    /// Begins a transaction; see ``STOMPConnection/begin(id:)``.
    public func begin(id: String? = nil) async throws(STOMPError) -> STOMPTransaction {
        let deadline = self.time.now + self.configuration.connectionWaitTimeout
        var connection = try await self.currentConnection(until: deadline)
        while true {
            do throws(STOMPError) {
                return try await connection.begin(id: id)
            } catch  where Self.mayTryNext(error, after: connection) {
                connection = try await self.currentConnection(after: connection, until: deadline)
            }
        }
    }

    /// Runs `body` in a transaction: COMMIT with a receipt when it returns, ABORT when it throws or the task is
    /// cancelled.
    ///
    /// Never replayed.
    ///
    /// - Throws: what `body` throws; ``STOMPError/Code/cancelled``; else as ``STOMPTransaction/commit()``.
    public nonisolated(nonsending) func withTransaction<Value>(
        _ body: (STOMPTransaction) async throws -> Value
    ) async throws -> Value {
        try await self.begin().end(after: body)
    }
}
