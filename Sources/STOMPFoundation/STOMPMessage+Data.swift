// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

public import STOMP

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension STOMPMessage {
    /// The body, copied.
    public var data: Data {
        self.withBody { Data($0) }
    }

    /// The body, decoded from JSON.
    ///
    /// - Throws: what the decoder throws.
    public func decodeJSON<Value: Decodable>(
        as type: Value.Type = Value.self,
        with decoder: JSONDecoder = JSONDecoder()
    ) throws -> Value {
        try decoder.decode(type, from: self.data)
    }
}

extension STOMPClient {
    /// Sends data; otherwise as `send` of bytes.
    public func send(
        _ data: Data,
        to destination: STOMPDestination,
        contentType: STOMPContentType? = .octetStream,
        headers: STOMPHeaders = [:],
        receipt: STOMPReceipt = .none
    ) async throws(STOMPError) {
        try await self.send(
            [UInt8](data),
            to: destination,
            contentType: contentType,
            headers: headers,
            receipt: receipt
        )
    }

    /// Sends a value as JSON.
    ///
    /// - Throws: what the encoder throws, before anything is sent; otherwise as `send`.
    public func sendJSON(
        _ value: some Encodable,
        to destination: STOMPDestination,
        headers: STOMPHeaders = [:],
        receipt: STOMPReceipt = .none,
        with encoder: JSONEncoder = JSONEncoder()
    ) async throws {
        let data = try encoder.encode(value)
        try await self.send(data, to: destination, contentType: .json, headers: headers, receipt: receipt)
    }
}
