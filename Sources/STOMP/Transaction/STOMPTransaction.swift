// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// An open transaction: what is sent and acknowledged through it happens at COMMIT, all of it or nothing (STOMP 1.2,
/// BEGIN).
///
/// It belongs to one connection and is never replayed on another.
///
/// Sends and acks in it take no receipt: RabbitMQ confirms them only after the COMMIT. Only COMMIT and ABORT are
/// confirmed.
public final class STOMPTransaction: Sendable {
    /// The transaction's id on the wire.
    public let id: String

    private let connection: STOMPConnection

    init(id: String, connection: STOMPConnection) {
        self.id = id
        self.connection = connection
    }

    private var outbox: Outbox { self.connection.outbox }

    /// Sends a text at COMMIT; otherwise as `send` of the client without a receipt.
    ///
    /// - Throws: ``STOMPError/Code/transactionEnded``, ``STOMPError/Code/transactionLost``, or as `send`.
    public func send(
        _ text: String,
        to destination: STOMPDestination,
        contentType: STOMPContentType? = .plainText,
        headers: STOMPHeaders = [:],
        contentLength: STOMPContentLength? = nil
    ) async throws(STOMPError) {
        try await self.send(
            SendRequest(
                destination: destination,
                body: .text(text),
                contentType: contentType,
                headers: headers,
                contentLength: contentLength
            )
        )
    }

    /// Sends bytes at COMMIT; otherwise as ``send(_:to:contentType:headers:contentLength:)-(String,_,_,_,_)``.
    public func send(
        _ body: [UInt8],
        to destination: STOMPDestination,
        contentType: STOMPContentType? = .octetStream,
        headers: STOMPHeaders = [:],
        contentLength: STOMPContentLength? = nil
    ) async throws(STOMPError) {
        try await self.send(
            SendRequest(
                destination: destination,
                body: .bytes(body),
                contentType: contentType,
                headers: headers,
                contentLength: contentLength
            )
        )
    }

    private func send(_ request: SendRequest) async throws(STOMPError) {
        var request = request
        request.transaction = self.id
        do throws(STOMPError) {
            if try self.connection.sendNow(request) { return }
            try await self.connection.send(request, receipt: .none)
        } catch {
            throw self.translated(error)
        }
    }

    /// Acknowledges a message at COMMIT.
    ///
    /// ABORT makes it unanswered again.
    ///
    /// - Throws: ``STOMPError/Code/staleAcknowledgement`` if it came by another connection; otherwise as
    ///   ``STOMPMessage/ack(receipt:)``, ``STOMPError/Code/transactionEnded`` or ``STOMPError/Code/transactionLost``.
    public func ack(_ message: STOMPMessage) async throws(STOMPError) {
        try await self.settle(message, .ack)
    }

    /// Refuses a message at COMMIT; otherwise as ``ack(_:)``.
    public func nack(_ message: STOMPMessage, headers: STOMPHeaders = [:]) async throws(STOMPError) {
        try await self.settle(message, .nack, headers: headers)
    }

    private func settle(
        _ message: STOMPMessage,
        _ command: Settlement.Command,
        headers: STOMPHeaders = [:]
    ) async throws(STOMPError) {
        guard message.batch.owner.outbox === self.outbox else {
            throw STOMPError(
                .staleAcknowledgement,
                "The message came by another connection than this transaction was begun on."
            )
        }
        var settlement = Settlement(command: command, batch: message.batch, index: message.index)
        settlement.transaction = self.id
        settlement.headers = headers
        try await settlement.write(receipt: .none)
    }

    /// Makes all of it happen.
    ///
    /// Returns when the broker has confirmed COMMIT, where it gives receipts.
    ///
    /// - Throws: ``STOMPError/Code/transactionLost``: nothing happened. ``STOMPError/Code/transactionInDoubt``: the
    ///   connection, the receipt or the task ended during COMMIT. ``STOMPError/Code/rejected``: the broker refused it.
    ///   ``STOMPError/Code/transactionEnded``.
    public func commit() async throws(STOMPError) {
        _ = try await self.end(.commit)
    }

    /// Makes nothing of it happen.
    ///
    /// Messages that were acknowledged in it can be acknowledged again.
    ///
    /// - Throws: ``STOMPError/Code/transactionEnded``; ``STOMPError/Code/rejected``. A connection that has ended has
    ///   aborted it already: then this returns.
    public func abort() async throws(STOMPError) {
        do throws(STOMPError) {
            try await self.end(.abort)
        } catch  where Self.isEndOfConnection(error) || error.code == .transactionLost {
            return
        }
    }

    private func end(_ command: STOMPCommand) async throws(STOMPError) {
        // A cancelled task says ABORT, but not COMMIT.
        if command == .commit, Task.isCancelled { throw .cancelled }
        let serializer = self.connection.serializer
        let configuration = self.connection.configuration
        let timeout = command == .commit ? configuration.receiptTimeout : configuration.shutdownTimeout
        // Set under the lock: whether the frame was written, after which the outcome is no longer ours.
        let isWritten = Locked(false)
        do throws(STOMPError) {
            guard self.connection.dialect.hasReceipts else {
                return try self.outbox.endTransaction(self.id, command, serializer: serializer)
            }
            try await self.outbox.appendAwaitingReceipt(within: timeout, roomWithin: nil, isUrgent: true) {
                state,
                receipt throws(STOMPError) in
                let headers: STOMPHeaders = [.transaction: self.id, .receipt: String(receipt)]
                try state.endTransaction(self.id, frame: STOMPFrame(command, headers: headers), serializer: serializer)
                isWritten.withLock { $0 = true }
            }
        } catch {
            guard command == .commit, isWritten.withLock({ $0 }), error.code != .rejected else {
                throw self.translated(error)
            }
            throw STOMPError(
                .transactionInDoubt,
                "Whether the transaction \(self.id) was committed is unknown: \(error.message)",
                frame: error.frame,
                cause: error
            )
        }
    }

    private func translated(_ error: STOMPError) -> STOMPError {
        guard Self.isEndOfConnection(error) else { return error }
        return STOMPError(
            .transactionLost,
            "The connection of transaction \(self.id) has ended, so nothing of it happened: \(error.message)",
            frame: error.frame,
            cause: error
        )
    }

    private static func isEndOfConnection(_ error: STOMPError) -> Bool {
        [.notConnected, .closed, .connectionLost, .serverError].contains(error.code)
    }
}

extension Outbox.State {
    /// COMMIT or ABORT: the transaction is over, and after ABORT its acks are unanswered again.
    mutating func endTransaction(
        _ id: String,
        frame: STOMPFrame,
        serializer: FrameSerializer
    ) throws(STOMPError) {
        let record = try self.transactions.end(id)
        try serializer.append(frame, to: &self.pending)
        guard frame.command == .abort else { return }
        for settled in record.settled {
            // A subscription that has ended meanwhile has no ledger to restore.
            try? self.deliveries.update(settled.owner) { record in record.restore(settled) }
        }
    }
}

extension Outbox {
    func endTransaction(
        _ id: String,
        _ command: STOMPCommand,
        serializer: FrameSerializer
    ) throws(STOMPError) {
        let action = try self.state.withLock { state throws(STOMPError) -> Action in
            guard state.phase.admits(.ending) else { throw Self.refusal(state.phase) }
            let wasEmpty = state.pending.isEmpty
            let frame = STOMPFrame(command, headers: [.transaction: id])
            try state.endTransaction(id, frame: frame, serializer: serializer)
            return self.decide(&state, wasEmpty: wasEmpty, isUrgent: true)
        }
        self.perform(action)
    }
}
