// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// A message that a subscription has received.
///
/// It refers to the bytes as they came and decodes what is asked for. A message that is kept for long keeps the block
/// of up to 512 KiB alive that it was read into; keep ``detached()`` copies instead.
@frozen
public struct STOMPMessage: Sendable {
    @usableFromInline
    let batch: MessageBatch
    @usableFromInline
    let index: Int

    @inlinable
    init(batch: MessageBatch, index: Int) {
        self.batch = batch
        self.index = index
    }
}

// MARK: - Headers

extension STOMPMessage {
    /// The decoded value of the first header with this name (STOMP 1.2, Repeated Header Entries).
    public subscript(name: STOMPHeaders.Name) -> String? {
        self.batch.headerBlock(self.index).value(of: name)
    }

    /// All headers, decoded, in their order.
    public var headers: STOMPHeaders {
        self.batch.headerBlock(self.index).decoded()
    }

    /// Calls `body` with the octets of a header's first value as they came, not unescaped; `nil` if there is none.
    ///
    /// For loops in which making a `String` for each message would be the most expensive part. The bytes are valid
    /// only inside `body`.
    public func withRawHeader<Result, Failure: Error>(
        _ name: STOMPHeaders.Name,
        _ body: (UnsafeRawBufferPointer?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self.batch) {} }
        let block = self.batch.headerBlock(self.index)
        return try body(block.rawValue(of: name))
    }

    /// As ``withRawHeader(_:_:)`` with `message-id`, whose place the parser has noted.
    @inlinable
    public func withRawMessageID<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self.batch) {} }
        return try body(self.batch.rawMessageID(self.index))
    }

    /// The `destination` header; brokers may send another one than was subscribed to.
    public var destination: STOMPDestination {
        STOMPDestination(self[.destination] ?? "")
    }

    /// The `message-id` header; empty if the broker sent none.
    ///
    /// On RabbitMQ it is new for each delivery.
    public var messageID: String {
        self.batch.rawMessageID(self.index).map(self.batch.owner.rules.text) ?? ""
    }

    /// The value that an acknowledgement of this message names: `ack` in 1.2, `message-id` before.
    public var acknowledgementID: String? {
        self.batch.acknowledgementID(self.index).map(self.batch.owner.rules.text)
    }

    /// The id of the subscription that the message came by.
    public var subscriptionID: String {
        self.batch.owner.subscriptionID
    }

    /// The `content-type` header.
    public var contentType: STOMPContentType? {
        self[.contentType].map { STOMPContentType($0) }
    }

    /// Whether the broker says that it has delivered this message before.
    public var isRedelivered: Bool {
        self[.redelivered] == "true"
    }
}

// MARK: - Body

extension STOMPMessage {
    /// The body, copied.
    public var body: [UInt8] {
        Array(self.batch.body(self.index))
    }

    /// The length of the body in bytes.
    @inlinable
    public var bodyByteCount: Int {
        Int(self.batch.frame(self.index).bodyByteCount)
    }

    /// Calls `body` with the message's body where it lies.
    ///
    /// The bytes are valid only inside `body`.
    public func withBody<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(self.batch) {} }
        return try body(self.batch.body(self.index))
    }

    /// The body as text: in the `charset` of the content type, else UTF-8.
    ///
    /// - Throws: ``STOMPError/Code/invalidText`` if the bytes are not valid in that encoding, or if the encoding is
    ///   none of UTF-8, US-ASCII and ISO-8859-1.
    public var text: String {
        get throws(STOMPError) {
            let charset = self.contentType?.charset ?? "utf-8"
            let text: String? = self.withBody { bytes in
                switch charset {
                case "utf-8", "utf8":
                    String(validating: bytes, as: UTF8.self)
                case "us-ascii", "ascii":
                    bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
                case "iso-8859-1", "latin1":
                    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
                default:
                    nil
                }
            }
            guard let text else {
                throw STOMPError(
                    .invalidText,
                    "The body of message \(self.messageID) is not text in \(charset); use body for its bytes."
                )
            }
            return text
        }
    }

    /// A copy with memory of its own, for messages that are kept.
    ///
    /// Acknowledging it acknowledges this message.
    public func detached() -> STOMPMessage {
        STOMPMessage(batch: self.batch.detached(self.index), index: 0)
    }
}

extension STOMPMessage: CustomStringConvertible {
    /// The message for a log: its id, where it came from, and how long its body is.
    public var description: String {
        "MESSAGE \(self.messageID) from \(self.destination) (\(self.bodyByteCount) bytes)"
    }
}
