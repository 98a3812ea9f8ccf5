// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMPCore
import STOMPTransport

/// A SEND as its caller describes it.
@usableFromInline
struct SendRequest: Sendable {
    @usableFromInline
    enum Body: Sendable {
        case text(String)
        case bytes([UInt8])

        @inlinable
        @inline(__always)
        func withBytes<Value>(
            _ body: (UnsafeRawBufferPointer) throws(STOMPError) -> Value
        ) throws(STOMPError) -> Value {
            switch self {
            case .bytes(let bytes):
                return try bytes.withUnsafeBufferPointer { bytes throws(STOMPError) in
                    try body(UnsafeRawBufferPointer(bytes))
                }
            case .text(var text):
                return try text.withUTF8 { utf8 in
                    Result { () throws(STOMPError) in try body(UnsafeRawBufferPointer(utf8)) }
                }.get()
            }
        }
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

    /// Some bytes more than the frame has: for limits.
    var byteCount: Int {
        let headers = self.headers.fields.reduce(64) { $0 + $1.name.rawValue.utf8.count + $1.value.utf8.count + 2 }
        let body =
            switch self.body {
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            }
        return headers + body + self.destination.rawValue.utf8.count + (self.contentType?.rawValue.utf8.count ?? 0)
    }

    /// Appends the whole frame, or nothing and throws ``STOMPError/Code/invalidArgument``.
    func append(
        to output: inout OutputBuffer,
        serializer: FrameSerializer,
        contentLength defaultLength: STOMPContentLength,
        receipt: UInt64?
    ) throws(STOMPError) {
        try self.body.withBytes { bytes throws(STOMPError) in
            try Self.append(
                bytes,
                to: self.destination,
                contentType: self.contentType,
                headers: self.headers,
                isCounted: (self.contentLength ?? defaultLength) == .included,
                transaction: self.transaction,
                receipt: receipt,
                output: &output,
                serializer: serializer
            )
        }
    }

    /// As above, from parts that the caller lends: making a request takes and gives back a reference for each.
    ///
    /// Our own headers stand before the user's, since the first of a repeated header counts.
    @inline(__always)
    static func append(
        _ body: UnsafeRawBufferPointer,
        to destination: STOMPDestination,
        contentType: STOMPContentType?,
        headers: STOMPHeaders,
        isCounted: Bool,
        transaction: String?,
        receipt: UInt64?,
        output: inout OutputBuffer,
        serializer: FrameSerializer
    ) throws(STOMPError) {
        let checkpoint = output.count
        do throws(STOMPError) {
            if destination.rawValue.isEmpty {
                throw STOMPError(.invalidArgument, "A SEND needs a destination.")
            }
            output.append("SEND\n")
            try serializer.appendHeader("destination:", destination.rawValue, to: &output)
            if let contentType {
                guard contentType.isMIMEType else {
                    throw STOMPError(.invalidArgument, "The content type \"\(contentType)\" is not a MIME type.")
                }
                try serializer.appendHeader("content-type:", contentType.rawValue, to: &output)
            }
            if let transaction {
                try serializer.appendHeader("transaction:", transaction, to: &output)
            }
            if let receipt {
                output.append("receipt:")
                output.append(decimal: receipt)
                output.append(UInt8(ascii: "\n"))
            }
            if !headers.isEmpty { try Self.append(headers, to: &output, serializer: serializer) }
            if isCounted {
                serializer.appendContentLength(body.count, to: &output)
            } else {
                try Self.refuseNUL(body.contains(0))
            }
            if serializer.takesTextOnly { try Self.refuseBinary(body) }
            output.append(UInt8(ascii: "\n"))
            output.append(body)
            output.append(0)
        } catch {
            output.truncate(to: checkpoint)
            throw error
        }
    }

    private static func refuseNUL(_ hasNUL: Bool) throws(STOMPError) {
        guard hasNUL else { return }
        throw STOMPError(.invalidArgument, "A body with a NUL needs content-length; send it with .included.")
    }

    @inline(never)
    private static func refuseBinary(_ body: UnsafeRawBufferPointer) throws(STOMPError) {
        guard !UTF8Checker.isValid(body) else { return }
        throw STOMPError(
            .invalidArgument,
            "A body that is not UTF-8 cannot go through WebSocket frames of text; use binary ones (ws.frames=binary)."
        )
    }

    @inline(never)
    private static func append(
        _ headers: STOMPHeaders,
        to output: inout OutputBuffer,
        serializer: FrameSerializer
    ) throws(STOMPError) {
        for field in headers.fields {
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
    /// Writes a SEND of these parts if there is room.
    func send(
        _ body: UnsafeRawBufferPointer,
        to destination: STOMPDestination,
        contentType: STOMPContentType?,
        headers: STOMPHeaders,
        isCounted: Bool,
        serializer: FrameSerializer
    ) throws(STOMPError) -> Bool {
        try self.appendIfRoom(.beginning) { state throws(STOMPError) in
            try SendRequest.append(
                body,
                to: destination,
                contentType: contentType,
                headers: headers,
                isCounted: isCounted,
                transaction: nil,
                receipt: nil,
                output: &state.pending,
                serializer: serializer
            )
            state.pendingSendCount &+= 1
        }
    }

    /// Writes a SEND if there is room.
    func send(
        _ request: SendRequest,
        serializer: FrameSerializer,
        contentLength: STOMPContentLength
    ) throws(STOMPError) -> Bool {
        try self.appendIfRoom(request.admission) { state throws(STOMPError) in
            try Self.checkTransaction(request.transaction, state)
            try request.append(
                to: &state.pending,
                serializer: serializer,
                contentLength: contentLength,
                receipt: nil
            )
            // Of one in a transaction, the end of that tells.
            if request.transaction == nil { state.pendingSendCount &+= 1 }
        }
    }

    /// Under the lock: frames of a transaction must not follow its end.
    @inline(__always)
    static func checkTransaction(_ id: String?, _ state: borrowing State) throws(STOMPError) {
        if let id, !state.transactions.isOpen(id) {
            throw STOMPError(.transactionEnded, "The transaction \(id) was committed or aborted before.")
        }
    }
}
