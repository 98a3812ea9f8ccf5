// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

/// Takes the payload out of what the other end sends, wherever the reads have cut it (RFC 6455, section 5).
///
/// In place: payloads are moved together to the front of the buffer that was read into. So nothing waits here but a
/// header that is not complete, or a control frame.
struct WebSocketDecoder {
    /// How the stream has ended; nothing is decoded after it.
    enum End: Equatable {
        case close(WebSocketClose)
        case violation(WebSocketViolation)
    }

    private let sender: WebSocketRole
    private let limit: Int
    private let checksText: Bool

    private var header: [UInt8] = []
    /// Of the frame whose payload comes now.
    private var frame: WebSocketFrameHeader?
    private var received = 0
    private var control: [UInt8] = []
    /// Whether fragments of a message have come, and its end has not.
    private var isInMessage = false
    private var messageSize = 0
    private var text: UTF8Checker?

    /// What the last Ping said that was not answered yet: one answer is enough for several (section 5.5.3).
    private(set) var ping: [UInt8]?
    private(set) var end: End?

    /// - Parameters:
    ///   - sender: the other end.
    ///   - messageLimit: how many bytes a message may have; each fragment counts as one more, so that there can be no
    ///     end of empty ones either.
    ///   - checksText: whether text has to be UTF-8.
    init(sender: WebSocketRole, messageLimit: Int, checksText: Bool) {
        self.sender = sender
        self.limit = max(messageLimit, 1)
        self.checksText = checksText
        self.header.reserveCapacity(WebSocketFrameHeader.longest)
    }

    /// Whether no frame and no message is cut off.
    var isBetweenMessages: Bool {
        self.frame == nil && self.header.isEmpty && !self.isInMessage
    }

    mutating func takePing() -> [UInt8]? {
        defer { self.ping = nil }
        return self.ping
    }

    /// Decodes what has been read into `buffer`.
    ///
    /// - Returns: how many bytes of payload are at the start of it now.
    mutating func decode(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        var payloadCount = 0
        var position = 0
        do throws(WebSocketViolation) {
            while position < buffer.count, self.end == nil {
                guard let frame = self.frame else {
                    position += try self.readHeader(UnsafeRawBufferPointer(rebasing: buffer[position...]))
                    continue
                }
                let count = min(frame.length - self.received, buffer.count - position)
                let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[position..<position + count])
                frame.mask?.apply(to: piece, offset: self.received)
                if frame.opcode.isControl {
                    self.control += UnsafeRawBufferPointer(piece)
                } else {
                    try self.checkText(UnsafeRawBufferPointer(piece))
                    let place = UnsafeMutableRawBufferPointer(rebasing: buffer[payloadCount..<payloadCount + count])
                    if payloadCount < position { place.copyMemory(from: UnsafeRawBufferPointer(piece)) }
                    payloadCount += count
                }
                position += count
                self.received += count
                if self.received == frame.length { try self.finish(frame) }
            }
        } catch {
            self.end = .violation(error)
        }
        return payloadCount
    }

    /// - Returns: how many of the bytes belong to the header.
    private mutating func readHeader(_ bytes: UnsafeRawBufferPointer) throws(WebSocketViolation) -> Int {
        if self.header.isEmpty, let (frame, byteCount) = try WebSocketFrameHeader.parse(bytes, sentBy: self.sender) {
            try self.begin(frame)
            return byteCount
        }
        for (index, byte) in bytes.enumerated() {
            self.header.append(byte)
            if let (frame, _) = try self.parsedHeader() {
                self.header.removeAll(keepingCapacity: true)
                try self.begin(frame)
                return index + 1
            }
        }
        return bytes.count
    }

    private func parsedHeader() throws(WebSocketViolation) -> (WebSocketFrameHeader, Int)? {
        let sender = self.sender
        return try self.header.withUnsafeBytes { bytes in
            Result { () throws(WebSocketViolation) in try WebSocketFrameHeader.parse(bytes, sentBy: sender) }
        }.get()
    }

    private mutating func begin(_ frame: WebSocketFrameHeader) throws(WebSocketViolation) {
        if !frame.opcode.isControl {
            guard (frame.opcode == .continuation) == self.isInMessage else {
                let reason =
                    self.isInMessage
                    ? "a new message within another" : "the continuation of a message that has not begun"
                throw WebSocketViolation(.fragmentOutOfOrder, reason)
            }
            if !self.isInMessage {
                self.messageSize = 0
                self.text = self.checksText && frame.opcode == .text ? UTF8Checker() : nil
            }
            // The length may be anything up to 63 bits.
            let (size, isOverflow) = self.messageSize.addingReportingOverflow(frame.length)
            guard !isOverflow, size <= self.limit else {
                throw WebSocketViolation(.messageTooLarge, "a message of more than \(self.limit) bytes")
            }
            self.messageSize = size + (frame.isFinal ? 0 : 1)
            self.isInMessage = !frame.isFinal
        }
        self.frame = frame
        self.received = 0
        self.control.removeAll(keepingCapacity: true)
        // No byte of payload will come that could finish it.
        if frame.length == 0 { try self.finish(frame) }
    }

    private mutating func checkText(_ bytes: UnsafeRawBufferPointer) throws(WebSocketViolation) {
        guard self.text?.accepts(bytes) == false else { return }
        throw WebSocketViolation(.invalidText, "a text that is not UTF-8")
    }

    private mutating func finish(_ frame: WebSocketFrameHeader) throws(WebSocketViolation) {
        self.frame = nil
        switch frame.opcode {
        case .ping:
            self.ping = self.control
        case .pong:
            break
        case .close:
            self.end = .close(try WebSocketClose(payload: self.control))
        case .continuation, .text, .binary:
            guard frame.isFinal, self.text?.isComplete == false else { return }
            throw WebSocketViolation(.invalidText, "a text that ends within a character")
        }
    }
}
