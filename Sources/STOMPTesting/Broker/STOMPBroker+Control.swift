// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMPCore

extension STOMPBroker {
    /// What becomes of a connection after an ERROR.
    public enum ErrorAftermath: Sendable {
        /// The broker closes it, as the specification wants.
        case close
        /// It stays open, as with ActiveMQ and RabbitMQ after many errors.
        case stayOpen
    }

    /// Puts a message into a queue or onto a topic, as if a client had sent it.
    ///
    /// - Throws: ``STOMPError/Code/rejected`` if the destination has no name or its queue no room.
    public func publish(
        _ text: String,
        to destination: String,
        headers: STOMPHeaders = [:]
    ) async throws(STOMPError) {
        try await self.publish(Array(text.utf8), to: destination, headers: headers)
    }

    /// Puts a message into a queue or onto a topic, as if a client had sent it.
    ///
    /// - Throws: ``STOMPError/Code/rejected`` if the destination has no name or its queue no room.
    public func publish(
        _ body: [UInt8],
        to destination: String,
        headers: STOMPHeaders = [:]
    ) async throws(STOMPError) {
        try await self.engine.publish(BrokerMessage(destination: destination, headers: headers, body: body))
    }

    /// Cuts all connections without a word, as a crash would.
    public func disconnectAll() async {
        await self.engine.disconnectAll()
    }

    /// Sends an ERROR to all clients.
    ///
    /// - Parameters:
    ///   - message: the `message` header.
    ///   - headers: further headers, such as `receipt-id` or `subscription`.
    ///   - body: what exactly is wrong.
    ///   - aftermath: whether the connections are closed then.
    public func sendError(
        _ message: String,
        headers: STOMPHeaders = [:],
        body: String = "",
        then aftermath: ErrorAftermath = .close
    ) async {
        var all: STOMPHeaders = [.message: message]
        all.appendMissing(from: headers)
        if !body.isEmpty { all.appendMissing(from: [.contentType: STOMPContentType.plainText.rawValue]) }
        await self.engine.sendError(STOMPFrame(.error, headers: all, body: Array(body.utf8)), then: aftermath)
    }
}
