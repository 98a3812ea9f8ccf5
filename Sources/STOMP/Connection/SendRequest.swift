// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

import STOMPCore

/// A SEND as its caller describes it.
@usableFromInline
struct SendRequest: Sendable {
    @usableFromInline
    enum Body: Sendable {
        case text(String)
        case bytes([UInt8])
    }

    let destination: STOMPDestination
    let body: Body
    let contentType: STOMPContentType?
    let headers: STOMPHeaders
    let contentLength: STOMPContentLength?
    var transaction: String?

    @usableFromInline
    init(
        destination: STOMPDestination,
        body: Body,
        contentType: STOMPContentType?,
        headers: STOMPHeaders,
        contentLength: STOMPContentLength?
    ) {
        self.destination = destination
        self.body = body
        self.contentType = contentType
        self.headers = headers
        self.contentLength = contentLength
    }

    /// A SEND of a transaction belongs to what was begun.
    @inline(__always)
    var admission: Outbox.Admission { self.transaction == nil ? .beginning : .ending }

    /// Appends the whole frame, or nothing and throws ``STOMPError/Code/invalidArgument``.
    ///
    /// Our own headers stand before the user's, since the first of a repeated header counts.
    @inline(__always)
    func append(
        to output: inout OutputBuffer,
        serializer: FrameSerializer,
        contentLength defaultLength: STOMPContentLength,
        receipt: UInt64?
    ) throws(STOMPError) {
        let checkpoint = output.count
        do throws(STOMPError) {
            if self.destination.rawValue.isEmpty {
                throw STOMPError(.invalidArgument, "A SEND needs a destination.")
            }
            output.append("SEND\n")
            try serializer.appendHeader("destination:", self.destination.rawValue, to: &output)
            if let type = self.contentType {
                guard type.isMIMEType else {
                    throw STOMPError(.invalidArgument, "The content type \"\(type)\" is not a MIME type.")
                }
                try serializer.appendHeader("content-type:", type.rawValue, to: &output)
            }
            if let transaction = self.transaction {
                try serializer.appendHeader("transaction:", transaction, to: &output)
            }
            if let receipt {
                output.append("receipt:")
                output.append(decimal: receipt)
                output.append(UInt8(ascii: "\n"))
            }
            if !self.headers.isEmpty { try self.appendUserHeaders(to: &output, serializer: serializer) }
            try self.appendBody(
                to: &output,
                serializer: serializer,
                isCounted: (self.contentLength ?? defaultLength) == .included
            )
        } catch {
            output.truncate(to: checkpoint)
            throw error
        }
    }

    @inline(__always)
    private func appendBody(
        to output: inout OutputBuffer,
        serializer: FrameSerializer,
        isCounted: Bool
    ) throws(STOMPError) {
        switch self.body {
        case .bytes(let bytes):
            if isCounted { serializer.appendContentLength(bytes.count, to: &output) }
            output.append(UInt8(ascii: "\n"))
            bytes.withUnsafeBytes { output.append($0) }
            if !isCounted { try Self.refuseNUL(bytes.contains(0)) }
        case .text(var text):
            if isCounted { serializer.appendContentLength(text.utf8.count, to: &output) }
            output.append(UInt8(ascii: "\n"))
            text.withUTF8 { output.append(UnsafeRawBufferPointer($0)) }
            if !isCounted { try Self.refuseNUL(text.utf8.contains(0)) }
        }
        output.append(0)
    }

    private static func refuseNUL(_ hasNUL: Bool) throws(STOMPError) {
        guard hasNUL else { return }
        throw STOMPError(.invalidArgument, "A body with a NUL needs content-length; send it with .included.")
    }

    @inline(never)
    private func appendUserHeaders(
        to output: inout OutputBuffer,
        serializer: FrameSerializer
    ) throws(STOMPError) {
        for field in self.headers.fields {
            if let argument = Self.reserved[field.name] {
                throw STOMPError(
                    .invalidArgument,
                    "The header \(field.name) is the client's own; use the argument \(argument) instead."
                )
            }
            try serializer.appendHeader(field.name.rawValue, field.value, to: &output)
        }
    }

    private static let reserved: [STOMPHeaders.Name: String] = [
        .destination: "to:", .contentLength: "contentLength:", .contentType: "contentType:", .receipt: "receipt:",
        .transaction: "of a STOMPTransaction",
    ]
}

extension Outbox {
    /// Writes a SEND if there is room.
    func send(
        _ request: borrowing SendRequest,
        serializer: FrameSerializer,
        contentLength: STOMPContentLength
    ) throws(STOMPError) -> Bool {
        let action = try self.state.withLock { state throws(STOMPError) -> Action? in
            guard try self.hasRoom(state, request.admission) else { return nil }
            try Self.checkTransaction(request.transaction, state)
            let wasEmpty = state.pending.isEmpty
            try request.append(
                to: &state.pending,
                serializer: serializer,
                contentLength: contentLength,
                receipt: nil
            )
            return self.decide(&state, wasEmpty: wasEmpty, isUrgent: false)
        }
        guard let action else { return false }
        self.perform(action)
        return true
    }

    /// Under the lock: frames of a transaction must not follow its end.
    @inline(__always)
    static func checkTransaction(_ id: String?, _ state: borrowing State) throws(STOMPError) {
        if let id, !state.transactions.isOpen(id) {
            throw STOMPError(.transactionEnded, "The transaction \(id) was committed or aborted before.")
        }
    }
}
