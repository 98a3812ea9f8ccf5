// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

extension STOMPConnection: Sending {
    /// Sends a text, as UTF-8 (STOMP 1.2, SEND).
    ///
    /// Without a receipt it returns when the frame is in the bounded outbox: waiting for room there is the
    /// back-pressure. Cancelled, the frame is not sent, or sent whole.
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
    /// Returns `false` if that needs a wait for room.
    @usableFromInline
    nonisolated func sendNow(
        _ body: UnsafeRawBufferPointer,
        _ destination: STOMPDestination,
        _ contentType: STOMPContentType?,
        _ headers: STOMPHeaders,
        _ contentLength: STOMPContentLength?
    ) throws(STOMPError) -> Bool {
        try self.outbox.send(
            body,
            to: destination,
            contentType: contentType,
            headers: headers,
            isCounted: (contentLength ?? self.configuration.contentLength) == .included,
            serializer: self.serializer
        )
    }

    nonisolated func sendNow(_ request: SendRequest) throws(STOMPError) -> Bool {
        try self.outbox.send(
            request,
            serializer: self.serializer,
            contentLength: self.configuration.contentLength
        )
    }

    @usableFromInline
    nonisolated func send(_ request: SendRequest, receipt: STOMPReceipt) async throws(STOMPError) {
        switch receipt.kind {
        case .none:
            let deadline = self.time.now + self.configuration.outboxTimeout
            _ = try await self.outbox.appendWhenRoom(until: deadline, request.admission) {
                state,
                _ throws(STOMPError) in
                try self.append(request, to: &state, receipt: nil)
                return RoomWaiter.Appended()
            }
        case .required(let timeout, _):
            try await self.send(request, awaitingReceiptWithin: timeout)
        }
    }

    /// As ``send(_:receipt:)``; calls `onAppended` when the frame is in the outbox, in the order of the frames there.
    nonisolated func send(
        _ request: SendRequest,
        awaitingReceiptWithin timeout: Duration?,
        onAppended: @Sendable () -> Void = {}
    ) async throws(STOMPError) {
        guard self.dialect.hasReceipts else { throw .noReceipts(self.dialect) }
        try await self.outbox.appendAwaitingReceipt(
            within: timeout ?? self.configuration.receiptTimeout,
            roomWithin: self.configuration.outboxTimeout,
            request.admission,
            onAppended: onAppended,
            now: { state, receipt throws(STOMPError) in try self.append(request, to: &state, receipt: receipt) },
            later: { state, receipt throws(STOMPError) in try self.append(request, to: &state, receipt: receipt) }
        )
    }

    /// Under the outbox's lock.
    private nonisolated func append(
        _ request: SendRequest,
        to state: inout Outbox.State,
        receipt: UInt64?
    ) throws(STOMPError) {
        try Outbox.checkTransaction(request.transaction, state)
        try request.append(
            to: &state.pending,
            serializer: self.serializer,
            contentLength: self.configuration.contentLength,
            receipt: receipt
        )
        if receipt == nil, request.transaction == nil { state.pendingSendCount &+= 1 }
    }
}
